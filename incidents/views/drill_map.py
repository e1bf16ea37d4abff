"""The country in a drill, province by province in its worst standing: SVG paths, drawn once for each process."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from elections import geometry
from incidents.drill_results import Row
from incidents.views.outline import Area, framed

WIDTH, HEIGHT = 460, 400


@dataclass(frozen=True)
class Picture:
    """Provinces with an outline as (path, row or None where it is not in the drill); the others beside the map."""

    width: int
    height: int
    areas: list[tuple[str, Row | None]]
    beside: list[Row]


def picture(rows: Sequence[Row]) -> Picture | None:
    """The map, or None where no outline is on file."""
    areas = _country()
    if not areas:
        return None
    by_code = {row.code: row for row in rows}
    drawn = {area.code for area in areas}
    return Picture(
        WIDTH, HEIGHT, [(a.path, by_code.get(a.code)) for a in areas], [r for r in rows if r.code not in drawn]
    )


@functools.cache
def _country() -> list[Area]:
    return framed(geometry.outlines("KH"), WIDTH, HEIGHT)
