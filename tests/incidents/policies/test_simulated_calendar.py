"""A simulated case goes through the phases of the calendar and rings at the top as the engine lets a real one."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from elections import calendar
from elections.choices import Basis, Phase
from elections.models import Election, PhaseWindow
from incidents import actions
from incidents.escalation import engine
from incidents.escalation.decide import Level
from incidents.escalation.replay import Ladders, made_up_in, opening, past
from incidents.escalation.simulate import Case, Response, Result, generated, run
from incidents.models import EscalationKind, Incident
from incidents.policies import rules_for, rules_of
from tests.cast import NOW, TAKEO, Cast
from tests.incidents.escalation.test_phase_changes import POLLING, SILENCE
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE, leave_empty
from tests.incidents.policies.drafts import election, general

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db


def ticked(first: dt.datetime, last: dt.datetime, step: dt.timedelta = 5 * MINUTE) -> None:
    at = first
    while at <= last:
        engine.tick(at)
        at += step


def by_engine(case: Incident) -> Counter[str]:
    """The steps that fired, without what only named whom it left out."""
    rows = case.escalations.filter(part=0).exclude(clock="")
    return Counter(rows.values_list("kind", flat=True))


def played(case: Incident, until: dt.datetime) -> Result:
    return run(past(Incident.objects.filter(pk=case.pk), Ladders(until)), rules_for(case))


def same(case: Incident, until: dt.datetime) -> Result:
    found = played(case, until)
    real = by_engine(case)
    assert found.exhausted + found.repeats == real.pop("exhausted", 0)
    assert {str(kind): count for kind, count in found.steps.items() if kind != EscalationKind.EXHAUSTED} == real
    return found


@pytest.mark.parametrize("severity", ["low", "medium", "high"])
def test_a_case_of_the_evening_before_is_hurried_by_polling_day(cast: Cast, make_incident: Make, severity: str) -> None:
    """Nobody acts: through the tight hours, midnight and the day the play does what the engine did."""
    begun, end = POLLING - 7 * HOUR, POLLING + 3 * HOUR
    case = make_incident(now=begun, severity=severity)
    ticked(begun, end)
    assert same(case, end).moved == 1


def test_who_took_it_up_before_has_the_times_of_the_new_phase(cast: Cast, make_incident: Make) -> None:
    begun, end = POLLING - 2 * HOUR, POLLING + 9 * HOUR
    case = make_incident(now=begun, severity="low")
    actions.perform("acknowledge", case, by=cast.duty_commander, version=None, now=begun + HOUR)
    ticked(begun + HOUR, end)
    case.refresh_from_db()
    moved = same(case, end)
    [row] = past(Incident.objects.all(), Ladders(end))
    assert run([replace(row, election=None)], rules_for(case)).fired < moved.fired


def test_a_place_with_a_calendar_of_its_own_goes_by_that(cast: Cast, make_incident: Make) -> None:
    PhaseWindow.objects.create(
        election=Election.objects.get(code="CC27"), phase=Phase.POLLING, jurisdiction_id=TAKEO,
        starts_at=SILENCE + 60 * DAY, ends_at=SILENCE + 61 * DAY, basis=Basis.ILLUSTRATIVE,
    )  # fmt: skip
    begun, end = SILENCE + 60 * DAY - 3 * HOUR, SILENCE + 60 * DAY + 3 * HOUR
    here = make_incident(now=begun, severity="low")
    there = make_incident(now=begun, severity="low", by=cast.demo_officer, place="KH990101")
    ticked(begun, end)
    assert same(here, end).moved == 1
    assert same(there, end).moved == 0


def test_an_alarm_at_the_top_is_counted_as_often_as_it_rings(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="high")
    leave_empty(cast.command("provincial"), cast.command("psc"))
    end = NOW + 9 * HOUR + MINUTE
    ticked(NOW, end)
    found = same(case, end)
    assert found.repeats > 5
    # And stops when somebody comes.
    actions.perform("acknowledge", case, by=cast.duty_commander, version=None, now=end + MINUTE)
    before = by_engine(case)["exhausted"]
    assert played(case, end + 2 * MINUTE).repeats + found.exhausted == before


def test_repeats_are_counted_without_being_played() -> None:
    """A month of an alarm every hour, in the figures and in no load of a command."""
    alone = (Level(1, 1),)
    silent = Case(at=NOW, hour=8, phase="campaign", severity="high", levels=alone, response=Response(takes=(None,)))
    found = run([silent], rules_of(general()))
    assert found.repeats > 2 * 24 * 29
    assert sum(found.load.values()) < 20


def test_made_up_cases_come_in_when_their_phase_begins(cast: Cast) -> None:
    ladders, of = Ladders(NOW), election()
    start = opening(of, Phase.POLLING, NOW)
    assert start == POLLING + 7 * HOUR
    evening = generated(ladders.of_districts(), count=60, hours=30, seed=3, **made_up_in(of, Phase.SILENCE, ladders))
    assert {case.phase for case in evening} == {Phase.SILENCE, Phase.POLLING}
    assert all(case.phase == calendar.phase_at(of, case.at, case.place) for case in evening)
    assert all(case.levels == ladders.of(case.place) for case in evening)
    # Where the calendar has no such phase they come today, and it lasts.
    nowhere: dict[str, Any] = made_up_in(of, Phase.BETWEEN, ladders)
    assert (nowhere["start"], "election" in nowhere) == (NOW.replace(hour=7), False)
