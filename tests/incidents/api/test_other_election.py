"""A report is of the election that is under way: whoever names another does not buy its slow deadlines."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from elections.choices import Basis, Phase
from elections.models import Election, PhaseWindow
from incidents import actions
from incidents.choices import Act
from incidents.models import Incident
from tests.cast import COMMUNE, NOW, PHNOM_PENH, TAKEO
from tests.incidents.api.clients import API, is_problem

pytestmark = pytest.mark.django_db

JSON = "application/json"
#: Half an hour after the polls of CC27 opened.
POLLING = dt.datetime(2027, 6, 6, 7, 30, tzinfo=PHNOM_PENH)
#: Between two phases of CC27.
PAUSE = dt.datetime(2027, 4, 20, 9, 0, tzinfo=PHNOM_PENH)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def other(cast: Any) -> Election:
    """An election with no phase of its own yet."""
    found, _made = Election.objects.get_or_create(
        code="NA28", defaults={"type": "national_assembly", "suffrage": "universal", "name_en": "Assembly"}
    )
    PhaseWindow.objects.filter(election=found).delete()
    return found


def window(election: Election, phase: Phase, start: dt.datetime, days: int, **more: Any) -> None:
    PhaseWindow.objects.create(
        election=election, phase=phase, starts_at=start, ends_at=start + days * DAY, basis=Basis.ILLUSTRATIVE, **more
    )


def send(client: Any, happened: dt.datetime, **election: str) -> Any:
    content = {
        "category": "PRC-04", "severity": "high", "place": COMMUNE, "occurred_at": happened.isoformat(),
        "narrative": "Voters cannot pass a flooded road.", "confirmed_early": True,
    } | election  # fmt: skip
    return client.post(API + "incidents/", content, content_type=JSON)


def test_while_people_vote_another_election_is_refused(cast: Any, api: Any, clock: Any) -> None:
    clock.move_to(POLLING)
    body = is_problem(send(api(cast.officer), POLLING, election="NA28"), 400, "fields")
    assert [e["pointer"] for e in body["errors"]] == ["/election"]
    name = Election.objects.get(code="CC27").name_en
    assert (
        body["detail"]
        == f"election: This happened during CC27, «{name}», which is under way. Name that election, or none."
    )
    assert not Incident.objects.exists()


@pytest.mark.parametrize("named", [{"election": "CC27"}, {}])
def test_the_one_under_way_is_taken_named_or_not(cast: Any, api: Any, clock: Any, named: dict[str, str]) -> None:
    clock.move_to(POLLING)
    answer = send(api(cast.officer), POLLING, **named)
    assert answer.status_code == 201, answer.content
    assert answer.json()["phase"] == "polling" and answer.json()["reference"].startswith("CC27-")


def test_what_was_before_it_began_may_be_of_another(cast: Any, api: Any, clock: Any) -> None:
    clock.move_to(POLLING)
    long_ago = dt.datetime(2026, 3, 1, 9, 0, tzinfo=PHNOM_PENH)
    answer = send(api(cast.officer), long_ago, election="NA28")
    assert answer.status_code == 201, answer.content
    assert answer.json()["reference"].startswith("NA28-")


def test_what_lies_in_the_time_of_another_is_of_that(cast: Any, api: Any, clock: Any, other: Election) -> None:
    window(other, Phase.REGISTRATION, NOW - 3 * DAY, 2)
    clock.move_to(POLLING)
    answer = send(api(cast.officer), NOW - 2 * DAY, election="NA28")
    assert answer.status_code == 201, answer.content
    is_problem(send(api(cast.officer), NOW, election="NA28"), 400, "fields")


def test_between_phases_any_election_may_be_named(cast: Any, api: Any, clock: Any) -> None:
    clock.move_to(PAUSE)
    answer = send(api(cast.officer), PAUSE, election="NA28")
    assert answer.status_code == 201, answer.content


def test_a_phase_of_one_province_holds_there_alone(cast: Any, api: Any, clock: Any) -> None:
    """A vote repeated in Svay Rieng says nothing about Takeo."""
    window(Election.objects.get(code="CC27"), Phase.POLLING, PAUSE - DAY, 2, jurisdiction_id="KH20")
    clock.move_to(PAUSE)
    assert send(api(cast.officer), PAUSE, election="NA28").status_code == 201
    window(Election.objects.get(code="CC27"), Phase.POLLING, PAUSE - DAY, 2, jurisdiction_id=TAKEO)
    is_problem(send(api(cast.officer), PAUSE, election="NA28"), 400, "fields")


def test_the_day_it_happened_is_not_corrected_into_the_election_it_was_kept_from(
    cast: Any, make_incident: Any, other: Election
) -> None:
    """Else the day before it all began would be a way in."""
    long_ago = dt.datetime(2026, 3, 1, 9, 0, tzinfo=PHNOM_PENH)
    case = make_incident(now=POLLING, occurred_at=long_ago, election="NA28", confirmed_early=True)
    how: dict[str, Any] = {"by": cast.duty_commander, "version": None, "now": POLLING, "reason": "A mistake."}
    with pytest.raises(ValidationError) as refused:
        actions.perform(Act.CORRECT, case, fields={"occurred_at": POLLING}, **how)
    assert "Withdraw this report and log it there" in refused.value.message_dict["occurred_at"][0]
    case = actions.perform(Act.CORRECT, case, fields={"occurred_at": long_ago - DAY}, **how)
    assert case.occurred_at == long_ago - DAY
