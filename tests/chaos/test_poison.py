"""One bad row: it is found, kept apart and told of; all else fires on time, and the mended row then fires once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from incidents.choices import ClockKind
from incidents.escalation import engine
from incidents.models import Clock, ClockState, EngineRun, Escalation, EscalationKind, Incident, Quarantine
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
    assert not Escalation.objects.filter(incident__in=cases).exists()
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


def test_a_step_that_is_in_the_records_already_does_not_stop_the_engine_for_ever(
    stage: Stage, report_counts: Report
) -> None:
    stage.seed(80)
    planted = []
    for clock in _oldest(ClockKind.FIRST_UPDATE):
        owner = clock.incident.owner
        planted.append(
            Escalation.objects.create(
                incident=clock.incident, clock=clock.kind, episode=clock.episode, step=clock.step,
                kind=EscalationKind.WARNING, from_command=owner, due_at=clock.fires_at, fired_at=timezone.now(),
            ).pk
        )  # fmt: skip
    connection.close()
    stage.start_engines(2)
    wait_until(lambda: not _due(), seconds=15, what="everything fires")
    stage.stop()
    clocks = Clock.objects.filter(incident__escalations__in=planted, kind=ClockKind.FIRST_UPDATE, episode=1)
    assert {c.state == ClockState.RUNNING and c.step == 0 for c in clocks} == {False}
    # What was planted has no entry; without it everything is accounted for.
    Escalation.objects.filter(pk__in=planted).delete()
    later = timezone.now() + dt.timedelta(minutes=3)
    report_counts("steps in the records already", stage.count(later))


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
