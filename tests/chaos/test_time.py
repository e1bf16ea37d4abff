"""The beat pauses for hours, the clock leaps ahead and goes back: cases are where they belong, nobody is stormed."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from incidents.escalation import engine, hold
from incidents.models import (
    Clock,
    ClockState,
    Custody,
    EngineRun,
    EngineState,
    Escalation,
    EscalationKind,
    Incident,
    Notice,
)
from tests.cast import Cast
from tests.chaos.counts import Counts
from tests.chaos.stage import Stage

Report = Callable[[str, Counts], None]
AWAY = dt.timedelta(hours=6)


def _outcome(keys: Sequence[UUID]) -> dict[str, object]:
    """Where each case is, by which way it came there, and what its clocks wait for."""
    owners = dict(Incident.objects.filter(pk__in=keys).values_list("pk", "owner"))
    path = list(Custody.objects.filter(incident__in=keys).order_by("pk").values_list("incident", "command", "due_at"))
    clocks = Clock.objects.filter(incident__in=keys, state=ClockState.RUNNING)
    return {
        "owners": owners,
        "path": sorted(path, key=lambda row: (str(row[0]), row[2])),
        "clocks": sorted(map(str, clocks.values_list("incident", "kind", "fires_at"))),
    }


def test_six_hours_without_a_beat_end_where_six_hours_with_it_would(stage: Stage, report_counts: Report) -> None:
    keys = stage.seed(40)
    begun = timezone.now()
    engine.tick(begun, "chaos")
    # The same six hours with a tick every three minutes, undone afterwards.
    with transaction.atomic():
        moment = begun
        while moment < begun + AWAY:
            moment += dt.timedelta(minutes=3)
            engine.tick(moment, "chaos")
        steady = _outcome(keys)
        transaction.set_rollback(True)
    entries_before = Notice.objects.count()
    engine.tick(begun + AWAY, "chaos")
    caught_up = _outcome(keys)
    assert caught_up == steady
    # Crossed levels are in the record, one row each; nobody is told of one case twice, or of each level it passed.
    assert Escalation.objects.filter(kind=EscalationKind.PASSED).exists()
    told = Counter(
        Notice.objects.filter(created_at=begun + AWAY, channel="inbox", incident__in=keys)
        .values_list("recipient", "incident")
    )  # fmt: skip
    assert told and max(told.values()) == 1, told.most_common(3)
    assert Notice.objects.count() > entries_before
    report_counts("beat paused for 6 h", stage.count(begun + AWAY))


def test_a_second_catch_up_does_nothing(stage: Stage) -> None:
    stage.seed(30)
    begun = timezone.now()
    engine.tick(begun, "chaos")
    engine.tick(begun + AWAY, "chaos")
    rows, notices = Escalation.objects.count(), Notice.objects.count()
    engine.tick(begun + AWAY, "chaos")
    assert (Escalation.objects.count(), Notice.objects.count()) == (rows, notices)


def _leap(stage: Stage, by: dt.timedelta, seconds: float) -> None:
    """Loops whose clocks are off by so much, while this machine's uptime goes on as ever."""
    for _number in range(2):
        stage.start("escalate_with_wrong_clock", off_seconds=by.total_seconds(), every=0.2)
    _run_for(stage, seconds)


def _run_for(stage: Stage, seconds: float) -> None:
    time.sleep(seconds)
    stage.stop()


def test_a_clock_that_leaps_a_day_ahead_holds_everything_until_a_person_has_looked(
    stage: Stage, report_counts: Report
) -> None:
    stage.seed(max(80, settings.ENGINE_HOLD_CASES * 3 // 2))
    stage.start_engines(1)
    _run_for(stage, 2)
    owners = dict(Incident.objects.values_list("pk", "owner"))
    rows = Escalation.objects.count()
    day = dt.timedelta(days=1)
    _leap(stage, day, 2.5)
    state = EngineState.objects.get(pk=1)
    assert state.held_at is not None, stage.logs()
    assert state.held_count > settings.ENGINE_HOLD_CASES
    late = Escalation.objects.filter(fired_at__gt=timezone.now() + day / 2)
    by_the_true_clock = timezone.now() + dt.timedelta(minutes=1)
    assert not late.filter(due_at__gt=by_the_true_clock).exists(), "a step fired because the clock had leapt"
    # Only what was due by the time that truly passed may have moved in the meantime.
    assert rows <= Escalation.objects.count()
    assert sum(owners[c.pk] != c.owner_id for c in Incident.objects.all()) <= late.count()
    hold.release(Cast().psc, timezone.now() + day)
    counts = stage.count(timezone.now() + day)
    report_counts("clock +1 day, released", counts)
    assert counts.fired > rows


def test_a_clock_that_goes_back_fires_nothing_and_takes_nothing_back(stage: Stage, report_counts: Report) -> None:
    stage.seed(60)
    stage.start_engines(1)
    _run_for(stage, 2)
    before = _outcome(stage.keys), Escalation.objects.count(), Notice.objects.count()
    _leap(stage, -dt.timedelta(hours=1), 2)
    assert (_outcome(stage.keys), Escalation.objects.count(), Notice.objects.count()) == before
    assert EngineRun.objects.filter(error__contains="went back").exists(), "nobody is told that a clock went back"
    report_counts("clock -1 h", stage.count())
