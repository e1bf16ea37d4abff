"""A small picture of where a case happened: the districts of its province as SVG paths, and the point. No script."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from elections import geometry
from incidents.models import Incident

WIDTH, HEIGHT, MARGIN = 300, 190, 8


@dataclass(frozen=True)
class Area:
    code: str
    path: str


@dataclass(frozen=True)
class Frame:
    """Degrees to the picture's units: equirectangular at the middle latitude, which no eye tells apart at this size."""

    west: float
    north: float
    scale: float
    squeeze: float
    left: float
    top: float

    def xy(self, lon: float, lat: float) -> tuple[float, float]:
        x = self.left + (lon - self.west) * self.squeeze * self.scale
        return round(x, 1), round(self.top + (self.north - lat) * self.scale, 1)


@dataclass(frozen=True)
class Picture:
    areas: list[Area]
    district: str
    #: Where the point, or the middle of the place, is, as SVG writes numbers; empty where neither is known.
    x: str
    y: str
    is_point: bool


def picture(incident: Incident, *, detailed: bool) -> Picture | None:
    """The picture, or None where the province has no outlines (the fictional one). Without details no exact point."""
    drawn = _around(incident.province_code, incident.district_code)
    if drawn is None:
        return None
    frame, areas = drawn
    point = (incident.lat, incident.lon) if detailed else (None, None)
    is_point = point[0] is not None and incident.point_precision != "area"
    if point[0] is None or point[1] is None:
        place = incident.place if detailed or len(incident.place_id) <= 8 else incident.place.parent
        point = (place.lat, place.lon) if place else (None, None)
    x = y = ""
    if point[0] is not None and point[1] is not None:
        x, y = (str(n) for n in frame.xy(point[1], point[0]))
    return Picture(areas, incident.district_code, x, y, is_point)


#: How much of the province is shown around the district, at least, so that its neighbours tell where it is.
LEAST_SHARE = 0.55


@functools.lru_cache(maxsize=256)
def _around(province: str, district: str) -> tuple[Frame, list[Area]] | None:
    """Frame and paths of a province's districts, closer to the one that matters: drawn once for each process."""
    shapes = {str(f["id"]): rings for f in geometry.outlines(province)["features"] if (rings := _rings(f["geometry"]))}
    if not shapes:
        return None
    whole = _box(point for rings in shapes.values() for ring in rings for point in ring)
    near = _box(point for ring in shapes[district] for point in ring) if district in shapes else whole
    west, east = _window(near[0], near[1], whole[0], whole[1])
    south, north = _window(near[2], near[3], whole[2], whole[3])
    frame = _frame(west, east, south, north, WIDTH, HEIGHT)
    return frame, [Area(code, _path(frame, rings)) for code, rings in shapes.items()]


def framed(shapes: dict[str, Any], width: int, height: int) -> list[Area]:
    """Every area of a GeoJSON collection as a path in a picture of that size; none where none has an outline."""
    drawn = {str(f["id"]): rings for f in shapes["features"] if (rings := _rings(f["geometry"]))}
    if not drawn:
        return []
    west, east, south, north = _box(point for rings in drawn.values() for ring in rings for point in ring)
    frame = _frame(west, east, south, north, width, height)
    return [Area(code, _path(frame, rings)) for code, rings in drawn.items()]


def _frame(west: float, east: float, south: float, north: float, width: int, height: int) -> Frame:
    """The window as large as it fits, in the middle."""
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, high = max((east - west) * squeeze, 1e-6), max(north - south, 1e-6)
    scale = min((width - 2 * MARGIN) / wide, (height - 2 * MARGIN) / high)
    return Frame(west, north, scale, squeeze, (width - wide * scale) / 2, (height - high * scale) / 2)


def _box(points: Iterable[tuple[float, float]]) -> tuple[float, float, float, float]:
    """West, east, south, north."""
    lons, lats = zip(*points, strict=True)
    return min(lons), max(lons), min(lats), max(lats)


def _window(first: float, last: float, least: float, most: float) -> tuple[float, float]:
    """`first` to `last` widened to a share of the whole, and moved to stay inside it."""
    size = max(last - first, (most - least) * LEAST_SHARE)
    start = min(max((first + last - size) / 2, least), most - size)
    return start, start + size


def _rings(shape: dict[str, object] | None) -> list[list[tuple[float, float]]]:
    if not shape:
        return []
    coordinates: list = shape["coordinates"]  # type: ignore[type-arg,assignment]
    polygons = [coordinates] if shape["type"] == "Polygon" else coordinates
    return [[(p[0], p[1]) for p in ring] for polygon in polygons for ring in polygon]


def _path(frame: Frame, rings: list[list[tuple[float, float]]]) -> str:
    return "".join("M" + "L".join(f"{x} {y}" for x, y in (frame.xy(*p) for p in ring)) + "Z" for ring in rings)
