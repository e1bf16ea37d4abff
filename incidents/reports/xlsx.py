"""The weekly summary as a workbook: numbers as numbers, moments as moments, every cell that holds words just words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any

import xlsxwriter
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from incidents.querysets import IncidentQuerySet
from incidents.reports import tables, words
from incidents.reports.rows import Cells, case_rows, columns, safe
from incidents.reports.weekly import Kind, Place, Weekly

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: A sheet holds 1,048,576 rows; what is above this goes on to the next sheet.
ROWS_A_SHEET = 1_000_000
#: On every Windows since 8.1, with Khmer signs; elsewhere a spreadsheet takes its own Khmer face.
FONTS = {"km": "Leelawadee UI", "en": "Calibri"}
#: Khmer stacks signs above and below the line.
ROW_HEIGHT = {"km": 21, "en": 16}
#: Signs of the last column of the summary that fit on one line, wide ones and narrow ones together.
LINE = 85
_MOMENT = "yyyy-mm-dd hh:mm"
#: Faces of the row that holds all others.
_STRONG = {
    "text": "strong", "figure": "strong_figure", "figure_change": "strong_figure_change", "word": "strong_word",
}  # fmt: skip


def write(file: IO[bytes], weekly: Weekly, cases: IncidentQuerySet | None, *, mark: str = "") -> None:
    """Write the workbook into `file`; the sheet of cases only with `cases`. Rows go through a file, not memory."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": _MOMENT,
    }
    book = xlsxwriter.Workbook(file, options)
    made = timezone.localtime(weekly.made_at, timezone.get_default_timezone()).replace(tzinfo=None)
    book.set_properties({"title": f"{_('Weekly summary')} {weekly.week.code}", "created": made})
    pages = _Book(book)
    _summary(pages, weekly, mark)
    _kinds(pages, weekly)
    _sections(pages, weekly)
    _place_sheet(pages, weekly)
    if cases is not None:
        _cases(pages, weekly, cases, mark)
    book.close()


@dataclass
class _Book:
    """The workbook with its faces."""

    book: Any
    formats: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        language = "km" if get_language() == "km" else "en"
        base = {"font_name": FONTS[language], "font_size": 11, "valign": "vcenter"}
        self.height = ROW_HEIGHT[language]
        looks: dict[str, dict[str, Any]] = {
            "text": {},
            "wrap": {"text_wrap": True},
            "unit": {"indent": 1},
            "title": {"bold": True, "font_size": 16},
            "label": {"font_color": "#52606B"},
            "head": {"bold": True, "bg_color": "#DDEEF0", "bottom": 1, "text_wrap": True},
            "head_number": {"bold": True, "bg_color": "#DDEEF0", "bottom": 1, "text_wrap": True, "align": "right"},
            "number": {"num_format": "0"},
            "change": {"num_format": "+0;-0;0"},
            "strong": {"bold": True, "num_format": "0", "bg_color": "#F1F4F4"},
            "strong_change": {"bold": True, "num_format": "+0;-0;0", "bg_color": "#F1F4F4"},
            "moment": {"num_format": _MOMENT, "align": "left"},
            "section": {"bold": True, "font_size": 13},
            "figure": {"num_format": "General"},
            "strong_figure": {"bold": True, "num_format": "General", "bg_color": "#F1F4F4"},
            "figure_change": {"num_format": "+General;-General;0"},
            "strong_figure_change": {"bold": True, "num_format": "+General;-General;0", "bg_color": "#F1F4F4"},
            "word": {"align": "right", "font_color": "#52606B"},
            "strong_word": {"bold": True, "align": "right", "bg_color": "#F1F4F4"},
            "note": {"text_wrap": True, "valign": "top", "font_color": "#52606B"},
        }
        self.formats = {name: self.book.add_format(base | look) for name, look in looks.items()}

    def sheet(self, name: str, widths: Sequence[int]) -> _Sheet:
        made = self.book.add_worksheet(name)
        made.set_default_row(self.height)
        for number, width in enumerate(widths):
            made.set_column(number, number, width, self.formats["text"])
        made.set_landscape()
        made.set_paper(9)
        made.fit_to_pages(1, 0)
        return _Sheet(self, made)


@dataclass
class _Sheet:
    """One sheet, written from the top down: a row that is written cannot be reached again."""

    book: _Book
    sheet: Any
    at: int = 0

    def row(self, cells: Iterable[Any], looks: Sequence[str] = (), *, height: float = 0) -> None:
        """Write one row; `looks` name a format for each cell, the last for the rest. None leaves a cell empty."""
        if height:
            self.sheet.set_row(self.at, height)
        for number, cell in enumerate(cells):
            look = looks[min(number, len(looks) - 1)] if looks else ""
            self.cell(number, cell, look)
        self.at += 1

    def cell(self, number: int, cell: Any, look: str) -> None:
        formats = self.book.formats
        if isinstance(cell, str):
            self.sheet.write_string(self.at, number, safe(cell), formats[look or "text"])
        elif isinstance(cell, dt.datetime):
            self.sheet.write_datetime(self.at, number, cell, formats[look or "moment"])
        elif cell is not None:
            self.sheet.write_number(self.at, number, cell, formats[look or "number"])
        elif look.startswith("strong"):
            self.sheet.write_blank(self.at, number, None, formats[look])

    def table(self, title: str, header: Sequence[str], rows: Iterable[tuple[Sequence[Any], Sequence[str]]]) -> None:
        """A line of title, and a table that stays in view and can be filtered."""
        self.row([title], ["title"], height=self.book.height * 1.5)
        self.at += 1
        top = self.at
        self.row(header, ["head"], height=self.book.height * 3)
        self.sheet.freeze_panes(self.at, 1)
        self.sheet.repeat_rows(top)
        for cells, looks in rows:
            self.row(cells, looks)
        self.sheet.autofilter(top, 0, max(self.at - 1, top), len(header) - 1)


def _line(weekly: Weekly, what: str) -> str:
    return f"{what} · {weekly.election.code} · {weekly.week.code} · {weekly.scope}"


def _summary(pages: _Book, weekly: Weekly, mark: str) -> None:
    page = pages.sheet(_("Summary"), [30, 15, 15, 13, 13, 78])
    page.row([_("Weekly summary")], ["title"], height=pages.height * 1.6)
    head = words.about(weekly)
    for title, text in [*head[:-1], *([(_("Export mark"), mark)] if mark else [])]:
        page.row([title, text], ["label", "text"])
    title, text = head[-1]
    page.sheet.set_row(page.at, pages.height * 2.2)
    page.cell(0, title, "label")
    page.sheet.merge_range(page.at, 1, page.at, 5, safe(text), pages.formats["wrap"])
    page.at += 2
    top = page.at
    now, before = words.periods(weekly)
    page.row(
        [_("Number"), now, before, _("Change"), _("Unit"), _("What it counts")],
        ["head", "head_number", "head_number", "head_number", "head"],
        height=pages.height * 2.2,
    )
    page.sheet.freeze_panes(page.at, 1)
    looks = ["wrap", "strong", "number", "change", "unit", "wrap"]
    for total in weekly.totals:
        measure = total.measure
        definition = str(measure.definition)
        cells = [str(measure.title), *words.three(total.figure), words.unit(measure.unit), definition]
        page.row(cells, looks, height=pages.height * (2 if len(definition) > LINE else 1.3))
    page.sheet.autofilter(top, 0, page.at - 1, 5)
    page.sheet.fit_to_pages(1, 1)


def _kinds(pages: _Book, weekly: Weekly) -> None:
    levels = [str(s.label) for s in weekly.severities]
    page = pages.sheet(_("Category by severity"), [26, 12, 40, *[11] * len(levels), 15, 15, 12])
    header = [_("Group"), _("Category code"), _("Category"), *levels, *words.periods(weekly), _("Change")]

    def cells(group: str, kind: Kind, name: str) -> list[Any]:
        return [group, kind.code, name, *kind.counts, *words.three(kind.figure)]

    plain = ["text", "text", "text", *["number"] * len(levels), "strong", "number", "change"]
    strong = [*["strong"] * (3 + len(levels) + 2), "strong_change"]
    rows = [(cells(g.name, kind, kind.name), plain) for g in weekly.groups for kind in g.categories]
    page.table(
        _line(weekly, words.kinds_title()),
        header,
        [*rows, (cells(weekly.all_kinds.name, weekly.all_kinds, ""), strong)],
    )


def _sections(pages: _Book, weekly: Weekly) -> None:
    """A sheet for each group of tables, which stand one under the other."""
    shown = {table.name: table for table in tables.tables(weekly.sections, *words.periods(weekly))}
    for name, parts in (
        (_("Response"), ("response",)),
        (_("Escalation"), ("ladder", "handovers", "outages")),
        (_("Changes"), ("severity_changes", "corrections")),
        (_("Conduct"), ("conduct",)),
    ):
        found = [shown[part] for part in parts if part in shown]
        if not found:
            continue
        page = pages.sheet(name, [44 if found[0].words == 1 else 30, 20, *[15] * 8])
        page.row([_line(weekly, name)], ["title"], height=pages.height * 1.5)
        for table in found:
            page.at += 1
            _table(page, table)


def _table(page: _Sheet, table: tables.Table) -> None:
    """The title, the rows, and under them how they are to be read."""
    page.row([table.title], ["section"])
    page.row(table.with_units, [*["head"] * table.words, "head_number"], height=page.book.height * 3)
    for row in table.rows:
        for number, cell in enumerate(row.cells):
            kind = "text" if number < table.words else "figure_change" if number in table.changes else "figure"
            if isinstance(cell, str) and number >= table.words:
                kind = "word"
            elif isinstance(cell, dt.datetime):
                cell, kind = timezone.localtime(cell, timezone.get_default_timezone()).replace(tzinfo=None), "moment"
            page.cell(number, tables.number(cell), _STRONG.get(kind, kind) if row.is_all else kind)
        page.at += 1
    if not table.rows:
        page.row([table.nothing], ["text"])
    page.sheet.set_row(page.at, page.book.height * 3.4)
    page.sheet.merge_range(page.at, 0, page.at, 7, safe(table.note), page.book.formats["note"])
    page.at += 1


def _place_sheet(pages: _Book, weekly: Weekly) -> None:
    headers = words.place_headers(weekly)
    for name, districts in ((_("Provinces"), False), (_("Districts"), True)):
        first = [_("Province"), _("District"), _("P-code")] if districts else [_("Province"), _("P-code")]
        page = pages.sheet(name, [24] * (len(first) - 1) + [11] + [13] * len(headers))
        looks = [*["text"] * len(first), *["strong", "number", "change"] * (len(headers) // 3)]
        rows = [(_place(p, d), looks) for p in weekly.provinces for d in (p.districts if districts else [None])]
        page.table(_line(weekly, name), [*first, *headers], rows)


def _place(province: Place, district: Place | None) -> list[Any]:
    place = district or province
    figures = [number for figure in place.figures.values() for number in words.three(figure)]
    return [province.name, *([district.name] if district else []), place.pcode, *figures]


def _cases(pages: _Book, weekly: Weekly, cases: IncidentQuerySet, mark: str) -> None:
    zone = timezone.get_default_timezone()

    def local(moment: dt.datetime) -> dt.datetime:
        return moment.astimezone(zone).replace(tzinfo=None)

    shown = columns()
    looks = [{"number": "number", "moment": "moment", "text": "text"}[column.kind] for column in shown]
    cells = Cells(text=_as_it_is, number=_as_it_is, moment=local, blank=None)
    stream = ((row, looks) for row in case_rows(cases, cells, at=weekly.cut_off))
    title = _line(weekly, _("Cases reported"))
    if mark:
        title = f"{title} · {_('Export mark')} {mark}"
    for number in range(1, 100):
        chunk = islice(stream, ROWS_A_SHEET)
        first = next(chunk, None)
        if first is None and number > 1:
            return
        name = _("Cases") if number == 1 else f"{_('Cases')} {number}"
        page = pages.sheet(name, [column.width for column in shown])
        page.table(title, [column.title for column in shown], [] if first is None else _again(first, chunk))


def _as_it_is(value: Any) -> Any:
    return value


def _again(first: Any, rest: Iterable[Any]) -> Iterable[Any]:
    yield first
    yield from rest
