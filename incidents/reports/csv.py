"""Comma-separated files that open in a spreadsheet as they are: UTF-8 with a byte order mark, CRLF, no formulas."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from incidents.querysets import IncidentQuerySet
from incidents.reports import tables, words
from incidents.reports.rows import CHUNK, Cells, case_rows, columns, safe
from incidents.reports.week import FIRST_YEAR
from incidents.reports.weekly import Place, Weekly

CONTENT_TYPE = "text/csv; charset=utf-8"
BOM = b"\xef\xbb\xbf"
#: Up to here a time zone is looked through for changes of its offset.
LAST_YEAR = 2050


def rows_csv(cases: IncidentQuerySet, *, at: dt.datetime | None = None, mark: str = "") -> Iterator[bytes]:
    """The case rows of `cases`, in their order, as pieces of a file of some 2,000 rows each.

    Columns, in the active language (`rows.columns`), moments as 2026-11-09 14:20 in the country's time zone:
    reference, election, phase, category code, category, group, severity, state, verification, classification, occurred,
    how exact, reported, entered late, acknowledged, contained, resolved, closed, code and name of province, district
    and commune, owner, channel, killed, injured, stations affected, minutes stopped, voters affected; and, with `mark`
    (the mark of the export in the journal), a last column that holds it in every row.
    With `at` the rows show what was known at that moment.
    """
    header = [column.title for column in columns()]
    yield BOM + _lines([[*header, _("Export mark")] if mark else header])
    # Words are quoted once, when they are looked up, so a line is its cells with commas between.
    end = f",{_quoted(mark)}\r\n" if mark else "\r\n"
    lines = map(",".join, case_rows(cases, Cells(text=_quoted, number=str, moment=_clock(), blank=""), at=at))
    while chunk := list(islice(lines, CHUNK)):
        yield (end.join(chunk) + end).encode()


def _quoted(text: str) -> str:
    """`text` as a cell (RFC 4180)."""
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _clock() -> Callable[[dt.datetime], str]:
    """A function from a moment in UTC to its local text; quick, because it runs six times a row."""
    zone = timezone.get_default_timezone()
    months = [dt.datetime(year, month, 1) for year in range(FIRST_YEAR, LAST_YEAR) for month in range(1, 13)]  # noqa: DTZ001
    offsets = {zone.utcoffset(month) for month in months}
    if len(offsets) > 1:
        return lambda moment: str(moment.astimezone(zone))[:16]
    # A country without summer time, like this one: adding is three times as fast as converting.
    offset = offsets.pop() or dt.timedelta(0)
    return lambda moment: str(moment + offset)[:16]


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def summary_csv(weekly: Weekly) -> Iterator[bytes]:
    """The summary as tables one under the other, each with its own header; the first says what it is of."""
    yield BOM + _lines(_safe(row) for row in _summary(weekly))


def table_csv(rows: Iterable[Iterable[Any]]) -> bytes:
    """Any small table as a whole file."""
    return BOM + _lines(_safe(row) for row in rows)


def _safe(row: Iterable[Any]) -> list[Any]:
    """Numbers stay numbers, "-3" among them; only text can be a formula."""
    return [safe(cell) if isinstance(cell, str) else cell for cell in row]


def _summary(weekly: Weekly) -> Iterator[list[Any]]:
    yield [_("Weekly summary")]
    # Without the moment it was made: asked again for the same cut-off, the file is the same to the last byte.
    yield from ([title, text] for title, text in words.about(weekly, made=False))
    yield []
    now, before = words.periods(weekly)
    yield [_("Number"), _("Unit"), now, before, _("Change"), _("What it counts")]
    for total in weekly.totals:
        figure, measure = total.figure, total.measure
        unit = words.unit(measure.unit)
        yield [str(measure.title), unit, figure.value, figure.before, figure.change, str(measure.definition)]
    yield []
    yield [words.kinds_title()]
    levels = [str(s.label) for s in weekly.severities]
    yield [_("Group"), _("Category code"), _("Category"), *levels, now, before, _("Change")]
    for group in weekly.groups:
        for kind in group.categories:
            yield [group.name, kind.code, kind.name, *kind.counts, *words.three(kind.figure)]
    everything = weekly.all_kinds
    yield [everything.name, "", "", *everything.counts, *words.three(everything.figure)]
    for title, header, rows in ((_("By province"), _("Province"), False), (_("By district"), _("District"), True)):
        yield []
        yield [title]
        yield [*([_("Province")] if rows else []), header, _("P-code"), *words.place_headers(weekly)]
        yield from _places(weekly.provinces, districts=rows)
    for table in tables.tables(weekly.sections, now, before):
        yield []
        yield [table.title, table.note]
        yield table.with_units
        yield from ([_cell(cell) for cell in row.cells] for row in table.rows)
        if not table.rows:
            yield [table.nothing]


def _cell(cell: tables.Cell) -> Any:
    if isinstance(cell, dt.datetime):
        return f"{timezone.localtime(cell, timezone.get_default_timezone()):%Y-%m-%d %H:%M}"
    return tables.number(cell)


def _places(provinces: list[Place], *, districts: bool) -> Iterator[list[Any]]:
    for province in provinces:
        for place in province.districts if districts else [province]:
            figures = [number for figure in place.figures.values() for number in words.three(figure)]
            yield [*([province.name] if districts else []), place.name, place.pcode, *figures]
