"""The benchmarks run end to end and tell what they measured; no figure of theirs is asserted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import dashboard, log, reading, result
from benchmarks.measure import Row, Spread, at_least, at_most, take_turns
from benchmarks.stage import Stage, gunicorn_of_production


@pytest.fixture(scope="module")
def stage(postgres_url: str, redis_url: str) -> Iterator[Stage]:
    ours = Stage(postgres_url, redis_url)
    yield ours
    ours.close()


@pytest.mark.journey
def test_a_report_and_a_page_are_measured_over_http(stage: Stage, tmp_path: Path) -> None:
    logged = log.measure(stage, size=100, rounds=2, seconds=0.2)
    pages = reading.measure(stage, dashboard.PAGES[:1], [100], rounds=2)
    assert {row.against for row in logged} >= {"bare INSERT", "INSERT by a signed-in person"}
    assert all(row.ratio for row in logged if row.against)
    assert [row.what for row in pages] == ["Dashboard page, cold, 100 cases", "Dashboard page, warm, 100 cases"]
    about = result.about("15", "python -m benchmarks")
    result.write(about, {"Logging": logged, "Dashboard": pages}, tmp_path)
    kept = json.loads((tmp_path / "result.json").read_text())
    assert (tmp_path / "README.md").read_text() == result.page(kept)


def test_the_page_is_made_from_the_result() -> None:
    kept = json.loads((result.HERE / "result.json").read_text(encoding="utf-8"))
    assert (result.HERE / "README.md").read_text(encoding="utf-8") == result.page(kept)


def test_a_part_measured_alone_replaces_what_was_kept_of_it_and_says_when(tmp_path: Path) -> None:
    about = result.about("15", "python -m benchmarks") | {"load_after": 1.0}
    result.write(
        about, {"Lists": [Row(what="Queue", value="9 ms")], "Map": [Row(what="Points", value="3 ms")]}, tmp_path
    )
    result.add(about | {"command": "python -m benchmarks map"}, {"Map": [Row(what="Points", value="2 ms")]}, tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert "| Queue | 9 ms |" in page and "| Points | 2 ms |" in page and "| Points | 3 ms |" not in page
    assert page.count("by `python -m benchmarks map`") == 1


def test_floor_and_product_take_turns() -> None:
    order: list[str] = []

    def call(name: str) -> float:
        order.append(name)
        return float(len(order))

    taken = take_turns({"floor": lambda: call("floor"), "product": lambda: call("product")}, rounds=2, warm_up=1)
    assert order == ["floor", "product"] * 3
    assert taken == {"floor": [3.0, 5.0], "product": [4.0, 6.0]}


def test_a_spread_is_in_milliseconds() -> None:
    spread = Spread.of([n / 1000 for n in range(1, 101)])
    assert (spread.p50, round(spread.p95), spread.count) == (50.5, 95, 100)


def test_a_goal_says_whether_it_is_met() -> None:
    assert at_most(3, 2.9) == ("at most 3 x", True)
    assert at_least(0.15, 0.1) == ("at least 0.15 x", False)
    short = Row(what="a", value="1 ms", against="floor", base="0.1 ms", ratio=10, goal="at most 3 x", is_met=False)
    assert result.table([short])[-1] == "| a | 1 ms | floor: 0.1 ms | 10.00 | at most 3 x | **short** |"


def test_the_server_is_started_as_in_production() -> None:
    command = gunicorn_of_production()
    assert command[:2] == ["gunicorn", "config.wsgi:application"]
    assert "gthread" in command and "--max-requests" not in command
