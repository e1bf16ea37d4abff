"""The timeline in pages: whole and in order, and its links hold no number that runs over all cases."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from incidents import actions
from incidents.choices import Act
from tests.cast import NOW
from tests.incidents.api.clients import API


def test_pages_follow_each_other_and_tell_nothing_of_other_cases(
    cast: Any, api: Any, make_incident: Any, make_sealed: Any
) -> None:
    incident = make_incident()
    for number in range(4):
        make_sealed()
        note = {"note": f"Update {number}.", "version": None, "now": NOW}
        actions.perform(Act.UPDATE, incident, by=cast.psc, **note)
    address, seen = f"{API}incidents/{incident.pk}/timeline/?page_size=1", []
    while address:
        page = api(cast.psc).get(address).json()
        seen += [row["version"] for row in page["results"]]
        for link in filter(None, (page["next"], page["previous"])):
            cursor = parse_qs(urlsplit(link).query)["cursor"][0]
            _way, version, moment = json.loads(base64.urlsafe_b64decode(cursor + "=="))
            assert int(version) == seen[-1] and moment
        address = page["next"]
    assert seen == [1, 2, 3, 4, 5]
