"""A phase begins: shorter targets hold from that moment, longer ones change nothing, whenever the tick runs."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from elections import calendar
from elections.choices import Basis, Phase
from elections.models import Election, PhaseWindow
from incidents import actions, referrals
from incidents.choices import Act, ClockKind
from incidents.escalation import audit_cases, engine, phases
from incidents.models import Clock, EngineRun, EngineState, Incident, ResponseTarget
from tests.cast import COMMUNE, NOW, PHNOM_PENH, TAKEO, Cast
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE, running, told

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
#: Silence day, 5 June 2027, and the midnight after it, when polling day begins.
SILENCE = dt.datetime(2027, 6, 5, tzinfo=PHNOM_PENH)
EVENING = SILENCE + 18 * HOUR
POLLING = SILENCE + DAY


def target(case: Incident, phase: str, severity: str = "") -> ResponseTarget:
    return ResponseTarget.objects.get(policy=case.policy, phase=phase, severity=severity or case.severity)


def test_a_rumour_has_two_hours_from_midnight_of_polling_day(cast: Cast, make_incident: Make) -> None:
    """S7 of domain 9."""
    case = make_incident(
        now=SILENCE + 19 * HOUR, category="INF-02", severity="high", narrative="A post says voting was moved to Monday."
    )
    assert running(case, "verify").deadline_at == SILENCE + 43 * HOUR
    engine.tick(SILENCE + 20 * HOUR)
    assert running(case, "verify").deadline_at == SILENCE + 43 * HOUR
    engine.tick(POLLING)
    clock = running(case, "verify")
    assert (clock.anchor_at, clock.target_minutes, clock.deadline_at) == (POLLING, 120, POLLING + 2 * HOUR)
    case.refresh_from_db()
    assert (case.phase, case.clock_phase) == (Phase.SILENCE, Phase.POLLING)
    entry = case.entries.get(act="retime")
    assert entry.before == {"clock_phase": "silence"}
    assert entry.after["clock_phase"] == "polling"
    assert entry.after["deadlines"]["verify"] == (POLLING + 2 * HOUR).astimezone(dt.UTC).isoformat()
    assert entry.version == case.version


@pytest.mark.parametrize("late", [dt.timedelta(0), MINUTE, HOUR, 3 * HOUR])
def test_when_the_tick_runs_makes_no_difference(cast: Cast, make_incident: Make, late: dt.timedelta) -> None:
    case = make_incident(now=SILENCE + 12 * HOUR, severity="low")
    actions.perform("acknowledge", case, by=cast.duty_commander, version=None, now=SILENCE + 13 * HOUR)
    engine.tick(SILENCE + 13 * HOUR)
    engine.tick(POLLING + late)
    clock = running(case, "first_update")
    new = target(case, "polling").first_update_minutes * MINUTE
    assert clock.deadline_at == min(
        POLLING + new, SILENCE + 12 * HOUR + target(case, "silence").first_update_minutes * MINUTE
    )


def test_what_was_due_before_fires_by_the_targets_of_then(cast: Cast, make_incident: Make) -> None:
    """The engine was away over midnight: who took over before it had the time of the day before."""
    case = make_incident(now=POLLING - 5 * HOUR, severity="low")
    engine.tick(POLLING - 5 * HOUR)
    engine.tick(POLLING + 8 * HOUR)
    first = case.escalations.exclude(kind="warning").order_by("pk").first()
    assert first is not None
    before = target(case, "silence").acknowledge_minutes * MINUTE
    after = target(case, "polling").acknowledge_minutes * MINUTE
    assert first.due_at == min(POLLING - 5 * HOUR + before, POLLING + after)


def test_a_phase_with_longer_targets_leaves_running_deadlines_alone(cast: Cast, make_incident: Make) -> None:
    polls = PhaseWindow.objects.filter(election__code="CC27", phase=Phase.POLLING, jurisdiction=None).get()
    case = make_incident(now=polls.ends_at - HOUR, severity="medium")
    actions.perform("acknowledge", case, by=cast.duty_commander, version=None, now=polls.ends_at - HOUR)
    engine.tick(polls.ends_at - HOUR + MINUTE)
    deadline = running(case, "contain").deadline_at
    engine.tick(polls.ends_at + MINUTE)
    case.refresh_from_db()
    assert case.clock_phase == calendar.phase_at(case.election, polls.ends_at + MINUTE)
    assert running(case, "contain").deadline_at == deadline


def test_a_re_poll_in_one_province_times_its_cases_alone(cast: Cast, make_incident: Make) -> None:
    election = Election.objects.get(code="CC27")
    polls = SILENCE + 60 * DAY
    PhaseWindow.objects.create(
        election=election, phase=Phase.POLLING, jurisdiction_id=TAKEO, starts_at=polls, ends_at=polls + DAY,
        basis=Basis.ILLUSTRATIVE,
    )  # fmt: skip
    here = make_incident(now=polls - 5 * HOUR, severity="low")
    there = make_incident(now=polls - 5 * HOUR, severity="low", by=cast.demo_officer, place="KH990101")
    engine.tick(polls - 5 * HOUR)
    engine.tick(polls)
    here.refresh_from_db()
    there.refresh_from_db()
    assert here.clock_phase == Phase.POLLING
    assert there.clock_phase == there.phase != Phase.POLLING


def test_the_next_change_is_known_so_that_ticks_in_between_do_not_ask(cast: Cast, make_incident: Make) -> None:
    make_incident(now=EVENING - 90 * MINUTE, severity="medium")
    engine.tick(EVENING - 90 * MINUTE)
    assert EngineState.objects.get().next_phase_at == EVENING - 30 * MINUTE
    engine.tick(EVENING - 30 * MINUTE)
    # Looked for every hour, and exactly then.
    assert EngineState.objects.get().next_phase_at == EVENING


def test_the_silence_rules_shorten_the_wait_of_a_medium_case(cast: Cast, make_incident: Make) -> None:
    early = make_incident(now=EVENING - MINUTE, severity="medium")
    assert running(early, "acknowledge").target_minutes > 30
    engine.tick(EVENING - MINUTE)
    engine.tick(EVENING + MINUTE)
    assert running(early, "acknowledge").deadline_at == EVENING + 30 * MINUTE
    late = make_incident(now=EVENING + MINUTE, severity="medium")
    assert running(late, "acknowledge").target_minutes == 30
    engine.tick(EVENING + 31 * MINUTE)
    early.refresh_from_db()
    assert early.owner == cast.command("provincial")
    assert running(early, "acknowledge").target_minutes == 30


@pytest.mark.parametrize(
    ("at", "kinds"), [(EVENING - MINUTE, []), (EVENING, ["informed"]), (POLLING + HOUR, ["informed"])]
)
def test_a_high_case_tells_the_province_at_once_in_the_tight_time_alone(
    cast: Cast, make_incident: Make, at: dt.datetime, kinds: list[str]
) -> None:
    """S3 of domain 9."""
    case = make_incident(now=at, severity="high")
    assert case.owner == cast.command("duty_commander")
    assert told(case, cast.provincial) == kinds


def test_the_tight_time_is_from_the_evening_of_the_silence_day_to_the_end_of_the_counting() -> None:
    election = Election.objects.get(code="CC27")
    (start, end), *more = calendar.tight_spans(election, 18, COMMUNE)
    assert start == EVENING
    counting = [w.ends_at for w in election.windows if w.phase in (Phase.POLLING, Phase.COUNTING)]
    assert end == max(counting)
    assert more == []
    assert calendar.is_tight(election, EVENING, 18)
    assert not calendar.is_tight(election, EVENING - MINUTE, 18)
    assert not calendar.is_tight(election, end, 18)


def test_a_place_that_votes_a_day_earlier_has_the_tight_time_of_its_own_calendar(
    cast: Cast, make_incident: Make
) -> None:
    """The night before the country's tight time begins it runs there already: who is in it has what it gave."""
    election = Election.objects.get(code="CC27")
    PhaseWindow.objects.create(
        election=election, phase=Phase.POLLING, jurisdiction_id=TAKEO, starts_at=SILENCE, ends_at=POLLING + DAY,
        basis=Basis.ILLUSTRATIVE,
    )  # fmt: skip
    here = make_incident(now=SILENCE + 17 * HOUR, severity="medium")
    there = make_incident(now=SILENCE + 17 * HOUR, severity="medium", by=cast.demo_officer, place="KH990101")
    # Both have ten hours, by a policy that gives so much: here in a tight time that has run since yesterday evening.
    waiting = Clock.objects.filter(kind="acknowledge")
    waiting.update(target_minutes=600, deadline_at=SILENCE + 27 * HOUR, fires_at=SILENCE + 27 * HOUR)
    now = EVENING + MINUTE
    looked = phases.pass_to(now, now, EngineRun(started_at=now), time.monotonic() + 2)
    # All was timed at once: nothing is left that the pass finds again and again until its time is over.
    assert looked == phases.Passed(now + phases.LOOK_AGAIN, is_cut_off=False)
    assert running(there, "acknowledge").deadline_at == EVENING + 30 * MINUTE
    assert running(here, "acknowledge").deadline_at == SILENCE + 27 * HOUR


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The time of every tick is over as soon as a pass begins, and a pass times one case after the other."""
    seconds, begin = [0.0], phases.pass_to

    def slow(*given: Any) -> phases.Passed:
        seconds[0] += 1e9
        return begin(*given)

    watch = SimpleNamespace(monotonic=lambda: seconds[0])
    monkeypatch.setattr(engine, "time", watch)
    monkeypatch.setattr(phases, "time", watch)
    monkeypatch.setattr(phases, "pass_to", slow)
    monkeypatch.setattr(phases, "BATCH", {"postgresql": 1, "sqlite": 1})
    return monkeypatch


def moved(case: Incident) -> list[dt.datetime]:
    """When the steps that moved a case on were due, in the order in which they fired."""
    found = case.escalations.filter(kind__in=["owner_moved", "passed"]).order_by("pk")
    return list(found.values_list("due_at", flat=True))


def test_a_pass_that_runs_out_of_time_goes_on_before_anything_later_fires(
    cast: Cast, make_incident: Make, no_time: pytest.MonkeyPatch
) -> None:
    cases = [make_incident(now=POLLING - HOUR, severity="low") for _ in range(3)]
    before = POLLING - HOUR + target(cases[0], "silence").acknowledge_minutes * MINUTE
    after = POLLING + target(cases[0], "polling").acknowledge_minutes * MINUTE
    assert after < before
    EngineState.objects.update_or_create(
        pk=1, defaults={"last_ok_at": POLLING - HOUR, "last_now": POLLING - HOUR, "next_phase_at": POLLING}
    )
    late = before + HOUR
    for timed in (1, 2):
        engine.tick(late, "web")
        assert EngineState.objects.get().next_phase_at == POLLING
        # Each tick gets further by a case, however little time it has.
        assert Incident.objects.filter(clock_phase=Phase.POLLING).count() == timed
        assert not any(moved(case) for case in cases)
    engine.tick(late, "web")
    assert [moved(case)[0] for case in cases] == [after] * 3


def test_a_whole_pass_that_took_all_the_time_lets_the_same_tick_fire(
    cast: Cast, make_incident: Make, no_time: pytest.MonkeyPatch
) -> None:
    """A page does the engine's round on a machine so slow that the pass alone takes longer than the page may wait."""
    case = make_incident(severity="low")
    run = engine.tick(NOW + 30 * HOUR, "web")
    assert run.fired
    assert moved(case)
    assert EngineState.objects.get().next_phase_at == NOW + 30 * HOUR + phases.LOOK_AGAIN


def test_a_look_between_the_phases_that_is_not_whole_holds_back_nothing(
    cast: Cast, make_incident: Make, no_time: pytest.MonkeyPatch
) -> None:
    """Somebody put a phase into the calendar an hour ago: there is more to time anew than a tick has time for."""
    cases = [make_incident(severity="low") for _ in range(3)]
    engine.tick(NOW, "web")
    PhaseWindow.objects.create(
        election=Election.objects.get(code="CC27"), phase=Phase.POLLING, jurisdiction_id=TAKEO,
        starts_at=NOW - HOUR, ends_at=NOW + 9 * DAY, basis=Basis.ILLUSTRATIVE,
    )  # fmt: skip
    late = NOW + 30 * HOUR
    run = engine.tick(late, "web")
    assert EngineState.objects.get().next_phase_at == late + phases.SOON
    assert run.fired
    assert all(moved(case) for case in cases)
    for number in (1, 2, 3):
        engine.tick(late + number * phases.SOON, "web")
    assert set(Incident.objects.values_list("clock_phase", flat=True)) == {Phase.POLLING}


def test_of_many_phases_that_began_meanwhile_a_slow_tick_passes_one_at_least(
    cast: Cast, make_incident: Make, no_time: pytest.MonkeyPatch
) -> None:
    case = make_incident(now=SILENCE - 2 * DAY, severity="low")
    EngineState.objects.update_or_create(
        pk=1, defaults={"last_ok_at": SILENCE - DAY, "last_now": SILENCE - DAY, "next_phase_at": SILENCE}
    )
    turns = phases.moments_between(SILENCE, POLLING + HOUR)
    assert len(turns) > 2
    seen = []
    for _ in turns:
        engine.tick(POLLING + HOUR, "web")
        seen.append(EngineState.objects.get().next_phase_at)
    assert seen[:-1] == turns[1:]
    case.refresh_from_db()
    assert case.clock_phase == Phase.POLLING
    assert moved(case)


def test_a_fault_of_the_calendar_stops_no_escalation(
    cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_incident(now=POLLING - 13 * HOUR, severity="low")

    def broken(*_args: Any) -> None:
        raise ZeroDivisionError("a window nobody expected")

    with monkeypatch.context() as patched:
        patched.setattr(phases, "pass_to", broken)
        run = engine.tick(POLLING + MINUTE, "celery")
    assert "a window nobody expected" in run.error
    assert case.escalations.exists()
    # And it is tried again.
    engine.tick(POLLING + 2 * MINUTE, "celery")
    case.refresh_from_db()
    assert case.clock_phase == Phase.POLLING


def test_a_case_reported_in_the_phase_is_left_as_it_is(cast: Cast, make_incident: Make) -> None:
    case = make_incident(now=POLLING + HOUR)
    engine.tick(POLLING + HOUR + MINUTE)
    case.refresh_from_db()
    assert (case.version, case.clock_phase) == (1, Phase.POLLING)
    assert not case.entries.filter(act=Act.RETIME).exists()


def test_now_is_a_quiet_morning_of_the_campaign() -> None:
    assert calendar.phase_at(Election.objects.get(code="CC27"), NOW) == Phase.CAMPAIGN


def test_a_phase_puts_no_legal_deadline_before_the_owners_own(cast: Cast, make_incident: Make) -> None:
    case = make_incident(
        now=SILENCE + 19 * HOUR, category="INF-02", severity="high", narrative="A post says voting was moved to Monday."
    )
    asked = SILENCE + 20 * HOUR
    referrals.refer(case, by=cast.nec, body="cec", sent_at=SILENCE - 10 * DAY, version=None, now=asked)
    engine.tick(POLLING)
    case.refresh_from_db()
    assert case.clock_phase == Phase.POLLING
    assert case.next_due_kind != ClockKind.LEGAL
    assert not list(audit_cases.wrong_deadline(POLLING))
