"""The further sections of a summary as tables with words: one form for page, CSV and workbook. Names are translated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from incidents.choices import ActorType, ClockKind, Severity
from incidents.dashboards.conduct import OTHERS
from incidents.dashboards.handovers import AT_ONCE, BESIDE, BY_HAND, Handovers
from incidents.dashboards.measures import Value
from incidents.dashboards.response import ACKNOWLEDGE, ALL, AWAITED, CONTAIN, FEWEST, FIRST_UPDATE, Waits
from incidents.dashboards.waits import SMALLEST_BASE
from incidents.escalation.lateness import patience
from incidents.models import Incident
from incidents.reports.figures import Figure
from incidents.reports.sections import Sections

#: A number, words, a moment (aware), or nothing to say.
Cell = str | int | float | dt.datetime | None


class Minutes(float):
    """A number of minutes: files hold the number, the page says it in days, hours and minutes."""

    @property
    def span(self) -> dt.timedelta:
        return dt.timedelta(minutes=self)


@dataclass(frozen=True)
class Row:
    """Cells in the order of the header. `is_all` marks the row that holds all others."""

    cells: list[Cell]
    is_all: bool = False


@dataclass(frozen=True)
class Table:
    """`words` of the first columns are text; where `grouped`, the first of them is a heading over its rows.

    `changes`: numbers of columns that hold a change. `nothing` is said in place of rows.
    """

    name: str
    title: str
    note: str
    header: list[str]
    rows: list[Row]
    nothing: str = ""
    words: int = 1
    grouped: bool = False
    changes: frozenset[int] = field(default_factory=frozenset)
    minutes: frozenset[int] = field(default_factory=frozenset)

    @property
    def with_units(self) -> list[str]:
        """The header as a file has it, where a length of time is a bare number."""
        in_minutes = _("%(title)s, minutes")
        return [
            in_minutes % {"title": title} if number in self.minutes else title
            for number, title in enumerate(self.header)
        ]

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        """Rows under their headings, without the cell that is the heading; one group without a heading if none."""
        if not self.grouped:
            return [("", self.rows)]
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(str(row.cells[0]), []).append(Row(row.cells[1:], row.is_all))
        return list(found.items())

    @property
    def lead(self) -> int:
        """How many of the columns `shown` hold words."""
        return self.words - int(self.grouped)

    @property
    def turns(self) -> frozenset[int]:
        """The columns `shown` that hold a change."""
        return frozenset(number - int(self.grouped) for number in self.changes)

    @property
    def shown(self) -> list[str]:
        """The header of a table whose groups have headings of their own."""
        return self.header[1:] if self.grouped else self.header


def tables(sections: Sections, now: str, before: str) -> list[Table]:
    """All of them in the order of the summary; `now` and `before` name the two weeks."""
    found = [
        response(sections, before),
        ladder(sections, now, before),
        handovers(sections, now, before),
        outages(sections),
        severity_changes(sections),
        corrections(sections, now, before),
    ]
    return [*found, *([conduct(sections, now, before)] if sections.conduct is not None else [])]


# ---- Response ----


def response(sections: Sections, before: str) -> Table:
    titles = {
        ACKNOWLEDGE: _("Until acknowledged"),
        FIRST_UPDATE: _("Until the first update"),
        CONTAIN: _("Until contained"),
    }
    rows = []
    for awaited in AWAITED:
        for level in sections.severities:
            here, then = sections.now.response[level], sections.before.response.get(level)
            waits, earlier = here.waits[awaited], then.waits[awaited] if then else Waits()
            share = _plain(here.in_time.share) if awaited == ACKNOWLEDGE else None
            numbers = [minutes(waits.half, waits), minutes(waits.most, waits), minutes(earlier.half, earlier)]
            cells: list[Cell] = [titles[awaited], severity(level), waits.cases, waits.waiting, *numbers, share]
            rows.append(Row(cells, level == ALL))
    return Table(
        "response",
        _("How fast answers came"),
        _(
            "Incidents of the week, by severity at the cut-off, and the time from the report: half of them, and nine"
            " of ten, needed no more. One that still waited counts for as long as it had waited; «not yet» says that"
            " too many did. Of fewer than %(fewest)s cases nothing is said. In time: acknowledged within the target, of"
            " those whose time was used or over, from %(base)s cases on. To contain a case counts as an update too."
        )
        % {"fewest": FEWEST, "base": SMALLEST_BASE},
        [
            _("Answer"), _("Severity"), _("Cases"), _("Still waiting"), _("Half within"), _("Nine of ten within"),
            _("%(week)s: half within") % {"week": before}, _("In time, per cent"),
        ],
        rows,
        _("No incident was reported in this week."),
        words=2,
        grouped=True,
        minutes=frozenset({4, 5, 6}),
    )  # fmt: skip


def minutes(value: float | None, waits: Waits) -> Cell:
    """A number, or in words why there is none."""
    if value is not None:
        return Minutes(value)
    if not waits.cases:
        return None
    return _("too few") if waits.are_few else _("not yet")


def severity(level: str) -> str:
    return str(Severity(level).label) if level else _("All severities")


def _plain(value: Value) -> Value:
    """12 for 12.0"""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def number(cell: Cell) -> Cell:
    """A cell as files hold it: minutes as a bare number."""
    return _plain(float(cell)) if isinstance(cell, Minutes) else cell


# ---- Ladder ----


def ladder(sections: Sections, now: str, before: str) -> Table:
    late = _("Of these later than %(seconds)s seconds") % {"seconds": int(patience().total_seconds())}
    lines: list[tuple[str, Callable[[Handovers], Value]]] = [
        (_("Handed over upwards"), lambda h: sum(h.moved.values())),
        (_("Next command told, the case stayed"), lambda h: h.told),
        (_("Top reached and nobody answered"), lambda h: h.exhausted),
        (_("Stood down: handed back to the command below"), lambda h: h.stood_down),
        (_("Steps that found a command with nobody there"), lambda h: h.vacant),
        (_("Steps fired by rule, including warnings to owners"), lambda h: h.fired),
        (late, lambda h: h.late),
        (_("Latest step late by, in minutes"), lambda h: h.latest),
        (_("Outages of automatic escalation"), lambda h: h.outages),
        (_("Outages together, in minutes"), lambda h: h.outage_minutes),
    ]
    return Table(
        "ladder",
        _("Up and down the ladder"),
        _(
            "What was done in the week, to cases of any week. These are steps, not cases: one case may move twice. How"
            " late a step was says something of this system, not of a command."
        ),
        [_("What"), now, before, _("Change")],
        [Row([title, *_three(sections.figure(value))]) for title, value in lines],
        changes=frozenset({3}),
    )


def handovers(sections: Sections, now: str, before: str) -> Table:
    reached = sorted({to for up in sections.ups for to in up.reached} | {2, 3})
    rows = [
        Row([reason(up.reason), rung(up.rung), *[up.reached.get(to, 0) for to in reached], *_three(up.figure)])
        for up in sections.ups
    ]
    if rows:
        sums: list[Cell] = [sum(up.reached.get(to, 0) for up in sections.ups) for to in reached]
        every = sections.figure(lambda h: sum(h.moved.values()))
        rows.append(Row([_("All reasons"), "", *sums, *_three(every)], is_all=True))
    columns = [_("Reached: %(rung)s") % {"rung": rung(to)} for to in reached]
    return Table(
        "handovers",
        _("Why cases went up"),
        _(
            "Where a time ran out, the command that had the case then let it run out. A command that a case only passed"
            " while automatic escalation was down had no time to act."
        ),
        [_("Reason"), _("Who had it"), *columns, now, before, _("Change")],
        rows,
        _("No case was handed over upwards, in this week or the one before."),
        words=2,
        changes=frozenset({4 + len(reached)}),
    )


def reason(code: str) -> str:
    """Why a case went up: the kind of clock that ran out, or what else sent it."""
    texts: dict[str, str] = {
        BY_HAND: _("By hand"),
        AT_ONCE: _("At once, it became critical"),
        ClockKind.ACKNOWLEDGE: _("Not acknowledged in time"),
        ClockKind.ACCEPT: _("Hand-over not accepted in time"),
        ClockKind.FIRST_UPDATE: _("No first update in time"),
        ClockKind.UPDATE: _("No further update in time"),
        ClockKind.CONTAIN: _("Not contained in time"),
        ClockKind.RESOLVE: _("Not resolved in time"),
        ClockKind.REVIEW: _("Not reviewed in time"),
        ClockKind.VERIFY: _("Not verified in time"),
    }
    return texts.get(code, code)


def rung(height: int) -> str:
    names = {BESIDE: _("Other"), 0: _("Commune"), 1: _("District"), 2: _("Province"), 3: _("PSC")}
    return names[height]


def outages(sections: Sections) -> Table:
    listed = sections.now.handovers.listed
    note = _("Steps due meanwhile fired when it was back, and are counted with the cases in view.")
    if len(listed) < sections.now.handovers.outages:
        note = _("The last %(number)s of them.") % {"number": len(listed)} + " " + note
    return Table(
        "outages",
        _("When automatic escalation was down"),
        note,
        [_("From"), _("To"), _("Length"), _("Steps fired late after it")],
        [Row([away.started_at, away.ended_at, Minutes(away.minutes), away.steps]) for away in listed],
        _("It was never down in this week."),
        words=2,
        minutes=frozenset({2}),
    )


# ---- What was changed ----


def severity_changes(sections: Sections) -> Table:
    found = sections.now.severity_changes
    levels = [str(s) for s in Severity if any(str(s) in pair for pair in found)]
    rows = [
        Row([severity(first), *counts, sum(counts)])
        for first in levels
        if any(counts := [found.get((first, last), 0) for last in levels])
    ]
    return Table(
        "severity_changes",
        _("Severity, first and at the cut-off"),
        _(
            "Reports of the week whose severity was changed. Each row is what it was first, each column what it was"
            " at the cut-off."
        ),
        [_("First"), *map(severity, levels), _("All changed")],
        rows,
        _("No severity of a report of this week was changed."),
    )


def corrections(sections: Sections, now: str, before: str) -> Table:
    figures = sections.corrected
    cases = Figure(sections.now.corrections.cases, sections.before.corrections.cases)
    rows = [Row([field_name(name), *_three(figure)]) for name, figure in figures.items()]
    return Table(
        "corrections",
        _("Corrections to earlier weeks"),
        _(
            "Cases reported before the week and corrected in it, by field. The summary of their own week stays as it"
            " was."
        ),
        [_("Field"), now, before, _("Change")],
        [*rows, Row([_("Cases corrected"), *_three(cases)], is_all=True)] if rows else [],
        _("No case of an earlier week was corrected, in this week or the one before."),
        changes=frozenset({3}),
    )


def field_name(name: str) -> str:
    """What a field of a case is called; its stored name where it has no other."""
    known = {f.name: f for f in Incident._meta.concrete_fields}
    text = str(known[name].verbose_name) if name in known else name
    return text[:1].upper() + text[1:]


# ---- Conduct ----


def conduct(sections: Sections, now: str, before: str) -> Table:
    figures = sections.conduct or {}
    every = Figure(sum(int(f.value or 0) for f in figures.values()), sum(int(f.before or 0) for f in figures.values()))
    rows = [Row([force(kind), *_three(figure)]) for kind, figure in figures.items()]
    return Table(
        "conduct",
        _("Conduct of units"),
        _(
            "Sealed reports of the week about the conduct of a unit, by who acted, counted and as known up to the last"
            " midnight. They are of the whole country: neither place nor unit is said. Those about your own body are"
            " not counted here."
        ),
        [_("Who acted"), now, before, _("Change")],
        [*rows, Row([_("All sealed cases"), *_three(every)], is_all=True)],
        changes=frozenset({3}),
    )


def force(kind: str) -> str:
    return _("Others, or not known") if kind == OTHERS else str(ActorType(kind).label)


def _three(figure: Figure) -> Iterable[Cell]:
    return _plain(figure.value), _plain(figure.before), _plain(figure.change)
