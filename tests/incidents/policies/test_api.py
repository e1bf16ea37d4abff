"""Policies over the API: the published versions for everybody signed in, drafts for those who write them."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from tests.cast import NOW
from tests.incidents.api.clients import API, token_for
from tests.incidents.policies.drafts import drafted, edited, faster, general, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client: Any) -> Any:
    def get(person: Any, path: str) -> Any:
        with time_machine.travel(NOW, tick=False):
            return client.get(API + path, headers={"authorization": f"Bearer {token_for(person)}"})

    return get


def test_versions_are_listed_with_their_state(cast: Any, api: Any) -> None:
    first = published(faster(2))
    second = published(faster(2), first)
    edited(drafted(second), faster(2))
    rows = api(cast.officer, "policies/").json()["results"]
    assert {(row["code"], row["number"]): row["standing"] for row in rows} == {
        ("general", 1): "in_force",
        ("CC27", 1): "replaced",
        ("CC27", 2): "in_force",
    }
    mine = api(cast.psc, "policies/?election=CC27&standing=draft").json()["results"]
    assert [(row["number"], row["standing"]) for row in mine] == [(3, "draft")]
    old = api(cast.psc, "policies/?standing=replaced").json()["results"]
    assert [(row["code"], row["number"]) for row in old] == [("CC27", 1)]
    assert len(api(cast.psc, "policies/?standing=in_force").json()["results"]) == 2
    assert api(cast.psc, "policies/?standing=gone").status_code == 400


def test_one_version_says_all_it_says(cast: Any, api: Any) -> None:
    body = api(cast.liaison, "policies/general/1/").json()
    assert (body["election"], len(body["targets"]), len(body["steps"])) == (None, 36, 23)
    row = next(t for t in body["targets"] if (t["phase"], t["severity"]) == ("polling", "critical"))
    assert (row["acknowledge_minutes"], row["update_every_minutes"]) == (5, 30)
    assert body["steps"][0] == {"clock": "accept", "number": 0, "percent": 75, "deed": "warn", "rung": None}
    assert general().number == body["number"]


def test_a_draft_is_not_there_for_others(cast: Any, api: Any) -> None:
    draft = drafted()
    path = f"policies/CC27/{draft.number}/"
    assert api(cast.nec, path).status_code == 200
    assert api(cast.officer, path).status_code == 404
    assert api(cast.officer, "policies/?standing=draft").json()["results"] == []


@pytest.mark.parametrize("path", ["policies/CC27/99/", "policies/XX/1/", "policies/general/99999999999999999999/"])
def test_what_is_not_there_is_404(cast: Any, api: Any, path: str) -> None:
    assert api(cast.nec, path).status_code == 404


def test_nothing_is_written_through_it(cast: Any, client: Any) -> None:
    headers = {"authorization": f"Bearer {token_for(cast.nec)}"}
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(API + "policies/general/1/", headers=headers).status_code == 405
