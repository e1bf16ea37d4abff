"""The weekly summary as a page, and its files."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from commands.authority import judge_file, may_file
from commands.models import User
from elections.models import Election
from incidents.dashboards.measures import MEASURES
from incidents.reports import asked, files, tables, weekly, words
from incidents.reports.asked import Asked

View = Callable[[HttpRequest, Asked], HttpResponseBase]


def _door(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """Turn the address into what is asked for; 404 for whose posting has no summary, 400 in words for a bad address."""

    @wraps(view)
    def door(request: HttpRequest) -> HttpResponseBase:
        user, now = cast(User, request.user), timezone.now()
        if not weekly.is_for(user):
            raise Http404
        try:
            found = asked.read(request.GET, user, now, preferred=request.session.get("election", ""))
        except ValidationError as error:
            return render(request, "reports/refused.html", {"errors": error.messages}, status=400)
        if found is None:
            return render(request, "reports/none.html")
        return view(request, found)

    return door


@require_safe
@_door
def page(request: HttpRequest, found: Asked) -> HttpResponse:
    made = weekly.build(found)
    weeks = [(week.code, words.week_option(week, found.now)) for week in asked.weeks_to_choose(found)]
    context = {
        "weekly": made,
        "asked": found,
        "about": words.about(made),
        "weeks": weeks,
        "elections": Election.objects.shown(),
        "may_rows": may_file("rows", found.user.current_postings),
        **_neighbours(found),
        **_titles(made),
    }
    return render(request, "reports/weekly.html", context)


def _neighbours(found: Asked) -> dict[str, Any]:
    bounds = asked.weeks_with_reports(found.user, found.now, found.election)
    return {
        "earlier": found.query(found.week.before),
        "later": found.query(found.week.after) if found.week.after.has_begun(found.now) else "",
        "last_week": bounds[1] if bounds and bounds[1] != found.week else None,
        "last_query": found.query(bounds[1]) if bounds else "",
    }


def _titles(made: weekly.Weekly) -> dict[str, Any]:
    now, before = words.periods(made)
    return {
        "days": words.days(made.week.monday, made.week.sunday),
        "cut_off": words.moment(made.cut_off),
        "zone": words.zone(made.cut_off),
        "compared": words.compared(made),
        "column_now": now,
        "column_before": before,
        "tables": {table.name: table for table in tables.tables(made.sections, now, before)},
        "place_measures": [MEASURES[name] for name in weekly.IN_PLACE],
    }


# ---- Files ----


@require_GET
@_door
def summary_csv(request: HttpRequest, found: Asked) -> HttpResponseBase:
    return files.summary_csv(found)


@require_GET
@_door
def workbook(request: HttpRequest, found: Asked) -> HttpResponseBase:
    return files.workbook(found)


@require_GET
def cases_csv(request: HttpRequest) -> HttpResponseBase:
    judge_file("rows", cast(User, request.user).current_postings)
    return _cases(request)


@_door
def _cases(request: HttpRequest, found: Asked) -> HttpResponseBase:
    return files.cases_csv(found)
