"""Two workers at the very same moment: the second finds the cases of the first taken, and fires none of them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from incidents.escalation import batch, engine
from incidents.models import Escalation
from tests.chaos.counts import Counts
from tests.chaos.stage import Stage

pytestmark = pytest.mark.race


def test_what_one_worker_has_claimed_no_other_fires(
    stage: Stage, report_counts: Callable[[str, Counts], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.seed(40)
    has_claimed, may_write = threading.Event(), threading.Event()
    write, first = batch.Written.write, threading.Lock()
    faults: list[Exception] = []

    def held(self: Any) -> None:
        # Only the first batch waits, between its claim and its commit.
        if first.acquire(blocking=False):
            has_claimed.set()
            assert may_write.wait(20)
        write(self)

    def tick() -> None:
        try:
            engine.tick(at, "chaos")
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    at = timezone.now() + dt.timedelta(seconds=1)
    monkeypatch.setattr(batch.Written, "write", held)
    worker = threading.Thread(target=tick)
    worker.start()
    try:
        assert has_claimed.wait(20), faults
        second = engine.tick(at, "chaos")
        fired = Escalation.objects.exclude(clock="").count()
    finally:
        may_write.set()
        worker.join(30)
    assert faults == []
    assert (second.fired, second.quarantined, fired) == (0, 0, 0)
    counts = stage.count(at + dt.timedelta(seconds=1))
    report_counts("two workers at one moment", counts)
    assert counts.fired > 20
