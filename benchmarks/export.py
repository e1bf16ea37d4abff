"""Case rows as CSV, against COPY of the same columns to CSV. Each runs in a process of its own, for its memory."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, at_least, shown
from benchmarks.stage import Stage

GOAL = 0.15
#: Megabytes that the process may grow by while it writes, however many rows there are.
MOST_GROWTH = 200
ROUNDS = 3


def measure(stage: Stage, incidents: int, *, rounds: int = ROUNDS) -> list[Row]:
    """Rows a second of both, taking turns, and the growth of the resident memory in MB while the file is written."""
    database = stage.database(incidents)
    stage.sql("VACUUM ANALYZE incidents_incident", database)
    told: dict[str, list[dict[str, float]]] = {"copy": [], "rows": []}
    for _round in range(rounds):
        for what, results in told.items():
            results.append(json.loads(stage.run("-m", "benchmarks.export", what, database=database)))
    rate = {what: statistics.median(r["rows"] / r["seconds"] for r in results) for what, results in told.items()}
    growth = max(r["growth_mb"] for r in told["rows"])
    ratio = rate["rows"] / rate["copy"]
    goal, is_met = at_least(GOAL, ratio)
    return [
        Row(
            what=f"Case rows as CSV, {incidents:,} rows", value=f"{rate['rows']:,.0f} rows a second",
            against="COPY … TO STDOUT CSV", base=f"{rate['copy']:,.0f} rows a second", ratio=ratio,
            goal=goal, is_met=is_met,
        ),
        Row(
            what="Memory it grows by while writing", value=f"{shown(growth)} MB",
            goal=f"under {MOST_GROWTH} MB", is_met=growth < MOST_GROWTH,
        ),
    ]  # fmt: skip


class Sink:
    """Counts the lines and bytes written to it and keeps nothing; looks at the memory now and then."""

    def __init__(self) -> None:
        self.bytes = self.lines = 0
        self.most_kb = self.before_kb = resident_kb()

    def write(self, piece: bytes) -> int:
        self.bytes += len(piece)
        self.lines += piece.count(b"\n")
        self.most_kb = max(self.most_kb, resident_kb())
        return len(piece)


def resident_kb() -> int:
    """Resident memory of this process, kB; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def _copy(sink: Sink) -> None:
    from django.db import connection

    from incidents.models import Incident
    from incidents.reports.rows import FIELDS

    columns = ", ".join(str(Incident._meta.get_field(name).column) for name in FIELDS)  # type: ignore[union-attr]
    query = f"SELECT {columns} FROM incidents_incident WHERE NOT is_sealed ORDER BY reported_at, id"
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT CSV HEADER", sink)


def _rows(sink: Sink) -> None:
    from incidents.models import Incident
    from incidents.reports.csv import rows_csv

    cases: Any = Incident._base_manager.filter(is_sealed=False).order_by("reported_at", "id")
    for piece in rows_csv(cases):
        sink.write(piece)


def main(what: str) -> None:
    import django

    django.setup()
    from django.db import connection
    from django.utils import translation

    connection.ensure_connection()
    translation.activate("en")
    sink = Sink()
    begun = time.perf_counter()
    {"copy": _copy, "rows": _rows}[what](sink)
    seconds = time.perf_counter() - begun
    growth = (sink.most_kb - sink.before_kb) / 1024
    json.dump({"rows": sink.lines - 1, "seconds": seconds, "growth_mb": growth, "bytes": sink.bytes}, sys.stdout)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main(sys.argv[1])
