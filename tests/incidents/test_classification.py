"""Police propose, the NEC decides: what waits, until when, and what the default rules may decide."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from incidents import classification
from incidents.choices import Act, Channel, Classification
from incidents.models import Entry, Incident
from tests.cast import NOW, Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
RULE = classification.RULES[0]


def names(rows: list[classification.Waiting]) -> list[str]:
    return [w.incident.reference for w in rows]


# ---- The queue ----


@pytest.mark.parametrize(
    ("severity", "phase", "within"),
    [
        ("critical", "polling", HOUR),
        ("critical", "counting", HOUR),
        ("critical", "campaign", DAY),
        ("high", "polling", DAY),
        ("low", "between", DAY),
    ],
)
def test_critical_cases_of_polling_and_counting_are_due_in_an_hour(
    severity: str, phase: str, within: dt.timedelta
) -> None:
    assert classification.due_at(plain_case(severity=severity, phase=phase)) == NOW + within


def test_what_is_due_soonest_comes_first(cast: Cast) -> None:
    old = plain_case(reported_at=NOW - 20 * HOUR)
    new = plain_case(reported_at=NOW - HOUR)
    urgent = plain_case(reported_at=NOW - HOUR / 2, severity="critical", phase="polling")
    rows, more = classification.page(classification.waiting_for(cast.nec))
    assert names(rows) == [urgent.reference, old.reference, new.reference]
    assert more == ""
    assert [w.due_at for w in rows] == [classification.due_at(c) for c in (urgent, old, new)]


def test_pages_neither_skip_nor_repeat(cast: Cast) -> None:
    """Many cases of the very same moment, of both kinds."""
    made = {plain_case(reported_at=NOW - HOUR * (n // 4)).reference for n in range(12)}
    made |= {
        plain_case(reported_at=NOW - HOUR * (n // 4), severity="critical", phase="polling").reference for n in range(8)
    }
    seen: list[str] = []
    cursor = ""
    while True:
        rows, cursor = classification.page(classification.waiting_for(cast.nec), after=cursor, size=3)
        seen += names(rows)
        if not cursor:
            break
    assert len(seen) == 20
    assert set(seen) == made


@pytest.mark.parametrize("cursor", ["", "nonsense", "2027-05-25T08:00:00_x", "2027-05-25T08:00:00_", "_"])
def test_an_unreadable_cursor_starts_at_the_beginning(cast: Cast, cursor: str) -> None:
    plain_case()
    assert len(classification.page(classification.waiting_for(cast.nec), after=cursor)[0]) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"classification": "ordinary"},
        {"state": "withdrawn"},
        {"state": "not_an_incident"},
        {"is_sealed": True},
    ],
)
def test_what_does_not_wait_is_not_in_the_queue(cast: Cast, fields: dict[str, Any]) -> None:
    plain_case(**fields)
    assert not classification.waiting_for(cast.nec).exists()


def test_resolved_and_closed_cases_still_wait(cast: Cast) -> None:
    plain_case(state="resolved")
    plain_case(state="closed")
    assert classification.waiting_for(cast.nec).count() == 2


def test_the_integrity_desk_at_the_nec_sees_its_sealed_cases_and_nobody_elses(cast: Cast) -> None:
    plain_case()
    sealed = plain_case(is_sealed=True)
    rows, _more = classification.page(classification.waiting_for(cast.nec_integrity))
    assert names(rows) == [sealed.reference]


def test_late_is_past_its_own_due_time(cast: Cast) -> None:
    plain_case(reported_at=NOW - 23 * HOUR)
    late = plain_case(reported_at=NOW - 25 * HOUR)
    urgent = plain_case(reported_at=NOW - 2 * HOUR, severity="critical", phase="polling")
    found = classification.late(classification.waiting_for(cast.nec), NOW)
    assert set(found) == {late, urgent}


# ---- What was decided ----


def test_disagreement_with_the_police_stays_visible(cast: Cast) -> None:
    same = plain_case(classification="ordinary", proposed_classification="ordinary", classified_at=NOW)
    other = plain_case(classification="electoral", proposed_classification="ordinary", classified_at=NOW + HOUR)
    silent = plain_case(classification="hazard", classified_at=NOW - HOUR)
    assert list(classification.decided_for(cast.nec)) == [other, same, silent]
    assert list(classification.decided_for(cast.nec, disagreed=True)) == [other]


# ---- The rule: ordinary by nature, low, nobody of the election, seven days, no objection ----


def candidate(**fields: Any) -> Incident:
    return plain_case(**{"reported_at": NOW - 8 * DAY, **fields})


def test_an_ordinary_low_case_is_decided_after_seven_days() -> None:
    case = candidate()
    assert list(classification.candidates(RULE, NOW)) == [case]


@pytest.mark.parametrize(
    "fields",
    [
        {"reported_at": NOW - 6 * DAY},
        {"category_id": "INT-01"},
        {"category_id": "HAZ-01"},
        {"severity": "medium"},
        {"severity": "unrated"},
        {"target_type": "voter"},
        {"target_type": "election_site"},
        {"target_type": "observer"},
        {"actor_type": "police"},
        {"actor_type": "candidate"},
        {"stations_affected": 1},
        {"voters_affected": 3},
        {"minutes_stopped": 5},
        {"proposed_classification": "electoral"},
        {"proposed_classification": "hazard"},
        {"is_sealed": True},
        {"classification": "electoral"},
        {"state": "withdrawn"},
    ],
)
def test_anything_of_the_election_is_left_to_people(fields: dict[str, Any]) -> None:
    candidate(**fields)
    assert not classification.candidates(RULE, NOW).exists()


@pytest.mark.parametrize("fields", [{"target_type": "public"}, {"actor_type": "citizen"}, {"state": "closed"}])
def test_what_has_nothing_to_do_with_it_is_decided(fields: dict[str, Any]) -> None:
    candidate(**fields)
    assert classification.candidates(RULE, NOW).exists()


def test_a_locked_election_is_left_alone() -> None:
    case = candidate()
    case.election.is_locked = True
    case.election.save()
    assert not classification.candidates(RULE, NOW).exists()


def test_the_rule_is_stored_as_the_decider_and_runs_once(make_incident: Any) -> None:
    case = make_incident()
    young = make_incident(now=NOW + 3 * DAY)
    later = NOW + 8 * DAY
    assert classification.apply_rules(later) == 1
    case.refresh_from_db()
    young.refresh_from_db()
    assert case.classification == Classification.ORDINARY
    assert young.classification == Classification.UNDETERMINED
    entry = Entry.objects.filter(incident=case, act=Act.CLASSIFY).get()
    assert entry.by is None
    assert entry.channel == Channel.ENGINE
    assert "ordinary-low-7d" in entry.reason + entry.note
    assert classification.apply_rules(later) == 0
