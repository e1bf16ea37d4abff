"""What lists, maps and dashboards have in common: one page at several sizes and the floor's page, taking turns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Row, Spread, at_most, shown, take_turns
from benchmarks.stage import Site, Stage

ROUNDS = 80
#: Times as slow as at the smallest size, and as the floor's page, that the largest size may be.
GROWTH, OVER_FLOOR = 2.0, 5.0

#: From the facts of a site: (username, address) of every variant, asked for in turn.
Variants = Callable[[Site], Sequence[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page or answer: measured with an empty cache each time, and `warm` again with what the first left there."""

    name: str
    variants: Variants
    is_api: bool = False
    warm: bool = False


def measure(stage: Stage, pages: Sequence[Page], sizes: Sequence[int], *, rounds: int = ROUNDS) -> list[Row]:
    """Milliseconds of each page at each size, the growth of its p95 from the first to the last, and over the floor."""
    databases = {size: stage.database(size) for size in sizes}
    try:
        floor = stage.site(databases[sizes[0]], floor="signed-in")
        sites = {size: stage.site(database) for size, database in databases.items()}
        for site in sites.values():
            stage.sql("ANALYZE", site.name)
        return [row for page in pages for row in _page(page, sites, floor, rounds)]
    finally:
        stage.stop_sites()


def _page(page: Page, sites: dict[int, Site], floor: Site, rounds: int) -> list[Row]:
    reader = floor.browser(floor.facts["readers"][0])
    rows: list[Row] = []
    for is_warm in (False, True) if page.warm else (False,):
        calls: dict[str, Callable[[], float]] = {"floor": lambda: reader.get("/page")}
        for size, site in sites.items():
            calls[str(size)] = _asking(page, site, is_warm)
        # One round of every variant on each worker fills what a process keeps; a cold page is cold beside that.
        variants = len(page.variants(next(iter(sites.values()))))
        taken = {
            name: Spread.of(s)
            for name, s in take_turns(calls, rounds=rounds, warm_up=min(variants * 2, rounds)).items()
        }
        rows += _told(page, is_warm, taken, list(sites))
    return rows


def _asking(page: Page, site: Site, is_warm: bool) -> Callable[[], float]:
    variants = page.variants(site)
    people = {name: site.system(name) if page.is_api else site.browser(name) for name, _address in variants}
    turns = itertools.cycle(variants)

    def ask() -> float:
        name, address = next(turns)
        if is_warm:
            people[name].get(address)
        else:
            site.forget()
        return people[name].get(address)

    return ask


def _told(page: Page, is_warm: bool, taken: dict[str, Spread], sizes: list[int]) -> list[Row]:
    how = (", warm" if is_warm else ", cold") if page.warm else ""
    floor, first, last = taken["floor"], taken[str(sizes[0])], taken[str(sizes[-1])]
    rows = [
        Row(
            what=f"{page.name}{how}, {size:,} cases", value=str(taken[str(size)]),
            against="signed-in page", base=str(floor), ratio=taken[str(size)].p95 / floor.p95,
            **_goal(OVER_FLOOR, taken[str(size)].p95 / floor.p95, size == sizes[-1]),
        )
        for size in sizes
    ]  # fmt: skip
    if len(sizes) > 1:
        ratio = last.p95 / first.p95
        rows.append(
            Row(
                what=f"{page.name}{how}, growth", value=f"p95 {shown(last.p95)} ms at {sizes[-1]:,}",
                against=f"{sizes[0]:,} cases", base=f"p95 {shown(first.p95)} ms", ratio=ratio,
                **_goal(GROWTH, ratio, True),
            )
        )  # fmt: skip
    return rows


def _goal(limit: float, ratio: float, counts: bool) -> dict[str, Any]:
    if not counts:
        return {}
    goal, is_met = at_most(limit, ratio)
    return {"goal": goal, "is_met": is_met}
