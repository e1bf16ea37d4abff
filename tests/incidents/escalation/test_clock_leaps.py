"""A clock that goes back fires nothing; one that leaps ahead waits for a person; an outage is neither."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from incidents.escalation import engine, hold, moment
from incidents.escalation.moment import Reading
from incidents.models import EngineRun, EngineState, Entry, Escalation, Incident, Outage
from tests.cast import NOW, Cast
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_are_too_many(settings: Any) -> None:
    settings.ENGINE_HOLD_CASES = 3


def cases(make: Make, number: int) -> list[Incident]:
    return [make(severity="low", narrative=f"Motorbike number {n} was taken.") for n in range(number)]


def at(now: dt.datetime, up: dt.timedelta, boot: str = "one") -> EngineRun:
    """A tick at which the clock says `now` on a machine up for so long."""
    return engine.tick(now, "celery", reading=Reading(now=now, boot=boot, uptime=up.total_seconds()))


def test_a_leap_that_would_move_many_waits_for_a_person(cast: Cast, make_incident: Make) -> None:
    cases(make_incident, 4)
    at(NOW + MINUTE, HOUR)
    at(NOW + DAY, HOUR + MINUTE)
    state = EngineState.objects.get()
    assert (state.held_at, state.held_count) == (NOW + DAY, 4)
    assert not Escalation.objects.exists()
    assert not Outage.objects.exists()
    # The engine runs: it waits for a person, not for a mechanic.
    assert state.last_ok_at == NOW + DAY


def test_what_is_due_beyond_doubt_fires_meanwhile(cast: Cast, make_incident: Make) -> None:
    cases(make_incident, 4)
    urgent = make_incident(severity="high")
    at(NOW + MINUTE, HOUR)
    at(NOW + DAY, HOUR + MINUTE)
    assert not Escalation.objects.exists()
    at(NOW + DAY + HOUR, 2 * HOUR)
    assert set(Escalation.objects.values_list("incident", flat=True)) == {urgent.pk}
    assert EngineState.objects.get().held_at == NOW + DAY


def test_released_by_a_person_it_fires_and_the_journal_says_who(cast: Cast, make_incident: Make) -> None:
    cases(make_incident, 4)
    at(NOW + MINUTE, HOUR)
    at(NOW + DAY, HOUR + MINUTE)
    entry = hold.release(cast.psc, NOW + DAY + MINUTE)
    assert (entry.by, entry.act, entry.after["cases"]) == (cast.psc, "engine", 4)
    at(NOW + DAY + 2 * MINUTE, HOUR + 3 * MINUTE)
    assert Escalation.objects.values("incident").distinct().count() == 4
    state = EngineState.objects.get()
    assert (state.held_at, state.held_count) == (None, 0)
    # What comes due later is held by the same leap no more.
    cases(make_incident, 4)
    at(NOW + 2 * DAY, HOUR + 3 * MINUTE + DAY)
    assert EngineState.objects.get().held_at is None


def test_only_the_psc_and_the_nec_release_and_only_what_is_held(cast: Cast, make_incident: Make) -> None:
    with pytest.raises(ValidationError):
        hold.release(cast.nec, NOW)
    cases(make_incident, 4)
    at(NOW + MINUTE, HOUR)
    at(NOW + DAY, HOUR + MINUTE)
    for name in ("officer", "provincial", "administrator", "auditor"):
        with pytest.raises(PermissionDenied):
            hold.release(getattr(cast, name), NOW)
    assert not Entry.objects.filter(act="engine").exists()
    assert EngineState.objects.get().held_at is not None


def test_a_clock_put_right_ends_the_hold_by_itself(cast: Cast, make_incident: Make) -> None:
    cases(make_incident, 4)
    at(NOW + MINUTE, HOUR)
    at(NOW + DAY, HOUR + MINUTE)
    at(NOW + 3 * MINUTE, HOUR + 2 * MINUTE)
    assert EngineState.objects.get().held_at is None
    assert not Escalation.objects.exists()


def test_a_leap_that_moves_few_is_believed(cast: Cast, make_incident: Make) -> None:
    cases(make_incident, 3)
    at(NOW + MINUTE, HOUR)
    assert at(NOW + DAY, HOUR + MINUTE).claimed == 3


def test_after_an_outage_everything_due_fires_at_once(cast: Cast, make_incident: Make) -> None:
    """The machine was up all the while: the time truly passed, and nobody may wait longer for it."""
    cases(make_incident, 4)
    at(NOW + MINUTE, HOUR)
    assert at(NOW + DAY, HOUR + DAY).claimed == 4
    assert EngineState.objects.get().held_at is None
    assert Outage.objects.count() == 1


def test_after_a_new_start_of_the_machine_the_clock_is_believed(cast: Cast, make_incident: Make) -> None:
    cases(make_incident, 4)
    at(NOW + MINUTE, HOUR)
    assert at(NOW + DAY, MINUTE, boot="two").claimed == 4


def test_a_hold_outlives_a_new_start(cast: Cast, make_incident: Make) -> None:
    cases(make_incident, 4)
    at(NOW + MINUTE, HOUR)
    at(NOW + DAY, HOUR + MINUTE)
    at(NOW + DAY + HOUR, MINUTE, boot="two")
    assert EngineState.objects.get().held_at == NOW + DAY
    assert not Escalation.objects.exists()


def test_a_clock_that_goes_back_fires_nothing_and_is_followed_from_then_on(cast: Cast, make_incident: Make) -> None:
    engine.tick(NOW + DAY, "celery")
    cases(make_incident, 1)
    run = engine.tick(NOW + 13 * HOUR, "celery")
    assert (run.claimed, "went back" in run.error) == (0, True)
    assert not Escalation.objects.exists()
    assert "went back" in EngineState.objects.get().last_error
    # An hour or a day without an engine would be worse than any clock.
    assert engine.tick(NOW + 13 * HOUR + MINUTE, "celery").claimed == 1
    assert EngineState.objects.get().last_error == ""


def test_two_workers_a_moment_apart_are_no_clock_going_back(cast: Cast, make_incident: Make) -> None:
    cases(make_incident, 1)
    engine.tick(NOW + 13 * HOUR, "celery")
    assert engine.tick(NOW + 13 * HOUR - dt.timedelta(seconds=3), "celery").error == ""


def test_the_clock_of_a_tick_is_the_databases(cast: Cast) -> None:
    reading = moment.read()
    assert reading.now.tzinfo is not None
    assert reading.boot
    assert moment.read().uptime >= reading.uptime
    run = engine.tick_now("celery")
    assert run.started_at >= reading.now
    assert EngineState.objects.get().last_boot == reading.boot
