"""Where a point lies and what an area looks like: the only module that knows how shapes are stored.

Boundaries are the GeoJSON files of the country's data folder, read once when first asked for and kept. Shapely is
imported inside functions: pages that need no shape do not pay for it. Degrees are WGS 84; arguments go latitude first
as people say them, GeoJSON goes longitude first (RFC 7946).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from elections.choices import Level
from elections.models import CODE_LENGTH

if TYPE_CHECKING:
    import numpy as np
    from shapely import Geometry, STRtree

#: A point this far outside the outermost boundary still counts as inside: 0.02 degrees, about 2 km. The lines are
#: thinned, islands under 0.01 km2 are missing and phones err near a border.
TOLERANCE = 0.02
#: Corners of a smaller triangle than this many degrees square are dropped in outlines for pages. The provinces together
#: come to 45 kB so, 12 kB compressed, and a phone cannot show more.
_THINNING = {Level.PROVINCE: 0.015, Level.DISTRICT: 0.006, Level.COMMUNE: 0.001}
_FILES = {Level.PROVINCE: "adm1.geojson", Level.DISTRICT: "adm2.geojson", Level.COMMUNE: "adm3.geojson"}
_LEVEL_OF_LENGTH = {length: level for level, length in CODE_LENGTH.items()}
_CHILD = {Level.COUNTRY: Level.PROVINCE, Level.PROVINCE: Level.DISTRICT, Level.DISTRICT: Level.COMMUNE}


@dataclass(frozen=True)
class _Layer:
    """One level's shapes, in the order of their codes."""

    codes: list[str]
    index: dict[str, int]
    shapes: np.ndarray[Any, Any]
    points: list[tuple[float, float]]
    tree: STRtree


# ---- Where a point lies ----


def place(lat: float, lon: float) -> str | None:
    """P-code of the commune whose outline holds the point; None on a lake that belongs to no commune, or abroad.

    On a shared line the lower code wins. A commune made after the boundaries were drawn is found as the one it left.
    """
    layer = _layer(Level.COMMUNE)
    holding = layer.tree.query(_point(lat, lon))
    found = [i for i in sorted(holding) if _prepared()[i](lon, lat)]
    return layer.codes[found[0]] if found else None


def places(lats: Sequence[float], lons: Sequence[float]) -> list[str | None]:
    """`place` for many points at once; about ten times as fast for each."""
    import numpy as np
    import shapely

    layer = _layer(Level.COMMUNE)
    points: Any = shapely.points(np.asarray(lons, dtype=float), np.asarray(lats, dtype=float))
    hits = layer.tree.query(points, predicate="intersects")
    found: list[str | None] = [None] * len(points)
    for point, shape in sorted(zip(*hits.tolist(), strict=True), reverse=True):
        found[point] = layer.codes[shape]
    return found


def nearest(lat: float, lon: float) -> str | None:
    """P-code of the commune that holds the point or lies nearest to it; None outside the country.

    For reports from a floating village on a lake, and for points just off a thinned line.
    """
    inside = place(lat, lon)
    if inside or not inside_country(lat, lon):
        return inside
    layer = _layer(Level.COMMUNE)
    return layer.codes[int(layer.tree.nearest(_point(lat, lon)))]


def inside_country(lat: float, lon: float) -> bool:
    """Whether the point is in the country or within TOLERANCE of it; lakes inside count as the country."""
    import shapely

    return bool(shapely.contains_xy(_country(), lon, lat))


# ---- What an area looks like ----


@functools.lru_cache(maxsize=512)
def outlines(area: str, *, thinned: bool = True) -> dict[str, Any]:
    """GeoJSON FeatureCollection of the areas directly under P-code `area`, each with its P-code as `id`.

    Thinned together, so neighbours keep one common line. Empty below districts: no source gives villages outlines.
    The answer is shared between callers: do not change it.
    """
    import shapely

    level = _CHILD.get(level_of(area))
    features: list[dict[str, Any]] = []
    if level:
        layer = _layer(level)
        shapes = _thinned(level) if thinned else layer.shapes
        for code, shape in zip(layer.codes, shapes, strict=True):
            if code.startswith(area):
                outline = json.loads(shapely.to_geojson(shape))
                features.append({"type": "Feature", "id": code, "properties": {"code": code}, "geometry": outline})
    return {"type": "FeatureCollection", "features": features}


def label_point(code: str) -> tuple[float, float] | None:
    """Latitude and longitude well inside the area's largest polygon; None without an outline."""
    found = _find(code)
    return found[0].points[found[1]] if found else None


def bounds(code: str) -> tuple[float, float, float, float] | None:
    """West, south, east and north of the area, or of the whole country; None without an outline."""
    import shapely

    if level_of(code) == Level.COUNTRY:
        box = shapely.total_bounds(_layer(Level.PROVINCE).shapes)
    elif found := _find(code):
        box = shapely.bounds(found[0].shapes[found[1]])
    else:
        return None
    west, south, east, north = (float(side) for side in box)
    return west, south, east, north


def scatter(code: str, count: int, seed: int) -> list[tuple[float, float]]:
    """`count` points (latitude, longitude) inside the area, spread evenly, repeatable by its seed; for made data."""
    import numpy as np
    import shapely

    found, box = _find(code), bounds(code)
    if not found or not box:
        return []
    shape = found[0].shapes[found[1]]
    shapely.prepare(shape)
    west, south, east, north = box
    random = np.random.default_rng(seed)
    inside: list[tuple[float, float]] = []
    while len(inside) < count:
        # Rounded to about a metre before the test: rounding afterwards can carry a point over the line.
        lons, lats = random.uniform(west, east, 4 * count).round(5), random.uniform(south, north, 4 * count).round(5)
        held = shapely.contains_xy(shape, lons, lats)
        inside += zip(lats[held].tolist(), lons[held].tolist(), strict=True)
    return inside[:count]


def outlined_codes() -> set[str]:
    """P-codes of every area that has an outline."""
    return {code for level in _FILES for code in _layer(level).codes}


def level_of(code: str) -> Level:
    """The level a P-code belongs to, by its length. Raises ValueError for a length no level has."""
    if len(code) not in _LEVEL_OF_LENGTH:
        raise ValueError(f"not a P-code: {code!r}")
    return _LEVEL_OF_LENGTH[len(code)]


# ---- How it is stored ----


def country() -> dict[str, str]:
    """The country's own row: code, names, attribution of its data."""
    return dict(json.loads((settings.COUNTRY_DATA / "country.json").read_text(encoding="utf-8")))


@functools.cache
def _layer(level: Level) -> _Layer:
    import numpy as np
    import shapely
    from shapely.geometry import shape

    root = country()["code"]
    features = json.loads((settings.COUNTRY_DATA / _FILES[level]).read_text(encoding="utf-8"))["features"]
    features.sort(key=lambda f: f["id"])
    codes = [root + f["id"] for f in features]
    shapes = np.array([shape(f["geometry"]) for f in features], dtype=object)
    points = [(f["properties"]["lat"], f["properties"]["lon"]) for f in features]
    return _Layer(codes, {c: i for i, c in enumerate(codes)}, shapes, points, shapely.STRtree(shapes))


@functools.cache
def _prepared() -> list[Any]:
    """One test for each commune: whether it holds longitude, latitude. Prepared shapes answer ten times as fast."""
    import shapely

    shapes = _layer(Level.COMMUNE).shapes
    shapely.prepare(shapes)
    return [functools.partial(shapely.intersects_xy, shape) for shape in shapes]


@functools.cache
def _country() -> Geometry:
    """The country with its lakes filled and TOLERANCE around it."""
    import shapely

    whole = shapely.union_all(_layer(Level.PROVINCE).shapes)
    filled = [shapely.Polygon(part.exterior) for part in shapely.get_parts(whole)]
    area = shapely.buffer(shapely.union_all(filled), TOLERANCE)
    shapely.prepare(area)
    return area


@functools.cache
def _thinned(level: Level) -> Any:
    import shapely

    thin = shapely.coverage_simplify(_layer(level).shapes, _THINNING[level])
    # Four decimals are 11 m; rounding every vertex alike keeps common lines common.
    rounded = shapely.transform(thin, lambda xy: xy.round(4))
    return shapely.orient_polygons(rounded)


def _point(lat: float, lon: float) -> Any:
    import shapely

    return shapely.points(lon, lat)


def _find(code: str) -> tuple[_Layer, int] | None:
    level = level_of(code)
    if level not in _FILES:
        return None
    layer = _layer(level)
    return (layer, layer.index[code]) if code in layer.index else None
