"""`make test`: every test, on both databases, in a browser and with the product's own processes, then one summary.

    python -m tests.everything              all stages
    python -m tests.everything tests/x.py   that path, on SQLite and on PostgreSQL

What the machine lacks and may not install is named and counted; with CI=true or REQUIRE_SERVICES=1 it is a failure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests import services

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = os.environ.get("REQUIRE_SERVICES") == "1" or os.environ.get("CI") == "true"
APART = ["tests/browser", "tests/journeys"]
#: Marked `journey`: they start servers and processes of their own, so the database of the tests is nothing to them.
JOURNEYS = ["tests/journeys", "tests/test_benchmarks.py", "-m", "journey"]
#: Kills what it starts, and only that.
CHAOS = "tests/chaos"
WORKERS = str(min(4, os.cpu_count() or 1))


@dataclass
class Stage:
    name: str
    database: str
    arguments: list[str]
    parallel: bool = False
    #: Starts its own PostgreSQL, because it stops it.
    own_server: bool = False
    #: Waits for its own processes most of the time: runs beside the others of its kind, shown when it is over.
    waits: bool = False


@dataclass
class Result:
    stage: Stage
    counts: dict[str, int]
    seconds: float
    exit_code: int
    missing: str = ""


def stages(path: str) -> list[Stage]:
    """Browser and journeys need their own servers and run once; everything else runs on both databases."""
    chaos = [
        Stage(f"chaos on {name}", database, [CHAOS], own_server=True, waits=True)
        for name, database in (("SQLite", "sqlite"), ("PostgreSQL", "postgres"))
    ]
    if path:
        names = ["tests on SQLite", "tests on PostgreSQL"]
        if any(path.startswith(folder) for folder in APART):
            return [Stage(path, "sqlite", [path])]
        if path.startswith(CHAOS):
            return [Stage(s.name, s.database, [path], own_server=True) for s in chaos]
        return [Stage(n, d, [path]) for n, d in zip(names, ("sqlite", "postgres"), strict=True)]
    others = ["tests", "--ignore=tests/browser", f"--ignore={CHAOS}"]
    return [
        Stage("tests on SQLite", "sqlite", [*others, "-m", "not journey"], parallel=True),
        # What asks for no database has proved it once.
        Stage("tests on PostgreSQL", "postgres", [*others, "-m", "database and not journey"], parallel=True),
        Stage("browser", "sqlite", ["tests/browser"], parallel=True),
        Stage("journeys with real processes", "sqlite", JOURNEYS, waits=True),
        *chaos,
    ]


def run(stage: Stage, folder: Path) -> Result:
    """One pytest; its counts come back through `tests.tally`, a plugin that writes them to a file."""
    report = folder / f"{stage.name}.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.tally", *stage.arguments]
    if stage.parallel:
        command += ["-n", WORKERS, "--dist", "worksteal"]
    env = {**os.environ, "TEST_DATABASE": stage.database, "TALLY_FILE": str(report)}
    if stage.database == "postgres" and not stage.own_server:
        try:
            env["TEST_POSTGRES_URL"] = services.start_postgres().url
        except services.Missing as missing:
            return Result(stage, {}, 0, 1 if REQUIRED else 0, missing=str(missing))
    begun = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE if stage.waits else None)
    if stage.waits:
        print(f"\n---- {stage.name} ----\n{done.stdout.decode(errors='replace')}", flush=True)
    counts = json.loads(report.read_text()) if report.exists() else {}
    # 5 is pytest's "nothing collected".
    return Result(stage, counts, time.monotonic() - begun, 0 if done.returncode == 5 else done.returncode)


def summary(results: list[Result], took: float) -> str:
    lines = ["", "=" * 78]
    for result in results:
        counts = ", ".join(f"{n} {what}" for what, n in result.counts.items() if n) or "no tests"
        state = "FAIL" if result.exit_code else "ok  "
        if result.missing:
            lines.append(f"{state} {result.stage.name:<30} could not run: {result.missing}")
        else:
            lines.append(f"{state} {result.stage.name:<30} {counts} in {result.seconds:.0f} s")
    total = sum(r.counts.get("passed", 0) for r in results)
    failed = sum(r.counts.get("failed", 0) + r.counts.get("errors", 0) for r in results)
    lines.append(f"{total} passed, {failed} failed in {took:.0f} s")
    return "\n".join([*lines, "=" * 78])


def main(path: str) -> int:
    begun, results = time.monotonic(), []
    with tempfile.TemporaryDirectory() as name:
        folder, asked = Path(name), stages(path)
        for stage in asked:
            if not stage.waits:
                print(f"\n---- {stage.name} ----", flush=True)
                results.append(run(stage, folder))
        waiting = [stage for stage in asked if stage.waits]
        if waiting:
            print(f"\n---- together: {', '.join(stage.name for stage in waiting)} ----", flush=True)
            with ThreadPoolExecutor(len(waiting)) as pool:
                results += pool.map(lambda stage: run(stage, folder), waiting)
    print(summary(results, time.monotonic() - begun), flush=True)
    return 1 if any(r.exit_code for r in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
