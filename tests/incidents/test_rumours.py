"""Hearsay has a time by which somebody finds out whether it is true. Only a person says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from commands.models import User
from incidents import actions
from incidents.choices import Act, ClockKind
from incidents.escalation import engine
from incidents.models import Clock, ClockState, Incident, Policy, ResponseTarget
from incidents.policies import forget
from tests.cast import COMMUNE, DEMO_COMMUNE, NOW, PHNOM_PENH, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def do(act: Act, case: Incident, by: User, now: dt.datetime = NOW, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def clock(case: Incident) -> Clock | None:
    return case.clocks.filter(kind=ClockKind.VERIFY).order_by("episode").last()


def rumour(make: Make, **fields: Any) -> Incident:
    return make(**{"category": "INF-02", "narrative": "A post says voting was moved to Monday.", **fields})


def test_word_about_voting_is_to_be_verified_within_a_day_and_within_two_hours_on_polling_day(
    cast: Cast, make_incident: Make
) -> None:
    quiet = clock(rumour(make_incident))
    polls = dt.datetime(2027, 6, 6, 9, 0, tzinfo=PHNOM_PENH)
    busy = clock(rumour(make_incident, now=polls))
    assert quiet is not None
    assert busy is not None
    assert (quiet.anchor_at, quiet.deadline_at) == (NOW, NOW + DAY)
    assert (busy.anchor_at, busy.deadline_at) == (polls, polls + dt.timedelta(hours=2))


def test_so_is_what_a_liaison_tells_and_not_what_an_officer_saw(cast: Cast, make_incident: Make) -> None:
    told = make_incident(by=cast.demo_liaison, place=DEMO_COMMUNE)
    assert clock(told) is not None
    assert clock(make_incident(channel="liaison")) is not None
    assert clock(make_incident()) is None


@pytest.mark.parametrize("verification", ["verified", "refuted", "unverifiable"])
def test_a_person_settles_it(cast: Cast, make_incident: Make, verification: str) -> None:
    case = do(Act.VERIFY, rumour(make_incident), cast.nec, NOW + DAY / 2, verification=verification)
    found = clock(case)
    assert found is not None
    assert (found.state, found.stopped_at) == (ClockState.MET, NOW + DAY / 2)


def test_partly_corroborated_is_not_settled(cast: Cast, make_incident: Make) -> None:
    case = do(Act.VERIFY, rumour(make_incident), cast.provincial, verification="partially_corroborated")
    found = clock(case)
    assert found is not None
    assert (found.state, found.episode) == (ClockState.RUNNING, 1)


def test_taken_back_the_time_runs_anew(cast: Cast, make_incident: Make) -> None:
    case = do(Act.VERIFY, rumour(make_incident), cast.provincial, verification="verified")
    case = do(Act.VERIFY, case, cast.provincial, NOW + DAY, verification="unverified")
    found = clock(case)
    assert found is not None
    assert (found.state, found.episode, found.anchor_at) == (ClockState.RUNNING, 2, NOW + DAY)


def test_time_alone_never_settles_it(cast: Cast, make_incident: Make) -> None:
    case = rumour(make_incident)
    for days in range(1, 30):
        engine.tick(NOW + days * DAY, "test")
    case.refresh_from_db()
    assert case.verification == "unverified"
    assert not case.entries.filter(after__has_key="verification").exists()


def test_corrected_to_a_rumour_the_time_runs_and_corrected_from_one_it_does_not(
    cast: Cast, make_incident: Make
) -> None:
    case = make_incident(category="UNK-00", place=COMMUNE)
    assert clock(case) is None
    case = do(Act.CORRECT, case, cast.duty_commander, fields={"category": "INF-02"}, reason="It is a rumour.")
    found = clock(case)
    assert found is not None
    assert found.state == ClockState.RUNNING
    case = do(Act.CORRECT, case, cast.duty_commander, fields={"category": "CAM-02"}, reason="It is a torn poster.")
    found = clock(case)
    assert found is not None
    assert found.state == ClockState.CANCELLED


def test_the_minutes_are_those_of_the_policy(cast: Cast, make_incident: Make) -> None:
    newest = Policy.objects.filter(published_at__isnull=False, election=None).order_by("-number")[0]
    targets = list(ResponseTarget.objects.filter(policy=newest))
    steps = list(newest.steps.all())
    newest.pk, newest.number, newest.published_at = None, newest.number + 1, None
    newest.save()
    for target in targets:
        target.pk, target.policy, target.verify_minutes = None, newest, 77
        target.save()
    for step in steps:
        step.pk, step.policy = None, newest
        step.save()
    Policy.objects.filter(pk=newest.pk).update(published_at=NOW - DAY)
    forget()
    found = clock(rumour(make_incident))
    assert found is not None
    assert found.target_minutes == 77
