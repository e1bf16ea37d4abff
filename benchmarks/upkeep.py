"""The background, as information: filling a database, sealing and proving the journal, the engine's tick."""

from __future__ import annotations

import datetime as dt
import json
import os
import statistics
import sys
import time
from typing import Any

from benchmarks.measure import Row, shown
from benchmarks.stage import Stage

#: A million cases are to be made within five minutes.
FILL_A_SECOND = 1_000_000 / 300
#: Cases that fire in the tick that has work, and ticks without any.
FIRED, IDLE = 200, 20
COPY = "bench_upkeep"


def measure(stage: Stage, incidents: int) -> list[Row]:
    """Rates a second and milliseconds, on a copy of the database, which is thrown away."""
    database = stage.database(incidents)
    rows = [_filled(size, seconds) for size, seconds in stage.filled_in.items() if size == incidents]
    stage.sql(f"DROP DATABASE IF EXISTS {COPY}")
    stage.sql(f"CREATE DATABASE {COPY} TEMPLATE {database}")
    try:
        told = json.loads(stage.run("-m", "benchmarks.upkeep", database=COPY))
    finally:
        stage.sql(f"DROP DATABASE {COPY}")
    return [
        *rows,
        Row(what="Sealing the journal", value=f"{told['sealed']:,.0f} entries a second"),
        Row(what="Proving the journal", value=f"{told['verified']:,.0f} entries a second"),
        Row(what="Firing deadlines that are due, one worker", value=f"{shown(told['fired'])} cases a second"),
        Row(
            what=f"A tick that finds nothing due among {told['clocks']:,} running clocks",
            value=f"p50 {shown(told['idle_ms'])} ms, {told['idle_queries']} queries",
        ),
    ]


def _filled(incidents: int, seconds: float) -> Row:
    rate = incidents / seconds
    return Row(
        what=f"seed_load of {incidents:,} cases",
        value=f"{seconds:,.0f} s, {rate:,.0f} cases a second",
        goal="a million in 5 minutes",
        # Of a few cases the start of the process is most.
        is_met=rate >= FILL_A_SECOND if incidents >= 100_000 else None,
    )


#: A running clock for every case that has none, so that the engine looks at as many as there are cases.
_MORE_CLOCKS = """
INSERT INTO incidents_clock
    (incident_id, kind, episode, step, anchor_at, target_minutes, deadline_at, fires_at, state)
SELECT id, 'review', 99, 0, now(), 2880, now() + interval '2 days', now() + interval '36 hours', 'running'
FROM incidents_incident WHERE next_due_at IS NULL
"""
_NOTHING_DUE = "UPDATE incidents_clock SET fires_at = now() + interval '1 day' WHERE state = 'running'"


def _figures() -> dict[str, Any]:
    from django.db import connection

    from benchmarks.breakdown import Watch
    from incidents import journal
    from incidents.escalation import engine
    from incidents.models import Clock

    def now() -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    begun = time.perf_counter()
    sealed = journal.seal_backlog(now())
    sealing = time.perf_counter() - begun
    begun = time.perf_counter()
    verdict = journal.verify(now(), backlog=dt.timedelta(hours=1))
    proving = time.perf_counter() - begun
    assert verdict.first_broken is None, verdict.findings
    begun = time.perf_counter()
    run = engine.tick(now(), "bench", limit=FIRED)
    firing = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute(_MORE_CLOCKS)
        cursor.execute(_NOTHING_DUE)
        cursor.execute("VACUUM ANALYZE incidents_clock")
    idle, watch = [], Watch()
    for _number in range(IDLE):
        watch = Watch()
        with connection.execute_wrapper(watch):
            begun = time.perf_counter()
            engine.tick(now(), "bench")
            idle.append((time.perf_counter() - begun) * 1000)
    return {
        "sealed": sealed / sealing,
        "verified": verdict.entries / proving,
        "fired": run.claimed / firing,
        "clocks": Clock.objects.filter(state="running").count(),
        "idle_ms": statistics.median(idle),
        "idle_queries": len(watch.statements),
    }


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    json.dump(_figures(), sys.stdout)
