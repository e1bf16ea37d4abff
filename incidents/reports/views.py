"""The weekly summary as a page, and its files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import wraps
from typing import IO, Any, cast

from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from commands.authority import judge_file, may_file
from commands.models import User
from elections.models import Election
from incidents.choices import Channel
from incidents.querysets import IncidentQuerySet
from incidents.reports import asked, csv, weekly, words, xlsx
from incidents.reports.asked import Asked
from incidents.turn import record_export

View = Callable[[HttpRequest, Asked], HttpResponseBase]


def _door(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """Turn the address into what is asked for; 404 for whose posting has no summary, 400 in words for a bad address."""

    @wraps(view)
    def door(request: HttpRequest) -> HttpResponseBase:
        user, now = cast(User, request.user), timezone.now()
        if not may_file("weekly", user.current_postings):
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
        "zone": words.zone(),
        "compared": words.compared(made),
        "column_now": now,
        "column_before": before,
        "place_measures": [weekly.MEASURES[name] for name in weekly.IN_PLACE],
    }


# ---- Files ----


@require_GET
@_door
def summary_csv(request: HttpRequest, found: Asked) -> HttpResponseBase:
    return summary_file(found)


@require_GET
@_door
def workbook(request: HttpRequest, found: Asked) -> HttpResponseBase:
    return workbook_file(found)


@require_GET
@_door
def cases_csv(request: HttpRequest, found: Asked) -> HttpResponseBase:
    return cases_file(found)


def summary_file(found: Asked) -> HttpResponseBase:
    """The figures as CSV: no row of a case is in it."""
    return _named(StreamingHttpResponse(csv.summary_csv(weekly.build(found)), csv.CONTENT_TYPE), found, "SUMMARY.csv")


def cases_file(found: Asked, channel: str = Channel.BROWSER) -> HttpResponseBase:
    """The case rows as CSV, streamed, and journaled before the first leaves. Raises PermissionDenied."""
    judge_file("rows", found.user.current_postings)
    cases = rows_of(found)
    mark = _journal("weekly-cases.csv", found, cases, channel)
    stream = csv.rows_csv(cases, at=found.question.span.end, mark=mark)
    return _named(StreamingHttpResponse(stream, csv.CONTENT_TYPE), found, "CASES.csv")


def workbook_file(found: Asked, channel: str = Channel.BROWSER) -> HttpResponseBase:
    """Everything as a workbook; with case rows, and then journaled, where the person may have them."""
    cases, mark = None, ""
    if may_file("rows", found.user.current_postings):
        cases = rows_of(found)
        mark = _journal("weekly.xlsx", found, cases, channel)
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it when it is sent
    xlsx.write(file, weekly.build(found), cases, mark=mark)
    file.seek(0)
    return _named(FileResponse(file, content_type=xlsx.CONTENT_TYPE), found, "SUMMARY.xlsx")


def rows_of(found: Asked) -> IncidentQuerySet:
    """The cases reported in the week, oldest first; a sealed one has no row, whoever asks."""
    return found.question.reported().filter(is_sealed=False).order_by("reported_at", "id")


def _journal(what: str, found: Asked, cases: IncidentQuerySet, channel: str) -> str:
    """The number of the export in the journal, for every copy to carry."""
    count = cases.count()
    return str(record_export(what, found.query(), count, by=found.user, now=found.now, channel=channel).pk)


def _named(response: Any, found: Asked, name: str) -> HttpResponseBase:
    what, _dot, ending = name.partition(".")
    file = words.file_name(what, found.week, found.election.code, ending)
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    response["Cache-Control"] = "private, no-store"
    return cast(HttpResponseBase, response)
