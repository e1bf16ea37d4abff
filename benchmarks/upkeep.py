"""The background, as information: filling a database, sealing and proving the journal."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from typing import Any

from benchmarks.measure import Row
from benchmarks.stage import Stage

#: A million cases are to be made within five minutes.
FILL_A_SECOND = 1_000_000 / 300
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


def _figures() -> dict[str, Any]:
    from incidents import journal

    def now() -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    begun = time.perf_counter()
    sealed = journal.seal_backlog(now())
    sealing = time.perf_counter() - begun
    begun = time.perf_counter()
    verdict = journal.verify(now(), backlog=dt.timedelta(hours=1))
    proving = time.perf_counter() - begun
    assert verdict.first_broken is None, verdict.findings
    return {
        "sealed": sealed / sealing,
        "verified": verdict.entries / proving,
    }


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    json.dump(_figures(), sys.stdout)
