"""How a case stops being open: joined, withdrawn, found not to be one; what waits for a second person, who hears."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from incidents import actions, tallies
from incidents.choices import Act, ClockKind, State
from incidents.models import Clock, ClockState, Entry, Incident, Notice
from tests.cast import NOW, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def told(case: Incident, kind: str) -> set[str]:
    return set(Notice.objects.filter(incident=case, kind=kind).values_list("recipient__username", flat=True))


# ---- Joining ----


def test_the_survivor_answers_by_the_earlier_deadline(cast: Cast, make_incident: Make) -> None:
    """Or joining an old report to a fresh one would be a way to gain time."""
    old = make_incident()
    fresh = make_incident(now=NOW + 2 * HOUR)
    deadline = old.next_due_at
    actions.perform(Act.MERGE, old, by=cast.duty_commander, version=None, now=NOW + 3 * HOUR, survivor=fresh.pk)
    fresh.refresh_from_db()
    assert fresh.next_due_at == deadline
    assert fresh.clocks.get(kind=ClockKind.CONTAIN, state=ClockState.RUNNING).anchor_at == NOW


def test_a_later_deadline_of_the_joined_case_changes_nothing(cast: Cast, make_incident: Make) -> None:
    old, fresh = make_incident(), make_incident(now=NOW + HOUR)
    deadline = old.next_due_at
    actions.perform(Act.MERGE, fresh, by=cast.duty_commander, version=None, now=NOW + 2 * HOUR, survivor=old.pk)
    old.refresh_from_db()
    assert old.next_due_at == deadline
    assert set(old.clocks.values_list("episode", flat=True)) == {1}


def test_the_journal_of_the_survivor_says_what_joined_it(cast: Cast, make_incident: Make) -> None:
    one, other = make_incident(), make_incident()
    actions.perform(Act.MERGE, one, by=cast.duty_commander, version=None, now=NOW + HOUR, survivor=other.pk)
    last = Entry.objects.filter(incident=other).latest("pk")
    other.refresh_from_db()
    assert one.reference in last.note
    assert last.version == other.version == 2


def test_a_case_is_not_joined_to_a_less_serious_one(cast: Cast, make_incident: Make) -> None:
    """It would leave the sight of those whom its severity had called."""
    serious, slight = make_incident(severity="critical", killed=1), make_incident(severity="low")
    with pytest.raises(ValidationError, match="more serious"):
        actions.perform(Act.MERGE, serious, by=cast.psc, version=None, now=NOW, survivor=slight.pk)
    serious.refresh_from_db(), slight.refresh_from_db()
    assert (serious.state, serious.version, slight.version) == (State.REPORTED, 1, 1)
    assert serious.clocks.filter(state=ClockState.RUNNING).exists()
    done = actions.perform(Act.MERGE, slight, by=cast.psc, version=None, now=NOW, survivor=serious.pk)
    assert done.merged_into_id == serious.pk


def test_only_the_nec_joins_a_case_of_its_own_to_one_that_is_not(cast: Cast, make_incident: Make) -> None:
    threat, theft = make_incident(category="INT-01", severity="high"), make_incident(severity="high")
    with pytest.raises(ValidationError, match="for the NEC"):
        actions.perform(Act.MERGE, threat, by=cast.duty_commander, version=None, now=NOW, survivor=theft.pk)
    done = actions.perform(Act.MERGE, threat, by=cast.nec, version=None, now=NOW, survivor=theft.pk)
    assert done.state == State.MERGED


# ---- What the NEC classified ----


def test_what_the_nec_found_electoral_is_dismissed_and_closed_by_the_nec_alone(cast: Cast, make_incident: Make) -> None:
    """Whatever its category is by nature: a theft may be one of ballots."""
    theft = make_incident(category="CRM-06")
    actions.perform(Act.CLASSIFY, theft, by=cast.nec, version=None, now=NOW, classification="electoral")
    ask = {"version": None, "now": NOW, "dismiss_reason": "test", "reason": "A test."}
    for person in (cast.duty_commander, cast.provincial, cast.psc):
        with pytest.raises(PermissionDenied):
            actions.perform(Act.DISMISS, theft, by=person, **ask)
    actions.perform(Act.DISMISS, theft, by=cast.nec, **ask)
    with pytest.raises(PermissionDenied):
        actions.perform(Act.COUNTERSIGN, theft, by=cast.provincial, version=None, now=NOW)
    done = actions.perform(Act.COUNTERSIGN, theft, by=cast.nec_second, version=None, now=NOW)
    assert done.state == State.NOT_AN_INCIDENT


def test_joining_moves_one_case_in_the_tallies(cast: Cast, make_incident: Make) -> None:
    one, other = make_incident(), make_incident()
    actions.perform(
        Act.MERGE, one, by=cast.duty_commander, version=None, now=NOW + HOUR, survivor=str(other.pk).upper()
    )
    assert tallies.differences() == []


@pytest.mark.parametrize("end", ["join", "withdraw"])
def test_a_case_that_is_over_asks_nobody_to_countersign(cast: Cast, make_incident: Make, end: str) -> None:
    case, other = make_incident(), make_incident()
    actions.perform(
        Act.DISMISS, case, by=cast.duty_commander, version=None, now=NOW, dismiss_reason="test", reason="A drill."
    )
    if end == "join":
        actions.perform(Act.MERGE, case, by=cast.duty_commander, version=None, now=NOW, survivor=other.pk)
    else:
        actions.perform(Act.WITHDRAW, case, by=cast.officer, version=None, now=NOW, reason="Found it again.")
    case.refresh_from_db()
    assert not case.is_open
    assert case.request_act == ""
    assert not Incident.objects.exclude(request_act="").exists()


# ---- Who hears of a request ----


def test_a_dismissal_is_told_to_those_who_may_countersign_it(cast: Cast, make_incident: Make) -> None:
    theft = make_incident()
    actions.perform(
        Act.DISMISS, theft, by=cast.duty_commander, version=None, now=NOW, dismiss_reason="test", reason="A drill."
    )
    assert told(theft, "request") == {"cast-provincial"}
    assert Act.COUNTERSIGN in actions.allowed(Incident.objects.get(pk=theft.pk), cast.provincial)
    assert Act.COUNTERSIGN not in actions.allowed(Incident.objects.get(pk=theft.pk), cast.nec)


def test_what_the_nec_decides_is_told_to_the_nec(cast: Cast, make_incident: Make) -> None:
    threat = make_incident(category="INT-01")
    actions.perform(Act.WITHDRAW, threat, by=cast.officer, version=None, now=NOW, reason="The family asked for it.")
    assert {"cast-nec", "cast-nec-second"} <= told(threat, "request")


def test_who_asked_is_told_that_it_was_declined(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    actions.perform(
        Act.DISMISS, case, by=cast.duty_commander, version=None, now=NOW, dismiss_reason="test", reason="A drill."
    )
    actions.perform(Act.DECLINE, case, by=cast.provincial, version=None, now=NOW, reason="It was no drill.")
    assert told(case, "decline") == {"cast-duty-commander"}
    assert not Notice.objects.filter(incident=case, kind="request", recipient=cast.duty_commander).exists()


def test_a_moved_station_is_told_as_what_it_is(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="HAZ-01")
    actions.perform(
        Act.RELOCATE_STATION, case, by=cast.nec, version=None, now=NOW, station="Station 12", old_place="The school",
        new_place="The pagoda", voters_affected=640,
    )  # fmt: skip
    assert told(case, "relocate_station") == {"cast-duty-commander"}
    assert not told(case, "raise_severity")


def test_clocks_of_an_ended_case_are_all_stopped(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    actions.perform(Act.WITHDRAW, case, by=cast.officer, version=None, now=NOW, reason="Found it again.")
    case.refresh_from_db()
    assert case.state == State.WITHDRAWN
    assert not Clock.objects.filter(incident=case, state=ClockState.RUNNING).exists()


# ---- Opening again ----


def resolved(cast: Cast, case: Incident, by: str = "duty_commander") -> Incident:
    person = getattr(cast, by)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("acknowledge", {}),
        ("contain", {}),
        ("resolve", {"outcome": "settled"}),
    ]
    for act, data in steps:
        case = actions.perform(act, case, by=person, version=None, now=NOW, **data)
    return case


@pytest.mark.parametrize(("days", "possible"), [(89, True), (91, False)])
def test_an_ordinary_case_is_reopened_within_ninety_days(
    cast: Cast, make_incident: Make, days: int, possible: bool
) -> None:
    case, later = resolved(cast, make_incident()), NOW + dt.timedelta(days=days)
    if possible:
        actions.perform(Act.REOPEN, case, by=cast.provincial, version=None, now=later, reason="A witness came.")
        return
    with pytest.raises(ValidationError, match="case of its own"):
        actions.perform(Act.REOPEN, case, by=cast.provincial, version=None, now=later, reason="A witness came.")


def test_intimidation_is_reopened_however_long_ago(cast: Cast, make_incident: Make) -> None:
    case = resolved(cast, make_incident(category="INT-01"), by="provincial")
    later = NOW + dt.timedelta(days=400)
    case = actions.perform(Act.REOPEN, case, by=cast.nec, version=None, now=later, reason="The family dares to speak.")
    assert case.state == State.ACKNOWLEDGED
