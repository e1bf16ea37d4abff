"""A clock that starts after a phase began, before anybody timed its case anew, never counts from before it started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from commands.models import User
from elections.choices import Phase
from incidents import actions
from incidents.escalation import engine
from incidents.models import Incident
from tests.cast import Cast
from tests.incidents.escalation.test_phase_changes import POLLING, SILENCE, target
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE, running

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db


def do(act: str, case: Incident, by: User, now: Any, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def ended(cast: Cast, make_incident: Make, at: Any) -> Incident:
    case = make_incident(now=at, severity="medium")
    do("acknowledge", case, cast.duty_commander, at)
    do("contain", case, cast.duty_commander, at)
    return do("resolve", case, cast.duty_commander, at, outcome="settled", verification="verified")


def test_what_is_opened_again_has_the_time_of_the_phase_of_now(cast: Cast, make_incident: Make) -> None:
    case = ended(cast, make_incident, SILENCE - 10 * DAY)
    engine.tick(POLLING + 10 * HOUR)
    opened = POLLING + 10 * HOUR + MINUTE
    case = do("reopen", case, cast.provincial, opened, reason="They came back.")
    assert case.clock_phase == Phase.POLLING
    due = opened + target(case, "polling").contain_minutes * MINUTE
    assert running(case, "contain").deadline_at == due == case.next_due_at
    entry = case.entries.get(act="reopen")
    assert (entry.before["clock_phase"], entry.after["clock_phase"]) == ("campaign", "polling")
    engine.tick(POLLING + 12 * HOUR)
    assert running(case, "contain").deadline_at == due
    assert not case.escalations.exists()


def test_what_was_joined_and_is_not_any_more_has_it_too(cast: Cast, make_incident: Make) -> None:
    case = make_incident(now=SILENCE - 10 * DAY, severity="low")
    other = make_incident(now=SILENCE - 10 * DAY, severity="low", narrative="The same tent burnt, seen from the road.")
    do("merge", case, cast.duty_commander, SILENCE - 10 * DAY, survivor=other.pk, reason="The same tent.")
    parted = POLLING + 10 * HOUR
    case = do("unmerge", case, cast.duty_commander, parted, reason="Another tent after all.")
    due = parted + target(case, "polling").contain_minutes * MINUTE
    assert (case.clock_phase, running(case, "contain").deadline_at) == (Phase.POLLING, due)


def test_an_update_given_while_the_engine_was_away_over_midnight_is_not_late(cast: Cast, make_incident: Make) -> None:
    case = make_incident(now=POLLING - HOUR, severity="critical")
    do("acknowledge", case, cast.provincial, POLLING - HOUR)
    engine.tick(POLLING - HOUR)
    said = POLLING + 2 * HOUR
    do("update", case, cast.provincial, said, note="All teams are there.")
    before = running(case, "update").anchor_at
    engine.tick(said + MINUTE)
    clock = running(case, "update")
    every = target(case, "polling").update_every_minutes
    assert every is not None
    assert (clock.anchor_at, clock.deadline_at) == (before, before + every * MINUTE)
    assert not case.escalations.filter(clock="update", due_at__lt=before).exists()
