"""The dashboard page as values: every part asks measures and breakdowns, and says its finding in a sentence.

Here the map with its table, its way up and one area closer; the other parts are modules of their own (cards, trend,
side).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from elections.choices import Level
from elections.models import Jurisdiction
from incidents.choices import Severity
from incidents.dashboards import breakdowns, charts
from incidents.dashboards import map as maps
from incidents.dashboards.cards import alarms, one, tiles
from incidents.dashboards.conduct import SEALED_ROLES, may_count
from incidents.dashboards.links import listing
from incidents.dashboards.points import sees_no_exact_place
from incidents.dashboards.question import Question
from incidents.dashboards.side import response, sealed, trust, waiting_for_nec
from incidents.dashboards.silence import DAYS as SILENT_DAYS
from incidents.dashboards.trend import daily, trend

#: Categories named in the panel of one area.
CATEGORIES = 5
#: Bars of the table, pixels: where a column tells of silence there is less room.
WIDE_BAR, NARROW_BAR = 48, 20


def build(question: Question) -> dict[str, Any]:
    """Everything the dashboard shows to one person at one moment, under one set of filters."""
    place = maps.root_of(question)
    counts = maps.area_counts(question, place) if len(place) in maps.CHILD_LEVEL else None
    severities = question.remembered("severities", lambda: dict(breakdowns.open_by_severity(question)))
    here = Jurisdiction.objects.select_related("parent", "parent__parent").get(pk=place)
    return {
        "now": question.now,
        "place": here,
        **around(question, here, counts),
        "tiles": tiles(question, severities),
        "alarms": alarms(question, severities),
        "counts": counts,
        "map_title": map_title(counts) if counts else "",
        "picked": picked(question, here, counts),
        "trend": trend(question),
        "response": response(question),
        "trust": trust(question),
        "is_of_own_cases": question.places is None,
        "nec": waiting_for_nec(question),
        "sealed": sealed(question),
        "is_sealed_kept": question.user.has_role(*SEALED_ROLES) and not may_count(question.user),
    }


# ---- The map and its table ----

LEVEL_NAMES = {
    Level.COUNTRY: _lazy("Province"),
    Level.PROVINCE: _lazy("District"),
    Level.DISTRICT: _lazy("Commune"),
}


def around(question: Question, here: Jurisdiction, counts: dict[str, Any] | None) -> dict[str, Any]:
    """What stands about the map: the way up, areas without an outline, the legend, what its rows are called."""
    rows = area_rows(question, counts) if counts else []
    beside = [row for row in rows if not row["has_outline"]]
    return {
        "areas": rows,
        "tiles_beside": beside,
        "no_outlines": len(beside) == len(rows),
        "level_name": LEVEL_NAMES.get(Level(here.level), ""),
        "crumbs": crumbs(question, here),
        "rounded": sees_no_exact_place(question),
        "shape_names": [s.value for s in Severity if s != Severity.UNRATED],
        "outline_version": maps.outline_version(),
        "shades": shades(counts["breaks"]) if counts else [],
        "tells_silence": any(row["districts"] for row in rows),
        "silent": sum(row["silent_districts"] or 0 for row in rows),
        "districts": sum(row["districts"] or 0 for row in rows),
        "silent_days": SILENT_DAYS,
    }


def crumbs(question: Question, here: Jurisdiction) -> list[tuple[str, str]]:
    """The way up from `here`, highest first: name and query string of each place above that is the viewer's to see."""
    whole = question.but(place="").places
    found: list[tuple[str, str]] = []
    above = here.parent
    while above is not None and (whole is None or any(above.pk.startswith(code) for code in whole)):
        is_top = above.parent_id is None
        name = _("The whole country") if is_top else above.full_name
        found.append((name, question.asked.query_string(place="" if is_top else above.pk)))
        above = above.parent
    return found[::-1]


def shades(scale: list[int]) -> list[str]:
    """The classes of the map in words: 0, 1-4, … 20+."""
    ranges = [f"{least}–{above - 1}" for least, above in pairwise(scale)]
    return ["0", *ranges, f"{scale[-1]}+"]


def area_rows(question: Question, counts: dict[str, Any]) -> list[dict[str, Any]]:
    """The map as a table: each area with its counts, the way to its districts and to its cases."""
    most = max((a["open"] for a in counts["areas"]), default=0)
    return [
        {
            **area,
            "bar": charts.share_width(area["open"], most, NARROW_BAR if area["districts"] else WIDE_BAR),
            "drill": question.asked.query_string(place=area["code"]),
            "links": {
                "open": listing(question.asked, place=area["code"], state=("open",)),
                "critical": listing(question.asked, place=area["code"], state=("open",), severity=("critical",)),
                "high": listing(question.asked, place=area["code"], state=("open",), severity=("high",)),
                "late": listing(question.asked, place=area["code"], state=("late",)),
            },
        }
        for area in counts["areas"]
    ]


def map_title(counts: dict[str, Any]) -> str:
    """The finding of the map in one sentence."""
    total = sum(a["open"] for a in counts["areas"]) + counts["without_area"]
    ranked = sorted(counts["areas"], key=lambda a: -a["open"])
    if not total:
        return _("No case is open here")
    if len(ranked) < 2 or not ranked[1]["open"]:
        return _("All open cases are in %(place)s") % {"place": ranked[0]["name"]}
    first, second = ranked[0], ranked[1]
    if first["open"] == second["open"] and len(ranked) > 2 and ranked[2]["open"] == first["open"]:
        return _("Open cases are spread evenly: no place stands out")
    return _("%(first)s and %(second)s have the most open cases: %(n)d of %(total)d") % {
        "first": first["name"],
        "second": second["name"],
        "n": first["open"] + second["open"],
        "total": total,
    }


def picked(question: Question, here: Jurisdiction, counts: dict[str, Any] | None) -> dict[str, Any] | None:
    """One area closer: the place asked for, else the one with most open cases."""
    code, area = question.asked.place, None
    if not code and counts:
        area = max((a for a in counts["areas"] if a["open"]), key=lambda a: a["open"], default=None)
        code = area["code"] if area else ""
    if len(code) <= 2:
        return None
    inside = question.but(place=code)
    counted = inside.remembered("by category", lambda: breakdowns.open_by_category(inside))
    categories, rest = counted[:CATEGORIES], counted[CATEGORIES:]
    names = {c.code: c.name for c in question.categories}
    most = categories[0][1] if categories else 0
    return {
        "name": area["name"] if area else here.name,
        "open": sum(n for _code, n in counted),
        "late": area["late"] if area else one("late", inside),
        "cases": listing(question.asked, place=code, state=("open",)),
        "late_cases": listing(question.asked, place=code, state=("late",)),
        "categories": [
            (names[c], n, charts.share_width(n, most, 88), listing(inside.asked, state=("open",), category=(c,)))
            for c, n in categories
        ],
        "others": sum(n for _code, n in rest),
        "spark": daily(inside),
    }
