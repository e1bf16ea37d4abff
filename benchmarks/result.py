"""What a run leaves: `result.json`, and README.md made from it."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measure import Row

#: Said where other work had the cores already when the run began.
BUSY = [
    "**The machine was busy with other work during this run.** What makes many queries waits for a core at each of",
    "them and the floor at one or two, so the ratios are worse than on a quiet machine, and p95 is mostly chance.",
    "",
]
HERE = Path(__file__).resolve().parent
PACKAGES = ("Django", "djangorestframework", "gunicorn", "psycopg2-binary", "shapely", "numpy", "redis")


def about(server_version: str, command: str) -> dict[str, Any]:
    """The circumstances of a run, without which its figures say nothing."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "command": command,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "postgresql": server_version,
        "packages": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def write(about: dict[str, Any], subjects: dict[str, list[Row]], folder: Path = HERE) -> None:
    """Keep the rows as JSON and the page that is made from them."""
    result = {"about": about, "subjects": {name: [asdict(row) for row in rows] for name, rows in subjects.items()}}
    (folder / "result.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(page(result), encoding="utf-8")


def add(about: dict[str, Any], subjects: dict[str, list[Row]], folder: Path = HERE) -> None:
    """Put subjects measured in a run of their own in place of those kept; the page says when that was."""
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    for name, rows in subjects.items():
        result["subjects"][name] = [asdict(row) for row in rows]
        result.setdefault("apart", {})[name] = about
    (folder / "result.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(page(result), encoding="utf-8")


def page(result: dict[str, Any]) -> str:
    """README.md from a result: the circumstances, a table for each subject, how to read and repeat it."""
    told = result["about"]
    packages = ", ".join(f"{name} {number}" for name, number in told["packages"].items())
    lines = [
        "# Benchmarks",
        "",
        "Made by `make bench`; do not edit. Each line is the product against a floor measured in the same run, the two",
        "taking turns, so the ratio holds on another machine where milliseconds do not.",
        "",
        f"Run of {told['date']} by `{told['command']}`, {told.get('minutes', '?')} minutes. {told['processor']},",
        f"{told['cores']} cores, {told['memory_gb']} GB, {told['system']}; load average {told['load_before']} before",
        f"and {told.get('load_after', '?')} after the run. Client, server and database share the cores.",
        f"Python {told['python']}, PostgreSQL {told['postgresql']}, {packages}.",
        "",
        *BUSY * (told["load_before"] > told["cores"]),
        summary(result),
    ]
    for name, rows in result["subjects"].items():
        lines += [
            "",
            f"## {name}",
            "",
            *_apart(result.get("apart", {}).get(name)),
            *table([Row(**row) for row in rows]),
        ]
    explained = (HERE / "explained.md").read_text(encoding="utf-8").strip()
    return "\n".join([*lines, "", explained, ""])


def _apart(told: dict[str, Any] | None) -> list[str]:
    if told is None:
        return []
    load = f"load average {told['load_before']} before and {told['load_after']} after"
    return [f"A run of its own, {told['date']} by `{told['command']}`; {load}.", ""]


def summary(result: dict[str, Any]) -> str:
    rows = [row for rows in result["subjects"].values() for row in rows if row["is_met"] is not None]
    met = sum(row["is_met"] for row in rows)
    short = "; ".join(f"{row['what']} ({_measured(row)})" for row in rows if not row["is_met"])
    return f"**{met} of {len(rows)} goals met.**" + (f" Short of the goal: {short}." if short else "")


def _measured(row: dict[str, Any]) -> str:
    return str(row["value"]) if row["ratio"] is None else f"{row['ratio']:.2f} x"


def table(rows: list[Row]) -> list[str]:
    """A table in Markdown, one line for each row."""
    lines = ["| measured | product | floor | ratio | goal | |", "|---|---|---|---:|---|---|"]
    for row in rows:
        floor = f"{row.against}: {row.base}" if row.against else ""
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        met = {None: "", True: "met", False: "**short**"}[row.is_met]
        lines.append(f"| {row.what} | {row.value} | {floor} | {ratio} | {row.goal} | {met} |")
    return lines


def show(name: str, rows: list[Row]) -> None:
    """The rows on the terminal, as they come."""
    sys.stdout.write("\n".join([f"\n## {name}", "", *table(rows), ""]) + "\n")
    sys.stdout.flush()
