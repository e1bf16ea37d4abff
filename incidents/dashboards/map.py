"""The areas of a map: their counts and shades, which of them are silent, their outlines. Points are in points.py."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from elections import geometry
from elections.choices import Level
from elections.models import Jurisdiction
from incidents.dashboards.breakdowns import open_by_place, without_point
from incidents.dashboards.question import Question
from incidents.dashboards.silence import silence

#: Least counts of the five shades; 0 is a class of its own. The scales are few and fixed, so that a shade means the
#: same tomorrow: only when more than a third of the areas would be darkest does the next one hold, and the legend says
#: so.
SCALES = (
    (1, 5, 10, 15, 20), (1, 25, 50, 75, 100), (1, 100, 200, 300, 400), (1, 500, 1_000, 1_500, 2_000),
    (1, 2_500, 5_000, 7_500, 10_000),
)  # fmt: skip
CHILD_LEVEL = {2: Level.PROVINCE, 4: Level.DISTRICT, 6: Level.COMMUNE}
ROOT = "KH"
NONE = {"open": 0, "late": 0, "critical": 0, "high": 0}


# ---- Areas ----


def scale_for(counts: Iterable[int]) -> tuple[int, ...]:
    """The scale on which no more than a third of the areas are darkest."""
    listed = list(counts)
    for scale in SCALES:
        if sum(n >= scale[-1] for n in listed) * 3 <= len(listed):
            return scale
    return SCALES[-1]


def shade(count: int, scale: tuple[int, ...] = SCALES[0]) -> int:
    """0 for none, else the class 1 to 5 of `count`."""
    return sum(count >= least for least in scale)


def children_of(place: str, question: Question) -> list[Jurisdiction]:
    """The areas under `place`, by code; none under a commune."""
    level = CHILD_LEVEL.get(len(place))
    if level is None:
        return []
    return list(Jurisdiction.objects.filter(parent=place, level=level, valid_to=None).order_by("pcode"))


def root_of(question: Question) -> str:
    """The place the map shows: the one asked for, else all the viewer has, else the country."""
    if question.asked.place:
        return question.asked.place
    whole = question.places or ()
    codes = {code or ROOT for code in whole}
    return codes.pop() if len(codes) == 1 else ROOT


def check_place(place: str) -> str:
    """`place` where it can be divided; ValidationError names what is wrong."""
    if len(place) not in CHILD_LEVEL or not Jurisdiction.objects.filter(pk=place).exists():
        raise ValidationError(
            {"place": _("«%(place)s» is not a country, province or district.") % {"place": place[:20]}}
        )
    return place


def area_counts(question: Question, place: str) -> dict[str, Any]:
    """Counts of the areas under `place`: light, fetched again and again; the outlines are `outlines`."""
    length = len(place) + 2
    inside = question.but(place=place) if len(place) > 2 else question
    counted: dict[str, Any] = question.remembered(
        f"areas {place}",
        lambda: {
            "areas": {c: vars(v) for c, v in open_by_place(inside, length).items()},
            "without_point": without_point(inside),
        },
    )
    quiet = silence(question, place)
    shown = [area for area in children_of(place, question) if _in_view(area.pcode, question)]
    scale = scale_for(counted["areas"].get(area.pcode, NONE)["open"] for area in shown)
    areas = []
    for area in shown:
        here = counted["areas"].get(area.pcode, NONE)
        silent, districts = quiet.get(area.pcode, (None, None))
        areas.append(
            {
                "code": area.pcode,
                "name": area.name,
                "fictional": area.is_fictional,
                "has_outline": area.has_outline,
                "lat": area.lat,
                "lon": area.lon,
                **here,
                "shade": shade(here["open"], scale),
                "districts": districts,
                "silent_districts": silent,
                "silent": bool(districts) and silent == districts,
            }
        )
    return {
        "as_of": question.now.isoformat(),
        "place": place,
        "breaks": list(scale),
        "areas": areas,
        "without_point": counted["without_point"],
        "without_area": counted["areas"].get(place, NONE)["open"],
    }


def _in_view(code: str, question: Question) -> bool:
    """Whether any of an area is the viewer's: others are left out, they are not «0»."""
    whole = question.places
    return whole is None or any(code.startswith(c) or c.startswith(code) for c in whole)


def outlines(place: str) -> dict[str, Any]:
    """Outlines of the areas under `place` as a GeoJSON FeatureCollection, without counts."""
    return geometry.outlines(place)


@functools.cache
def outline_version() -> str:
    """Changes with the boundary files, so that their address may be kept for a year."""
    files = sorted(settings.COUNTRY_DATA.glob("*.geojson"))
    return etag(*((f.name, f.stat().st_size, int(f.stat().st_mtime)) for f in files)).strip('"')[:12]


def areas(question: Question, place: str) -> dict[str, Any]:
    """Areas with outline and counts in one FeatureCollection, for other systems; an area without outline is null."""
    counts = area_counts(question, place)
    shapes = {f["id"]: f["geometry"] for f in outlines(place)["features"]}
    features = [
        {"type": "Feature", "id": a["code"], "geometry": shapes.get(a["code"]), "properties": a}
        for a in counts["areas"]
    ]
    rest = {k: v for k, v in counts.items() if k != "areas"}
    return {"type": "FeatureCollection", "features": features, **rest}


def etag(*parts: object) -> str:
    """A strong ETag of an answer made of `parts`."""
    return '"' + hashlib.sha256(json.dumps([str(p) for p in parts]).encode()).hexdigest()[:32] + '"'
