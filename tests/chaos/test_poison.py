"""One bad row: it is found, kept apart and told of; all else fires on time, and the mended row then fires once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from commands.choices import BodyKind
from incidents.choices import ClockKind
from incidents.escalation import engine
from incidents.models import Clock, ClockState, EngineRun, Escalation, EscalationKind, Incident, Quarantine
from tests.cast import command_at
from tests.chaos.counts import Counts
from tests.chaos.stage import Stage, wait_until

Report = Callable[[str, Counts], None]
BAD = 3


def _oldest(kind: str = ClockKind.ACKNOWLEDGE) -> list[Clock]:
    """The clocks every tick comes to first."""
    return list(Clock.objects.filter(kind=kind, state=ClockState.RUNNING).order_by("fires_at", "id")[:BAD])


def _due() -> int:
    return engine.due_clocks(timezone.now()).count()


def test_rows_that_cannot_be_fired_stop_nobody_and_fire_once_when_mended(stage: Stage, report_counts: Report) -> None:
    stage.seed(80)
    poisoned = [clock.pk for clock in _oldest()]
    # No policy has steps for such a clock.
    Clock.objects.filter(pk__in=poisoned).update(kind="poison")
    connection.close()
    stage.start_engines(2)
    wait_until(lambda: not _due(), seconds=15, what="everything else fires")
    assert set(Quarantine.objects.values_list("clock", flat=True)) >= set(poisoned)
    assert EngineRun.objects.filter(quarantined__gt=0).exclude(error="").exists()
    cases = set(Clock.objects.filter(pk__in=poisoned).values_list("incident", flat=True))
    assert not Escalation.objects.filter(incident__in=cases, clock="poison").exists()
    held = set(Quarantine.objects.values_list("clock__incident", flat=True))
    assert held == cases, "healthy cases are in quarantine with the bad ones"
    Clock.objects.filter(pk__in=poisoned).update(kind=ClockKind.ACKNOWLEDGE)
    stage.stop()
    later = timezone.now() + dt.timedelta(minutes=3)
    counts = stage.count(later)
    report_counts("poison rows", counts)
    moved = Escalation.objects.filter(incident__in=cases, clock=ClockKind.ACKNOWLEDGE, episode=1, part=0)
    moved = moved.filter(kind__in=(EscalationKind.OWNER_MOVED, EscalationKind.PASSED))
    assert sorted(moved.values_list("incident", flat=True)) == sorted(cases)


@pytest.mark.parametrize(
    ("kind", "step", "said"),
    [(ClockKind.CONTAIN, 0, EscalationKind.WARNING), (ClockKind.FIRST_UPDATE, 1, EscalationKind.NEXT_TOLD)],
    ids=["the next step", "the step after a warning that is late"],
)
def test_a_step_that_is_in_the_records_already_does_not_stop_the_engine_for_ever(
    stage: Stage, report_counts: Report, kind: ClockKind, step: int, said: EscalationKind
) -> None:
    stage.seed(80, spread=dt.timedelta(minutes=3.5))
    planted = []
    # By a command with nobody, so that nobody had to be told.
    owner = command_at(BodyKind.DISTRICT, "KH2001")
    for clock in _oldest(kind):
        planted.append(
            Escalation.objects.create(
                incident=clock.incident, clock=kind, episode=clock.episode, step=step, kind=said, from_command=owner,
                due_at=clock.fires_at, fired_at=timezone.now(),
            ).pk
        )  # fmt: skip
    connection.close()
    stage.start_engines(2)
    wait_until(lambda: not _due(), seconds=15, what="everything fires")
    stage.stop()
    clocks = Clock.objects.filter(incident__escalations__in=planted, kind=kind, episode=1)
    assert {c.state == ClockState.RUNNING and c.step <= step for c in clocks} == {False}
    assert not Quarantine.objects.exists(), "what fired already is put right, not tried again for ever"
    for row in Escalation.objects.filter(pk__in=planted):
        same = Escalation.objects.filter(
            incident=row.incident_id, clock=row.clock, episode=row.episode, step=row.step, part=0
        )
        assert same.count() == 1, "what was in the records fired again"
    counts = stage.count(timezone.now() + dt.timedelta(minutes=3))
    # What was planted has no entry, and is the only thing that has none.
    without = [problem for problem in counts.problems if problem.startswith("missed: 0 entries for 1 rows")]
    assert len(without) == BAD
    counts.problems = [problem for problem in counts.problems if problem not in without]
    counts.missed -= BAD
    report_counts(f"{kind} step {step} in the records already", counts)


@pytest.mark.parametrize("state", ["closed", "resolved", "withdrawn", "merged", "not_an_incident"])
def test_a_clock_left_running_on_an_ended_case_moves_nobody(stage: Stage, state: str) -> None:
    """Nothing writes this; if it were there, the count would name it and the engine leave it alone."""
    key, other = stage.seed(6)[:2]
    survivor = other if state == "merged" else None
    Incident.objects.filter(pk=key).update(state=state, merged_into=survivor, next_due_at=None, next_due_kind="")
    before = Escalation.objects.filter(incident=key).count()
    engine.tick(timezone.now() + dt.timedelta(hours=1), "chaos")
    assert Escalation.objects.filter(incident=key).count() == before
    assert stage.count(timezone.now() + dt.timedelta(hours=1)).orphans >= 1
