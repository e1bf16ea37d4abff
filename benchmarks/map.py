"""What the map fetches: counts of areas, and the points of a box."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import reading
from benchmarks.measure import Row
from benchmarks.reading import Page
from benchmarks.stage import Site, Stage


def _areas(site: Site) -> list[tuple[str, str]]:
    places = ["", *(f"?place={code}" for code in site.facts["provinces"])]
    return [(who, f"/dashboard/map/areas{place}") for place in places for who in _whole_country(site)]


def _points(site: Site) -> list[tuple[str, str]]:
    asked = [f"?bbox={box}&zoom={zoom}{more}" for box, zoom in site.facts["boxes"] for more in ("", "&severity=high")]
    return [(who, f"/dashboard/map/points{query}") for query in asked for who in _whole_country(site)]


def _whole_country(site: Site) -> list[str]:
    return list(site.facts["readers"][:3])


PAGES = (
    Page(name="Areas of the map", variants=_areas, warm=True),
    Page(name="Points of the map", variants=_points, warm=True),
)


def measure(stage: Stage, sizes: Sequence[int], *, rounds: int = reading.ROUNDS) -> list[Row]:
    return reading.measure(stage, PAGES, sizes, rounds=rounds)
