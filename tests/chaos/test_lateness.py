"""Steps fire when they are due while people act: how late, is printed; that every one did, is the test.

`benchmarks.lateness` runs the same for longer and says how many people act ($LATENESS).
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from incidents.models import Escalation
from tests.chaos.counts import Counts
from tests.chaos.stage import SCALE, Stage

SECONDS, PEOPLE, EVERY = (float(word) for word in os.environ.get("LATENESS", "5 2 1").split())


def test_steps_fire_within_a_tick_of_their_time_while_people_act(
    stage: Stage, report_counts: Callable[[str, Counts], None], capsys: pytest.CaptureFixture[str]
) -> None:
    stage.seed(60)
    connection.close()
    stage.start_engines(1, every=EVERY)
    stage.start("sender", every=EVERY)
    # What was due before the engine came up is late by no fault of its own.
    time.sleep(2 * EVERY)
    since = timezone.now()
    stage.start_people(round(PEOPLE), pause=0.1)
    time.sleep(SECONDS * SCALE)
    stage.stop()
    until = timezone.now()
    fired = Escalation.objects.exclude(run=None).filter(due_at__gte=since, fired_at__lte=until)
    late = sorted((at - due) / dt.timedelta(seconds=1) for due, at in fired.values_list("due_at", "fired_at"))
    assert late, "no step fell due: this run proves nothing"
    p50, p99 = late[len(late) // 2], late[min(len(late) - 1, int(len(late) * 0.99))]
    with capsys.disabled():
        print(
            f"\nlateness: {len(late)} steps, p50 {p50:.2f} s, p99 {p99:.2f} s, the latest {late[-1]:.2f} s;"
            f" a tick every {EVERY:g} s, {PEOPLE:g} processes of people"
        )
    assert min(late) >= 0, "a step fired before its time"
    report_counts("while people act", stage.count())
