"""A batch fires whole and once: every row is there, a second tick adds nothing, one bad case keeps nobody back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents import journal, referrals, tallies
from incidents.choices import ClockKind
from incidents.escalation import audit_cases, batch, decide, engine
from incidents.models import (
    ClockState,
    Custody,
    EngineRun,
    EngineState,
    Entry,
    Escalation,
    Incident,
    Notice,
    Quarantine,
)
from incidents.timekeeping import start_clock
from tests.cast import NOW, Cast
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE, kept, running, told

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
#: The time a low case has to be acknowledged, and a moment after it.
DUE = NOW + 12 * HOUR
AFTER = DUE + MINUTE


def cases(make: Make, number: int = 5) -> list[Incident]:
    return [make(severity="low", narrative=f"Motorbike number {n} was taken.") for n in range(number)]


def rows() -> tuple[int, ...]:
    return tuple(m.objects.count() for m in (Escalation, Entry, Custody, Notice))


def test_every_row_of_a_move_is_written(cast: Cast, make_incident: Make) -> None:
    made = cases(make_incident)
    district, province = cast.command("duty_commander"), cast.command("provincial")
    run = engine.tick(AFTER)
    assert (run.claimed, run.fired, run.quarantined, run.error) == (5, 5, 0, "")
    assert run.max_late_seconds == 60
    for case in made:
        case.refresh_from_db()
        step = case.escalations.get()
        entry = case.entries.get(act="auto_escalate")
        custody = case.custodies.latest("pk")
        clock = running(case, "acknowledge")
        assert (case.owner, case.rung, case.highest_rung, case.is_accepted) == (province, 2, 2, False)
        assert (case.version, case.updated_at) == (2, AFTER)
        assert (step.due_at, step.fired_at, step.run_id) == (DUE, AFTER, run.pk)
        assert (step.from_command, step.to_command) == (district, province)
        assert entry.before == {"owner": district.pk}
        due = DUE.astimezone(dt.UTC).isoformat()
        assert entry.after == {"clock": "acknowledge", "due_at": due, "owner": province.pk}
        assert (entry.command, entry.version, entry.channel, entry.at) == (district, 2, "engine", AFTER)
        assert (custody.command, custody.from_command, custody.due_at) == (province, district, DUE)
        # Its own time runs from when it was due, not from when we looked.
        assert (clock.episode, clock.anchor_at) == (2, DUE)
        assert case.next_due_at == clock.deadline_at
        assert told(case, cast.provincial) == ["auto_escalate"]
        assert told(case, cast.duty_commander)[-1] == "moved_up"
    assert tallies.differences() == []


def test_the_journal_of_a_batch_can_be_sealed_and_proven(cast: Cast, make_incident: Make) -> None:
    cases(make_incident)
    engine.tick(NOW + 9 * HOUR)
    engine.tick(AFTER)
    assert journal.seal_backlog(AFTER + HOUR) == Entry.objects.count()
    assert journal.verify(AFTER + HOUR, backlog=HOUR).intact


def test_a_second_tick_of_the_same_moment_adds_nothing(cast: Cast, make_incident: Make) -> None:
    cases(make_incident)
    engine.tick(AFTER)
    before = rows()
    assert engine.tick(AFTER).fired == 0
    assert rows() == before


def test_the_number_of_queries_does_not_grow_with_the_cases(cast: Cast, make_incident: Make) -> None:
    counts = []
    for number in (2, 20):
        cases(make_incident, number)
        engine.tick(NOW)
        with CaptureQueriesContext(connection) as seen:
            engine.tick(AFTER, "celery")
        counts.append(len(seen))
        EngineState.objects.update(last_now=None, last_ok_at=None)
    assert counts[1] <= counts[0]


def test_a_limit_leaves_the_rest_to_the_next_tick_and_says_how_much(cast: Cast, make_incident: Make) -> None:
    cases(make_incident)
    assert engine.tick(AFTER, limit=2).claimed == 2
    # Counted only so far as a tick would do.
    assert EngineState.objects.get().backlog == 2
    assert engine.tick(AFTER).claimed == 3
    assert EngineState.objects.get().backlog == 0


def test_an_idle_tick_asks_three_queries_and_leaves_no_run(cast: Cast, make_incident: Make) -> None:
    cases(make_incident)
    engine.tick(NOW, "celery")
    assert not EngineRun.objects.exists()
    with CaptureQueriesContext(connection) as seen:
        engine.tick(NOW + MINUTE, "celery")
    assert len(seen) == 3
    assert not EngineRun.objects.exists()
    state = EngineState.objects.get()
    assert (state.last_ok_at, state.last_now, state.last_source) == (NOW + MINUTE, NOW + MINUTE, "celery")


def test_a_person_who_asks_is_answered_by_a_run_of_nothing(cast: Cast) -> None:
    run = engine.tick(NOW, "cli")
    assert EngineRun.objects.get() == run
    assert (run.claimed, run.finished_at) == (0, NOW)


# ---- A case that cannot be fired ----


def poisoned(monkeypatch: pytest.MonkeyPatch, case: Incident) -> None:
    add = batch.Written.add

    def refuse(self: Any, taken: Any, *rest: Any) -> None:
        if taken.key == case.pk.hex:
            raise ZeroDivisionError("a row nobody expected")
        add(self, taken, *rest)

    monkeypatch.setattr(batch.Written, "add", refuse)


def test_one_bad_case_is_kept_apart_and_the_rest_goes_on(
    cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cases(make_incident, 9)
    poisoned(monkeypatch, made[0])
    run = engine.tick(AFTER)
    assert (run.claimed, run.quarantined) == (8, 1)
    assert "a row nobody expected" in run.error
    assert kept(made[0]) == []
    assert all(len(kept(case)) == 1 for case in made[1:])
    kept_apart = Quarantine.objects.get()
    assert (kept_apart.clock.incident, kept_apart.next_try_at) == (made[0], AFTER + MINUTE)
    # Not before its pause is over, and then after a longer one.
    assert engine.tick(AFTER + MINUTE / 2).quarantined == 0
    assert engine.tick(AFTER + MINUTE).quarantined == 1
    kept_apart.refresh_from_db()
    assert (kept_apart.attempts, kept_apart.next_try_at) == (2, AFTER + 3 * MINUTE)


def test_what_was_mended_fires_at_its_next_try(
    cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = cases(make_incident, 1)[0]
    with monkeypatch.context() as broken:
        poisoned(broken, case)
        engine.tick(AFTER)
    engine.tick(AFTER + MINUTE)
    assert [row[0] for row in kept(case)] == ["owner_moved"]


def planted(case: Incident, **fields: Any) -> None:
    """A row of the step that is due, as if it had fired."""
    owner = case.owner
    Escalation.objects.create(
        incident=case, clock="acknowledge", episode=1, step=1, from_command=owner, due_at=DUE, fired_at=DUE, **fields
    )


def test_a_step_in_the_records_is_not_fired_twice_and_does_not_block_the_case(cast: Cast, make_incident: Make) -> None:
    first, other = cases(make_incident, 2)
    planted(first, kind="exhausted")
    run = engine.tick(AFTER)
    assert run.quarantined == 0
    assert not Quarantine.objects.exists()
    assert [row[0] for row in kept(first)] == ["exhausted"]
    assert [row[0] for row in kept(other)] == ["owner_moved"]
    assert running(first, "acknowledge").fires_at > AFTER
    first.refresh_from_db()
    assert first.next_due_at is not None


def test_a_move_in_the_records_that_never_happened_happens(cast: Cast, make_incident: Make) -> None:
    """Else the case would stay where it is, with nothing due any more."""
    case = cases(make_incident, 1)[0]
    planted(case, kind="owner_moved", to_command=cast.command("provincial"))
    engine.tick(AFTER)
    case.refresh_from_db()
    assert case.owner == cast.command("provincial")
    assert running(case, "acknowledge").anchor_at == DUE


def test_a_closed_case_is_left_alone(cast: Cast, make_incident: Make) -> None:
    case = cases(make_incident, 1)[0]
    Incident.objects.filter(pk=case.pk).update(state="closed", next_due_at=None, next_due_kind="")
    assert engine.tick(AFTER + 9 * DAY).claimed == 0


def test_a_fault_of_the_whole_tick_is_kept_and_raised(
    cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any) -> int:
        raise ZeroDivisionError("no calendar")

    monkeypatch.setattr(engine, "is_any_due", broken)
    with pytest.raises(ZeroDivisionError):
        engine.tick(AFTER)
    assert "no calendar" in EngineState.objects.get().last_error
    assert "no calendar" in EngineRun.objects.get().error


def test_clocks_that_ended_stay_ended(cast: Cast, make_incident: Make) -> None:
    case = cases(make_incident, 1)[0]
    engine.tick(AFTER)
    old = case.clocks.get(kind="acknowledge", episode=1)
    assert (old.state, old.stopped_at) == (ClockState.CANCELLED, AFTER)


# ---- Much at once ----


@pytest.mark.parametrize("number", [59, 130])
def test_a_case_with_more_steps_than_a_batch_plays_still_moves_in_the_same_tick(
    cast: Cast, make_incident: Make, number: int
) -> None:
    """Whoever owns a case may refer it, so how many deadlines it has must not decide whether it moves."""
    case = make_incident(severity="low")
    sent = DUE - 2 * DAY
    for about in range(1, number + 1):
        start_clock(case, ClockKind.LEGAL, 2 * 24 * 60, sent, NOW, about=about)
    engine.tick(AFTER)
    case.refresh_from_db()
    assert case.owner == cast.command("provincial")
    assert not Quarantine.objects.exists()
    assert case.escalations.filter(kind="owner_moved").count() == 1
    assert set(case.escalations.filter(clock="legal").values_list("about", flat=True)) == set(range(1, number + 1))
    before = rows()
    engine.tick(AFTER + MINUTE)
    assert rows() == before


def test_a_step_that_does_not_end_is_a_fault_of_its_own_clock_and_no_endless_round(
    cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, other = make_incident(severity="low"), make_incident(severity="low", narrative="A motorbike was taken.")
    fire = decide.Course.fire

    def still(course: decide.Course, clock: decide.Ticking, now: dt.datetime) -> decide.Happening | None:
        return None if clock.target_minutes == 1 else fire(course, clock, now)

    monkeypatch.setattr(decide.Course, "fire", still)
    bad = start_clock(case, ClockKind.LEGAL, 1, NOW, NOW, about=1)
    run = engine.tick(AFTER)
    assert "does not end" in run.error
    for moved in (case, other):
        moved.refresh_from_db()
        assert moved.owner == cast.command("provincial"), "the other deadlines go on, also of the same case"
    assert list(Quarantine.objects.values_list("clock", "attempts")) == [(bad.pk, 1)]
    engine.tick(AFTER + MINUTE)
    assert list(Quarantine.objects.values_list("clock", "attempts")) == [(bad.pk, 2)]


# ---- What a case shows as its next ----


def test_a_legal_deadline_long_past_stands_behind_what_the_owner_has_to_do(cast: Cast, make_incident: Make) -> None:
    """It is another body's to keep, and whoever owns the case says since when it runs."""
    case = make_incident(severity="low")
    case = referrals.refer(case, by=cast.duty_commander, body="cec", sent_at=NOW - 300 * DAY, version=None, now=NOW)
    assert (case.next_due_kind, case.next_due_at) == ("acknowledge", DUE)
    engine.tick(NOW + MINUTE)
    case.refresh_from_db()
    assert (case.next_due_kind, case.next_due_at) == ("acknowledge", DUE)
    assert not list(audit_cases.wrong_deadline(NOW + MINUTE))


def test_a_clock_that_lags_behind_its_record_is_put_right_beside_one_that_fails(
    cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are tried alone: a fault of one must not hide from the engine that the other only needs mending."""
    case = make_incident(severity="low")
    planted(case, kind="owner_moved", to_command=cast.command("provincial"))
    start_clock(case, ClockKind.LEGAL, 60, NOW, NOW, about=1)
    fire = decide.Course.fire

    def broken(course: decide.Course, clock: decide.Ticking, now: dt.datetime) -> decide.Happening | None:
        if clock.kind == ClockKind.LEGAL:
            raise RuntimeError("nobody can read it")
        return fire(course, clock, now)

    monkeypatch.setattr(decide.Course, "fire", broken)
    engine.tick(AFTER)
    case.refresh_from_db()
    assert case.owner == cast.command("provincial")
    assert list(Quarantine.objects.values_list("clock__kind", flat=True)) == [ClockKind.LEGAL]
