"""Journeys through one system of real processes, started once, and days that are played minute by minute.

A day needs no process: it runs on both databases, as every other test. Who asks for `system` is marked `journey`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys import system as systems

if TYPE_CHECKING:
    from tests.journeys.day import Day


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, redis_url: str) -> Iterator[systems.System]:
    with systems.running(tmp_path_factory.mktemp("system"), postgres_url, redis_url) as started:
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """A failed journey shows what the processes said."""
    report = yield
    started = getattr(item, "funcargs", {}).get("system")
    if report.failed and started is not None:
        report.sections.append(("what the processes said", started.logs()))
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "system" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.journey)


@pytest.fixture
def day(cast: Any, time_machine: Any) -> Callable[[dt.datetime], Day]:
    """`day(t0)` begins a scenario at that moment."""
    from tests.journeys.day import Day

    return lambda t0: Day(t0, cast, time_machine)
