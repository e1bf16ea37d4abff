"""`python -m benchmarks [subject …]`: measure, show, and after a full run write README.md beside this file."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import dashboard, delivery, escalation, export, log, lookup, map, overview, result, upkeep
from benchmarks import list as lists
from benchmarks.measure import Row
from benchmarks.stage import Stage, say
from tests.services import Missing

SIZES = (1_000, 100_000, 1_000_000)
#: Name: title, how it is measured.
SUBJECTS: dict[str, tuple[str, Callable[[Stage, Any], list[Row]]]] = {
    "log": ("Logging one incident", lambda stage, asked: log.measure(stage, **_rounds(asked))),
    "list": ("Lists", lambda stage, asked: lists.measure(stage, asked.sizes, **_rounds(asked))),
    "map": ("Map", lambda stage, asked: map.measure(stage, asked.sizes, **_rounds(asked))),
    "dashboard": ("Dashboard", lambda stage, asked: dashboard.measure(stage, asked.sizes, **_rounds(asked))),
    "lookup": ("From a point to its commune", lambda stage, asked: lookup.measure(stage)),
    "export": ("Export", lambda stage, asked: export.measure(stage, asked.sizes[-1])),
    "embedded": ("Logging on the embedded set-up", lambda stage, asked: log.measure_embedded(stage, **_rounds(asked))),
    "overview": ("The country at once", lambda stage, asked: overview.measure(stage, asked.sizes[-1])),
    "delivery": ("Messages", lambda stage, asked: delivery.measure(stage, asked.sizes[0])),
    "escalation": ("Escalation", lambda stage, asked: escalation.measure(stage, asked.sizes[-1])),
    "upkeep": ("In the background", lambda stage, asked: upkeep.measure(stage, asked.sizes[-1])),
}


def _rounds(asked: Any) -> dict[str, int]:
    return {"rounds": asked.rounds} if asked.rounds else {}


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(part) for part in text.split(",")))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "subjects",
        nargs="*",
        choices=[*SUBJECTS, []],
        metavar="subject",
        help=f"of {', '.join(SUBJECTS)}; all without any",
    )
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="numbers of cases, as in 1000,100000")
    parser.add_argument("--rounds", type=int, default=0, help="timed requests of each kind; more is steadier")
    parser.add_argument("--postgres", default="", help="URL of a running server, whose filled databases are used again")
    parser.add_argument("--write", action="store_true", help="put a part measured alone into README.md")
    asked = parser.parse_args(arguments)
    begun = time.monotonic()
    try:
        stage = Stage(asked.postgres)
    except Missing as missing:
        say(f"Cannot measure: {missing}.")
        return 1
    subjects: dict[str, list[Row]] = {}
    try:
        version = str(stage.sql("SHOW server_version")[0][0]).split()[0]
        told = result.about(
            version, " ".join(["python -m benchmarks", *(a for a in arguments or sys.argv[1:] if "://" not in a)])
        )
        for name in asked.subjects or SUBJECTS:
            title, measure = SUBJECTS[name]
            say(f"measuring: {title.lower()}")
            subjects[title] = measure(stage, asked)
            result.show(title, subjects[title])
            told |= {"minutes": round((time.monotonic() - begun) / 60, 1), "load_after": round(os.getloadavg()[0], 2)}
            # After each subject: a run that is broken off leaves what it measured.
            if not asked.subjects:
                result.write(told, subjects)
            elif asked.write:
                result.add(told, {title: subjects[title]})
    finally:
        stage.close()
    if asked.write or not asked.subjects:
        say(f"written: {result.HERE / 'README.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
