"""How late a step came when somebody timed its clock anew meanwhile; the timeline and the summary say the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from incidents import actions, rebasing
from incidents.choices import Act, ClockKind
from incidents.dashboards.handovers import Handovers, handovers_over
from incidents.dashboards.question import Period, Question
from incidents.escalation import engine, outage
from incidents.escalation.outage import Late
from incidents.models import Entry, Incident, LegalDeadline, Outage
from tests.cast import NOW, Cast
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE, running
from tests.incidents.policies.drafts import faster, published, with_target

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
TICK = MINUTE / 4


def do(act: Act, case: Incident, by: Any, now: dt.datetime, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def moved_to_faster(case: Incident, at: dt.datetime, times: int = 2) -> None:
    version = published(faster(times), now=at - TICK)
    rebasing.rebase(case, version, by=Cast().nec, reason="The new times hold for all.", version=None, now=at)


def raised(case: Incident, at: dt.datetime) -> None:
    do(Act.RAISE_SEVERITY, case, Cast().nec, at, severity="high", reason="There are weapons.")


def lowered(case: Incident, at: dt.datetime) -> None:
    do(Act.LOWER_SEVERITY, case, Cast().nec, at, severity="low", reason="It is small after all.")


def over(case: Incident, now: dt.datetime) -> Handovers:
    return handovers_over(Question(user=Cast().nec, now=now, period=Period(NOW - DAY, now + DAY)))


def late_of(case: Incident, now: dt.datetime) -> dict[Entry, Late]:
    """Late steps by their entries, after a look whether the summary says the same."""
    found = outage.late_steps(case.entries.all())
    summary, spans = over(case, now), [late.by for late in found.values()]
    explained = [late for late in found.values() if late.outage]
    assert (summary.late, sum(away.steps for away in summary.listed)) == (len(found), len(explained))
    assert summary.latest == (round(max(spans).total_seconds() / 60, 1) if spans else None)
    return {case.entries.get(pk=key): late for key, late in found.items()}


@pytest.mark.parametrize(
    ("act", "since"),
    [
        # Two hours for a medium case; the warning was due after ninety minutes, when the engine was away already.
        (None, 2 * HOUR),
        (lowered, 12 * HOUR),
        (raised, 90 * MINUTE),
        (moved_to_faster, 90 * MINUTE),
    ],
)
def test_what_waits_for_the_engine_waits_on_whatever_somebody_does(
    cast: Cast, make_incident: Make, act: Callable[[Incident, dt.datetime], None] | None, since: dt.timedelta
) -> None:
    """Half a minute before the engine is back the deadlines are set anew: it was late nevertheless, by the outage."""
    case, back = make_incident(severity="medium"), NOW + 30 * HOUR
    engine.tick(NOW + MINUTE, "celery")
    if act:
        act(case, back - 2 * TICK)
    engine.tick(back, "celery")
    late = late_of(case, back)
    (row,) = Outage.objects.all()
    first = next(e for e in late if e.before.get("owner") == cast.command("duty_commander").pk)
    assert late[first] == Late(30 * HOUR - since, row)
    assert {found.outage for found in late.values()} == {row}


def test_two_acts_forgive_as_little_as_one(cast: Cast, make_incident: Make) -> None:
    case, back = make_incident(severity="medium"), NOW + 30 * HOUR
    engine.tick(NOW + MINUTE, "celery")
    raised(case, back - 4 * TICK)
    moved_to_faster(case, back - 2 * TICK)
    engine.tick(back, "celery")
    assert max(late.by for late in late_of(case, back).values()) == 30 * HOUR - 90 * MINUTE


@pytest.mark.parametrize(("after", "late"), [(TICK, False), (20 * MINUTE, True)])
def test_nobody_was_late_before_a_deadline_was_put_into_the_past(
    cast: Cast, make_incident: Make, after: dt.timedelta, late: bool
) -> None:
    """The other policy puts deadlines into an outage that is over, of all commands on the way up; nothing waited."""
    case, asked = make_incident(severity="low"), NOW + 5 * HOUR
    engine.tick(NOW + MINUTE, "celery")
    engine.tick(asked - MINUTE, "celery")
    moved_to_faster(case, asked, times=12)
    engine.tick(asked + after, "celery")
    assert case.custodies.count() == 3
    found = late_of(case, asked + after)
    assert set(found.values()) == ({Late(after, Outage.objects.first())} if late else set())


def moved_up_in_time(make: Make, cast: Cast) -> Incident:
    """A case whose first update never came: it was told of and moved when that was due, and the clock is at its end."""
    case = make(severity="medium")
    do(Act.ACKNOWLEDGE, case, cast.duty_commander, NOW + MINUTE)
    for hour in (9, 12, 24):
        engine.tick(NOW + hour * HOUR, "celery")
    moved = case.escalations.get(clock=ClockKind.FIRST_UPDATE, kind="owner_moved")
    assert (moved.fired_at, late_of(case, moved.fired_at)) == (NOW + 24 * HOUR, {})
    return case


@pytest.mark.parametrize("has_other_policy", [False, True])
def test_what_had_fired_in_time_makes_nobody_late(cast: Cast, make_incident: Make, *, has_other_policy: bool) -> None:
    """Timed anew, a clock at its end fires its steps again, of moments long past."""
    case, act = moved_up_in_time(make_incident, cast), NOW + 24 * HOUR + 20 * MINUTE
    if has_other_policy:
        moved_to_faster(case, act - 2 * MINUTE)
    engine.tick(act - MINUTE, "celery")
    raised(case, act)
    engine.tick(act + TICK, "celery")
    again = case.escalations.filter(clock=ClockKind.FIRST_UPDATE, episode__gt=1, fired_at=act + TICK)
    assert again.filter(due_at__lt=NOW + 9 * HOUR).count() > 1
    assert late_of(case, act) == {}


def test_what_fires_again_waits_from_the_act_that_asked_for_it(cast: Cast, make_incident: Make) -> None:
    """The first of two acts sets steps into the past, the engine is away, and the second does not forgive that."""
    case, act = moved_up_in_time(make_incident, cast), NOW + 24 * HOUR + 20 * MINUTE
    engine.tick(act - MINUTE, "celery")
    raised(case, act)
    moved_to_faster(case, act + HOUR)
    engine.tick(act + HOUR + TICK, "celery")
    late = [found for entry, found in late_of(case, act).items() if entry.after["clock"] == ClockKind.FIRST_UPDATE]
    assert set(late) == {Late(HOUR + TICK, Outage.objects.first())}


def test_an_act_at_the_moment_of_the_tick_ended_no_clock_that_fired(cast: Cast, make_incident: Make) -> None:
    case, back = make_incident(severity="medium"), NOW + 30 * HOUR
    engine.tick(NOW + MINUTE, "celery")
    lowered(case, back)
    engine.tick(back, "celery")
    fired = case.escalations.filter(fired_at=back)
    assert sorted(found.by for found in late_of(case, back).values()) == sorted(back - step.due_at for step in fired)


def test_a_referral_sets_its_own_time_and_forgives_no_other(cast: Cast, make_incident: Make) -> None:
    """Papers sent two days ago are entered while the engine is away: late from then on, and the first from its day."""
    LegalDeadline.objects.update_or_create(body="cec", defaults={"minutes": 2880})
    case, back = make_incident(severity="low"), NOW + 3 * DAY
    do(Act.REFER, case, cast.duty_commander, NOW, body="cec", sent_at=NOW)
    engine.tick(NOW + MINUTE, "celery")
    do(Act.REFER, case, cast.duty_commander, back - HOUR, body="cec", sent_at=NOW - 4 * HOUR)
    engine.tick(back, "celery")
    (row,) = Outage.objects.all()
    late = [found for entry, found in late_of(case, back).items() if entry.after["clock"] == ClockKind.LEGAL]
    assert sorted(late, key=lambda found: found.by) == [Late(HOUR, row), Late(DAY, row)]


def test_updates_asked_for_from_the_last_one_are_late_from_then_on(cast: Cast, make_incident: Make) -> None:
    silent = published(with_target("campaign", "critical", update_every=None), now=NOW)
    case = make_incident(category="INT-01", severity="critical", now=NOW + MINUTE)
    do(Act.ACKNOWLEDGE, case, cast.provincial, NOW + 2 * MINUTE, not_concerned=True)
    do(Act.UPDATE, case, cast.provincial, NOW + 9 * MINUTE, note="A patrol is there.")
    asked, at = published(with_target("campaign", "critical", update_every=60), silent, now=NOW + HOUR), NOW + 5 * HOUR
    engine.tick(at - MINUTE, "celery")
    rebasing.rebase(case, asked, by=cast.nec, reason="We must know more.", version=None, now=at)
    assert running(case, ClockKind.UPDATE).deadline_at == NOW + 69 * MINUTE
    engine.tick(at + TICK, "celery")
    assert case.escalations.filter(clock=ClockKind.UPDATE, fired_at=at + TICK).exists()
    assert late_of(case, at) == {}


def test_an_act_that_left_the_clock_as_it_was_says_nothing_of_it(cast: Cast, make_incident: Make) -> None:
    """Further updates stay asked for as they were: other deadlines set anew do not excuse that nobody fired."""
    case, back = make_incident(category="INT-01", severity="critical"), NOW + 5 * HOUR
    do(Act.ACKNOWLEDGE, case, cast.provincial, NOW + 2 * MINUTE, not_concerned=True)
    do(Act.UPDATE, case, cast.provincial, NOW + 9 * MINUTE, note="A patrol is there.")
    engine.tick(NOW + 10 * MINUTE, "celery")
    version = published(with_target("campaign", "critical", contain=500), now=back - HOUR)
    rebasing.rebase(case, version, by=cast.nec, reason="The new times hold.", version=None, now=back - 2 * TICK)
    due = running(case, ClockKind.UPDATE).deadline_at
    engine.tick(back, "celery")
    (row,) = Outage.objects.all()
    late = [found for entry, found in late_of(case, back).items() if entry.after["clock"] == ClockKind.UPDATE]
    assert Late(back - due, row) in late
