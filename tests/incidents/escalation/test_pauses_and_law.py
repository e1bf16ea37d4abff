"""The end of a pause and a deadline by law, as the engine meets them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from incidents.choices import ClockKind
from incidents.escalation import engine
from incidents.models import Clock, ClockState, Incident
from incidents.timekeeping import pause_clocks, start_clock
from tests.cast import NOW, Cast
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE, kept, running, told

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db


def paused(make: Make) -> Incident:
    """A low case that stands still from the first to the fifth hour."""
    case = make(severity="low")
    pause_clocks(case, NOW + HOUR, NOW + 5 * HOUR)
    case.save(update_fields=["snoozed_until"])
    return case


@pytest.mark.parametrize("late", [0, 1, 30])
def test_after_a_pause_clocks_run_on_by_the_time_they_stood_however_late_the_tick(
    cast: Cast, make_incident: Make, late: int
) -> None:
    case = paused(make_incident)
    engine.tick(NOW + 5 * HOUR + late * MINUTE)
    clock = running(case, "acknowledge")
    assert (clock.anchor_at, clock.deadline_at) == (NOW + 4 * HOUR, NOW + 16 * HOUR)
    assert (clock.paused_at, clock.paused_seconds) == (None, 4 * 3600)
    case.refresh_from_db()
    assert case.snoozed_until is None
    assert case.next_due_at == clock.deadline_at
    assert kept(case) == [("resumed", 0, case.owner.code, "")]
    assert list(case.entries.order_by("pk").values_list("act", "version")) == [("report", 1), ("resume", 2)]
    assert told(case, cast.duty_commander) == ["report", "resume"]
    assert case.clocks.get(kind="snooze").state == ClockState.MET


def test_nothing_fires_while_it_stands(cast: Cast, make_incident: Make) -> None:
    case = paused(make_incident)
    engine.tick(NOW + 4 * HOUR)
    assert kept(case) == []


def test_what_is_due_after_a_pause_fires_in_the_same_late_tick(cast: Cast, make_incident: Make) -> None:
    case = paused(make_incident)
    engine.tick(NOW + 17 * HOUR)
    assert [row[0] for row in kept(case)] == ["resumed", "owner_moved"]


def test_a_legal_deadline_runs_while_the_case_is_resolved_and_moves_nothing(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="low")
    owner = case.owner
    start_clock(case, ClockKind.LEGAL, 2 * 24 * 60, NOW, NOW, about=7)
    Clock.objects.filter(incident=case).exclude(kind=ClockKind.LEGAL).update(state=ClockState.MET)
    Incident.objects.filter(pk=case.pk).update(state="resolved", next_due_at=None, next_due_kind="")
    engine.tick(NOW + 2 * DAY + MINUTE)
    case.refresh_from_db()
    assert (case.state, case.owner, case.next_due_at) == ("resolved", owner, None)
    assert [(row[0], row[3]) for row in kept(case)] == [("next_told", cast.command("provincial").code)]
    assert case.escalations.get().about == 7
    assert told(case, cast.provincial) == ["inform"]


def test_other_clocks_of_a_resolved_case_do_not_fire(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="low")
    Incident.objects.filter(pk=case.pk).update(state="resolved", next_due_at=None, next_due_kind="")
    assert engine.tick(NOW + 20 * DAY).claimed == 0


def test_a_rumour_nobody_verified_is_told_of_and_stays(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="INF-02", severity="low", narrative="A post says voting was moved to Monday.")
    Clock.objects.filter(incident=case).exclude(kind="verify").update(state=ClockState.MET)
    engine.tick(NOW + DAY)
    case.refresh_from_db()
    assert case.owner == cast.command("duty_commander")
    assert [row[0] for row in kept(case)] == ["next_told"]
