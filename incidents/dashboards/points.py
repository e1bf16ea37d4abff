"""Cases on a map: those of a viewport, clustered on a grid by the server.

Never on a map, for anybody: sealed cases, and alleged incitement (speech has no place on a map of danger). The cluster
says how many and how bad; a single case says reference, category, severity and state, nothing of the narrative. People
without the exact place (tier T2) get the middle of the commune.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Avg, Case, Count, F, IntegerField, Max, Min, Q, Sum, Value, When
from django.db.models.functions import Floor, Substr
from django.utils.translation import gettext as _

from elections.models import Jurisdiction
from incidents.choices import SEVERITY_ORDER, PointPrecision, Severity, State
from incidents.dashboards.question import Question
from incidents.models import Category
from incidents.querysets import OPERATIONAL_ONLY, IncidentQuerySet

#: Up to so many cases are told one by one, beyond it the database makes the grid.
SINGLES = 300
#: No answer holds more features than this.
MOST_FEATURES = 600
#: From so many cases in view they stand at their district's label point, counted from the tallies.
MANY = 5_000
#: Width of a grid cell on the screen, pixels.
CELL = 64
ZOOMS = range(0, 19)
_RANK = {rank: severity for severity, rank in SEVERITY_ORDER.items()}


@dataclass(frozen=True)
class View:
    """The box of a map in degrees WGS 84, and its zoom."""

    west: float
    south: float
    east: float
    north: float
    zoom: int

    @property
    def cell(self) -> float:
        """Width of a grid cell in degrees: CELL pixels of a world 256 pixels wide at zoom 0."""
        return float(360 / 2**self.zoom / 256 * CELL)


def read_view(bbox: str, zoom: str) -> View:
    """Read `bbox` (west,south,east,north) and `zoom`; ValidationError names the one that is wrong."""
    errors = {}
    sides: list[float] = []
    try:
        sides = [float(side) for side in bbox.split(",")]
        west, south, east, north = sides
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValueError
    except ValueError:
        errors["bbox"] = _("«%(bbox)s» is not a box: west,south,east,north in degrees.") % {"bbox": bbox[:80]}
    if not (zoom.isascii() and zoom.isdigit() and int(zoom[:4]) in ZOOMS):
        errors["zoom"] = _("«%(zoom)s» is not a zoom from 0 to 18.") % {"zoom": zoom[:20]}
    if errors:
        raise ValidationError(errors)
    return View(sides[0], sides[1], sides[2], sides[3], int(zoom))


def points(question: Question, view: View) -> dict[str, Any]:
    """The cases of the view as GeoJSON: clusters with count and worst severity, single cases where there is room.

    Open cases unless the filter asks for a state. `rounded` says that places are those of communes.
    """
    asked = question.but(state=question.asked.state or ("open",))
    rounded = sees_no_exact_place(question)
    part = f"points {view} {rounded}"
    found = asked.remembered(part, lambda: _points(asked, view, rounded))
    features = [_feature(f) for f in found[:MOST_FEATURES]]
    return {
        "type": "FeatureCollection",
        "features": _in_words(features),
        "as_of": question.now.isoformat(),
        "rounded": rounded,
        "cases": sum(f["n"] for f in found),
        "is_cut": len(found) > MOST_FEATURES,
    }


def sees_no_exact_place(question: Question) -> bool:
    """Whether the person sees operational data only (tier T1): one posting that may see more is not enough to know."""
    return any(p.role in OPERATIONAL_ONLY for p in question.user.current_postings)


def speech_codes() -> list[str]:
    """Categories of alleged incitement: those without a usual severity. They wait for a worksheet."""
    return list(Category.objects.filter(default_severity=Severity.UNRATED).values_list("code", flat=True))


def _points(question: Question, view: View, rounded: bool) -> list[dict[str, Any]]:
    speech = speech_codes()
    cells = question.here()
    if cells is not None:
        districts = _by_district(cells.exclude(category__in=speech), view)
        if sum(d["n"] for d in districts) > MANY:
            return _clustered(districts, view)
    cases = question.cases().filter(is_sealed=False).exclude(category__in=speech)
    if rounded:
        # One look for all: whether a case has a point of its own is not for them to know.
        # Asked as two, because joined by OR no index of open cases serves.
        return _clustered(
            _by_commune([cases.filter(lat__isnull=False), cases.filter(_SERIOUS, lat__isnull=True)], view), view
        )
    inside = cases.in_bbox(view.west, view.south, view.east, view.north)
    rows = list(inside.values(*_ROW)[: SINGLES + 1])
    exact = _clustered([_single(row) for row in rows], view) if len(rows) <= SINGLES else _gridded(inside, view)
    somewhere = _clustered(_by_commune([cases.filter(_SERIOUS, lat__isnull=True)], view), view)
    if not somewhere:
        return exact
    return sorted(exact + [{**group, "area": True} for group in somewhere], key=lambda f: (-f["worst"], -f["n"]))


#: Without a point these stand at the label point of their area; others are counted in it and no more.
_SERIOUS = Q(severity__in=(Severity.CRITICAL, Severity.HIGH))
_ROW = ("reference", "pk", "category", "severity", "state", "lat", "lon", "place", "point_precision")
_CASE = ("reference", "pk", "category", "severity", "state", "point_precision")
_SEVERITY_RANK = Case(
    *(When(severity=severity, then=Value(rank)) for severity, rank in SEVERITY_ORDER.items()),
    default=Value(0),
    output_field=IntegerField(),
)


def _single(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "n": 1,
        "worst": SEVERITY_ORDER[Severity(row["severity"])],
        "lat": row["lat"],
        "lon": row["lon"],
        "code": row["place"],
        "fixed": True,
        "case": tuple(str(row[name]) for name in _CASE),
    }


def _gridded(cases: IncidentQuerySet, view: View) -> list[dict[str, Any]]:
    """Cells of the grid, counted by the database; cells with one case get its row."""
    cells = list(
        cases.annotate(x=Floor(F("lon") / view.cell), y=Floor(F("lat") / view.cell))
        .values("x", "y")
        .annotate(
            n=Count("*"),
            worst=Max(_SEVERITY_RANK),
            one=Min("reference"),
            first=Min("place"),
            last=Max("place"),
            width=Max("lon") - Min("lon"),
            height=Max("lat") - Min("lat"),
            # Under these names the columns are means from here on.
            lat=Avg("lat"),
            lon=Avg("lon"),
        )
        .order_by("-worst", "-n", "x", "y")[: MOST_FEATURES + 1]
    )
    alone = [c["one"] for c in cells if c["n"] == 1]
    rows = {row["reference"]: row for row in cases.filter(reference__in=alone).values(*_ROW)}
    return [
        _single(rows[c["one"]])
        if c["n"] == 1 and c["one"] in rows
        else {**c, "case": None, "code": _common((c["first"], c["last"])), "fixed": not (c["width"] or c["height"])}
        for c in cells
    ]


def _common(codes: Iterable[str]) -> str:
    """The code of the smallest area that holds all of these places."""
    first, last = (wanted := sorted(codes))[0], wanted[-1]
    length = min(len(first), len(last)) // 2 * 2
    while length and first[:length] != last[:length]:
        length -= 2
    return first[:length]


def _by_commune(sets: list[IncidentQuerySet], view: View) -> list[dict[str, Any]]:
    """Cases of all `sets` at the label point of their commune: what a viewer without the exact place may know."""
    communes: dict[str, dict[str, Any]] = {}
    for cases in sets:
        rows = (
            cases.annotate(code=Substr("place", 1, 8))
            .values("code")
            .annotate(n=Count("*"), worst=Max(_SEVERITY_RANK), one=Min("reference"))
            .order_by()
        )
        for row in rows:
            known = communes.setdefault(row["code"], {"code": row["code"], "n": 0, "worst": 0, "one": row["one"]})
            known["n"] += row["n"]
            known["worst"] = max(known["worst"], row["worst"])
    groups = _located(communes.values(), view)
    alone = [g["one"] for g in groups if g["n"] == 1][:SINGLES]
    details = {row["reference"]: row for cases in sets for row in cases.filter(reference__in=alone).values(*_ROW)}
    return [
        {**g, "case": _single(details[g["one"]])["case"] if g["n"] == 1 and g["one"] in details else None}
        for g in groups
    ]


def _by_district(cells: Any, view: View) -> list[dict[str, Any]]:
    """Tallied cases at the label point of their district."""
    rows = (
        cells.annotate(code=F("district_code"))
        .values("code")
        .annotate(n=Sum("count"), worst=Max(_SEVERITY_RANK))
        .order_by()
    )
    # Closer by, where they are fewer, cases stand where they are.
    return [{**g, "case": None, "fixed": False} for g in _located((r for r in rows if r["n"]), view)]


def _located(rows: Iterable[Any], view: View) -> list[dict[str, Any]]:
    """`rows` by place code with the place's label point, those inside the view."""
    listed = list(rows)
    codes = {r["code"] for r in listed}
    places = {
        code: (lat, lon)
        for code, lat, lon in Jurisdiction.objects.filter(pk__in=codes, lat__isnull=False).values_list(
            "pcode", "lat", "lon"
        )
    }
    found = []
    for row in listed:
        lat, lon = places.get(row["code"], (None, None))
        if lat is not None and lon is not None and view.south <= lat <= view.north and view.west <= lon <= view.east:
            found.append({**row, "lat": lat, "lon": lon, "fixed": True})
    return found


def _clustered(groups: list[dict[str, Any]], view: View) -> list[dict[str, Any]]:
    """Groups of one grid cell made one; worst and largest first."""
    cells: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for group in groups:
        cells[math.floor(group["lon"] / view.cell), math.floor(group["lat"] / view.cell)].append(group)
    found = []
    for together in cells.values():
        n = sum(g["n"] for g in together)
        found.append(
            {
                "n": n,
                "worst": max(g["worst"] for g in together),
                "lat": sum(g["lat"] * g["n"] for g in together) / n,
                "lon": sum(g["lon"] * g["n"] for g in together) / n,
                "case": together[0]["case"] if n == 1 else None,
                "code": _common(g["code"] for g in together),
                "fixed": all(g["fixed"] for g in together) and len({(g["lat"], g["lon"]) for g in together}) == 1,
            }
        )
    return sorted(found, key=lambda f: (-f["worst"], -f["n"], f["lon"], f["lat"]))


def _feature(found: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {"count": found["n"], "severity": str(_RANK[found["worst"]])}
    if found["case"]:
        told = dict(zip(("reference", "id", "category", "severity", "state", "precision"), found["case"], strict=True))
        properties |= told
    else:
        properties |= {"place": found["code"], "is_one_point": found["fixed"]}
    if found.get("area"):
        properties |= {"is_area": True, "area": found["code"]}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [round(found["lon"], 5), round(found["lat"], 5)]},
        "properties": properties,
    }


def _in_words(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The words of category, severity and state, in the reader's language."""
    codes = {f["properties"]["category"] for f in features if "category" in f["properties"]}
    names = {c.code: c.name for c in Category.objects.filter(pk__in=codes)} if codes else {}
    areas = {f["properties"]["area"] for f in features if "area" in f["properties"]}
    named = {place.pk: place.full_name for place in Jurisdiction.objects.filter(pk__in=areas)} if areas else {}
    for feature in features:
        told = feature["properties"]
        if "area" in told:
            place = named.get(told.pop("area"), "")
            told["area_label"] = _("Somewhere in %(place)s: no exact point is known.") % {"place": place}
        told["severity_label"] = str(Severity(told["severity"]).label)
        if "category" in told:
            told |= {
                "category_label": names[told["category"]],
                "state_label": str(State(told["state"]).label),
                "precision_label": str(PointPrecision(told["precision"]).label),
            }
    return features
