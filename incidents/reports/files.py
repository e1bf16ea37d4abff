"""The files of a weekly summary as answers: named, streamed, and journaled where rows of cases are in them."""

from __future__ import annotations

import tempfile
from typing import IO, TypeVar

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse

from commands.authority import judge_file, may_file
from incidents.choices import Channel
from incidents.entries import record_export
from incidents.querysets import IncidentQuerySet
from incidents.reports import csv, weekly, words, xlsx
from incidents.reports.asked import Asked

_Response = TypeVar("_Response", bound=HttpResponseBase)


def summary_csv(found: Asked) -> HttpResponseBase:
    """The figures as CSV: no row of a case is in it."""
    return _named(StreamingHttpResponse(csv.summary_csv(weekly.build(found)), csv.CONTENT_TYPE), found, "SUMMARY.csv")


def cases_csv(found: Asked, channel: str = Channel.BROWSER) -> HttpResponseBase:
    """The case rows as CSV, streamed, and journaled before the first leaves. Raises PermissionDenied."""
    judge_file("rows", found.user.current_postings)
    cases = rows_of(found)
    mark = journal("weekly-cases.csv", found, cases, channel)
    stream = csv.rows_csv(cases, at=found.question.span.end, mark=mark)
    return _named(StreamingHttpResponse(stream, csv.CONTENT_TYPE), found, "CASES.csv")


def workbook(found: Asked, channel: str = Channel.BROWSER) -> HttpResponseBase:
    """Everything as a workbook; with case rows, and then journaled, where the person may have them."""
    cases, mark = None, ""
    if may_file("rows", found.user.current_postings):
        cases = rows_of(found)
        mark = journal("weekly.xlsx", found, cases, channel)
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it when it is sent
    xlsx.write(file, weekly.build(found), cases, mark=mark)
    file.seek(0)
    return _named(FileResponse(file, content_type=xlsx.CONTENT_TYPE), found, "SUMMARY.xlsx")


def rows_of(found: Asked) -> IncidentQuerySet:
    """The cases reported in the week, oldest first; a sealed one has no row, whoever asks."""
    return found.question.reported().filter(is_sealed=False).order_by("reported_at", "id")


def journal(what: str, found: Asked, cases: IncidentQuerySet, channel: str) -> str:
    """The mark of the export's entry in the journal, for every copy to carry."""
    entry = record_export(what, found.query(), cases.count(), by=found.user, now=found.now, channel=channel)
    mark: str = entry.after["mark"]
    return mark


def _named(response: _Response, found: Asked, name: str) -> _Response:
    what, _dot, ending = name.partition(".")
    file = words.file_name(what, found.week, found.election.code, ending)
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    response["Cache-Control"] = "private, no-store"
    return response
