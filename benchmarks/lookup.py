"""Point to commune, a second, against the bare spatial index that stands under it. Runs in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.measure import Row, shown
from benchmarks.stage import Stage

GOAL = 20_000
POINTS = 20_000
ROUNDS = 5


def measure(stage: Stage, *, points: int = POINTS) -> list[Row]:
    """One point at a time and many at once; rates are points a second."""
    database = stage.database(0)
    rates = json.loads(stage.run("-m", "benchmarks.lookup", str(points), database=database))
    rows = []
    for what, product, floor, words in (
        ("Commune of a point, one at a time", "place", "tree", "STRtree query, exact test"),
        ("Commune of a point, many at once", "places", "trees", "STRtree query of all, exact test"),
    ):
        rows.append(
            Row(
                what=what, value=f"{rates[product]:,.0f} a second", against=words,
                base=f"{shown(rates[floor])} a second", ratio=rates[product] / rates[floor],
                goal=f"{GOAL:,} a second", is_met=rates[product] >= GOAL,
            )
        )  # fmt: skip
    return rows


def _rates(count: int) -> dict[str, float]:
    """Points a second: floor and product in turn, the best round of each."""
    import numpy as np
    import shapely

    from elections import geometry
    from elections.choices import Level

    layer = geometry._layer(Level.COMMUNE)
    tree: Any = shapely.STRtree(layer.shapes)
    west, south, east, north = shapely.total_bounds(layer.shapes)
    random = np.random.default_rng(1)
    lons, lats = random.uniform(west, east, count), random.uniform(south, north, count)
    pairs = list(zip(lats.tolist(), lons.tolist(), strict=True))

    def one_by_one() -> None:
        for lat, lon in pairs:
            tree.query(shapely.points(lon, lat), predicate="intersects")

    calls: dict[str, Callable[[], object]] = {
        "tree": one_by_one,
        "place": lambda: [geometry.place(lat, lon) for lat, lon in pairs],
        "trees": lambda: tree.query(shapely.points(lons, lats), predicate="intersects"),
        "places": lambda: geometry.places(lats.tolist(), lons.tolist()),
    }
    geometry.place(*pairs[0])
    best = dict.fromkeys(calls, 0.0)
    for _round in range(ROUNDS):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            best[name] = max(best[name], count / (time.perf_counter() - begun))
    return best


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    json.dump(_rates(int(sys.argv[1])), sys.stdout)
