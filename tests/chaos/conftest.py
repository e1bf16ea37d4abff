"""A chaos run has the session's database to itself; it is restored from the baseline afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.chaos.counts import Counts
    from tests.chaos.stage import Stage


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    """Processes with the settings of the tests and no broker."""
    from tests.chaos.stage import opened

    with opened(tmp_path / "stage") as ready:
        yield ready


@pytest.fixture
def open_stage(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """A stage whose processes have an environment of their own."""
    from tests.chaos.stage import Stage

    made: list[Stage] = []

    def make(**environment: str) -> Stage:
        made.append(Stage(tmp_path / "stage", environment))
        made[-1].folder.mkdir(parents=True)
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def report_counts(capsys: pytest.CaptureFixture[str]) -> Callable[[str, Counts], None]:
    """Print the line of a run, kept for the table as well, and fail where something is not accounted for."""
    from django.db import connection

    from tests.chaos.stage import SCALE, SEED

    def report(what: str, counts: Counts) -> None:
        database = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
        line = counts.line(f"{what}, {database}, seed {SEED}")
        with capsys.disabled():
            print(f"\n{line}", flush=True)
        if into := os.environ.get("CHAOS_LINES"):
            with Path(into).open("a") as lines:
                lines.write(f"{line}, scale {SCALE:g}\n")
        assert counts.is_clean, "\n".join([line, *counts.problems[:40]])

    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/chaos" in item.path.as_posix():
            item.add_marker(pytest.mark.chaos)
