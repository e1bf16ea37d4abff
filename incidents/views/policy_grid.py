"""A version of a policy as the tables of its page: cells with what they say, what another says, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from elections.choices import Phase
from incidents.choices import ClockKind, Deed, Severity
from incidents.forms.policies import typed
from incidents.policy_checks import MOST_STEPS
from incidents.policy_content import CLOCKS, PHASES, RATED, TIMES, Content

TIME_WORDS: dict[str, str | Promise] = {
    "acknowledge": gettext_lazy("Acknowledge"),
    "first_update": gettext_lazy("First update"),
    "update_every": gettext_lazy("Then every"),
    "contain": gettext_lazy("Contain"),
    "resolve": gettext_lazy("Resolve"),
    "verify": gettext_lazy("Verify a rumour"),
}
CLOCK_WORDS: dict[str, str | Promise] = {
    ClockKind.ACKNOWLEDGE: gettext_lazy("Until somebody acknowledges"),
    ClockKind.ACCEPT: gettext_lazy("Until a hand-over is accepted"),
    ClockKind.FIRST_UPDATE: gettext_lazy("Until the first update"),
    ClockKind.UPDATE: gettext_lazy("Until the next update"),
    ClockKind.CONTAIN: gettext_lazy("Until it is contained"),
    ClockKind.RESOLVE: gettext_lazy("Until it is resolved"),
    ClockKind.REVIEW: gettext_lazy("Until a worksheet is done"),
    ClockKind.VERIFY: gettext_lazy("Until a rumour is verified"),
    ClockKind.LEGAL: gettext_lazy("Until a body has decided by law"),
}
LEVELS: dict[str, str | Promise] = {
    "": gettext_lazy("the next one above"),
    "2": gettext_lazy("at least the province"),
    "3": gettext_lazy("the PSC"),
}


@dataclass(frozen=True)
class Cell:
    """One value. `was` is what another version says there; None where none is compared or it says the same."""

    place: str
    text: str
    label: str
    was: str | None = None
    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()
    #: The head of its column, for phones, which have no columns.
    word: str | Promise = ""

    @property
    def key(self) -> str:
        """For ids of the page."""
        return "p-" + self.place.replace(".", "-")

    @property
    def said(self) -> list[str]:
        return [*self.errors, *self.warnings]


@dataclass(frozen=True)
class Row:
    severity: str
    cells: list[Cell]


@dataclass(frozen=True)
class Block:
    """A phase with its four severities."""

    code: str
    name: str
    rows: list[Row]
    changed: int
    wrong: int


@dataclass(frozen=True)
class Line:
    """One step; `words` says it for a reader. Past the last one it is an empty line to fill in."""

    number: int
    percent: Cell
    deed: Cell
    rung: Cell
    words: str = ""
    is_gone: bool = False

    @property
    def is_changed(self) -> bool:
        return any(cell.was is not None for cell in self._cells)

    @property
    def wrong(self) -> list[str]:
        return [sentence for cell in self._cells for sentence in cell.errors]

    @property
    def doubts(self) -> list[str]:
        return [sentence for cell in self._cells for sentence in cell.warnings]

    @property
    def said(self) -> list[str]:
        return [*self.wrong, *self.doubts]

    @property
    def _cells(self) -> tuple[Cell, Cell, Cell]:
        return self.percent, self.deed, self.rung


@dataclass(frozen=True)
class ClockBlock:
    code: str
    name: str
    lines: list[Line]
    changed: int
    wrong: int


@dataclass(frozen=True)
class Grid:
    """The whole of a version; `changed` and `wrong` count values."""

    general: dict[str, Cell]
    phases: list[Block]
    clocks: list[ClockBlock]
    times: list[str | Promise] = field(default_factory=lambda: list(TIME_WORDS.values()))

    @property
    def changed(self) -> int:
        general = sum(cell.was is not None for cell in self.general.values())
        return general + sum(b.changed for b in self.phases) + sum(b.changed for b in self.clocks)

    @property
    def wrong(self) -> int:
        general = sum(bool(cell.errors) for cell in self.general.values())
        return general + sum(b.wrong for b in self.phases) + sum(b.wrong for b in self.clocks)


class _Maker:
    def __init__(
        self,
        values: Mapping[str, str],
        base: Content | None,
        errors: Mapping[str, Sequence[str]],
        warnings: Mapping[str, Sequence[str]],
        meant: Mapping[str, str],
    ) -> None:
        self.values, self.errors, self.warnings, self.meant = values, errors, warnings, meant
        self.base = None if base is None else typed(base)

    def cell(
        self, place: str, label: str, words: Mapping[str, str | Promise] | None = None, word: str | Promise = ""
    ) -> Cell:
        text = self.values.get(place, "").strip()
        was = None
        if self.base is not None and self.base.get(place, "") != self.meant.get(place, text):
            was = self.base.get(place, "")
            was = str(words.get(was, was)) if words else was
        return Cell(place, text, label, was, self.errors.get(place, ()), self.warnings.get(place, ()), word)


def grid(
    values: Mapping[str, str],
    base: Content | None = None,
    *,
    errors: Mapping[str, Sequence[str]] | None = None,
    warnings: Mapping[str, Sequence[str]] | None = None,
    meant: Content | None = None,
    is_form: bool = False,
) -> Grid:
    """Cells of what is typed or stored in `values` (by place), compared with `base`; a form has an empty line more.

    `meant` is what was read from the values: "1h30m" and "90 m" are no change.
    """
    maker = _Maker(values, base, errors or {}, warnings or {}, typed(meant) if meant else {})
    general = {
        "tight_from_hour": maker.cell("tight_from_hour", _("Tighter rules from")),
        "tight_medium": maker.cell("tight_medium", _("Medium case taken up within")),
        "repeat": maker.cell("repeat", _("Alarm at the top again every")),
    }
    phases = []
    for phase in PHASES:
        rows = [Row(severity, list(_cells(maker, phase, severity))) for severity in RATED]
        cells = [cell for row in rows for cell in row.cells]
        phases.append(Block(phase, str(phase.label), rows, *_counts(cells)))
    return Grid(general, phases, [_clock(maker, clock, is_form=is_form) for clock in CLOCKS])


def _cells(maker: _Maker, phase: str, severity: str) -> Iterator[Cell]:
    for time in TIMES:
        label = f"{Phase(phase).label}, {Severity(severity).label}: {TIME_WORDS[time]}"
        yield maker.cell(f"{phase}.{severity}.{time}", label, word=TIME_WORDS[time])


def _counts(cells: Sequence[Cell]) -> tuple[int, int]:
    return sum(c.was is not None for c in cells), sum(bool(c.errors) for c in cells)


def _clock(maker: _Maker, clock: str, *, is_form: bool) -> ClockBlock:
    here = _lines_in(maker.values, clock)
    before = _lines_in(maker.base or {}, clock)
    most = min(here + 1, MOST_STEPS) if is_form else max(here, before)
    lines = []
    for number in range(most):
        where = f"{clock}.{number}"
        label = _("%(clock)s, line %(number)d") % {"clock": CLOCK_WORDS[clock], "number": number + 1}
        percent = maker.cell(f"{where}.percent", _("%(line)s: percent of the time") % {"line": label})
        deed = maker.cell(f"{where}.deed", _("%(line)s: what happens") % {"line": label}, dict(Deed.choices))
        rung = maker.cell(f"{where}.rung", _("%(line)s: level") % {"line": label}, LEVELS)
        lines.append(Line(number, percent, deed, rung, _words(deed, rung), is_gone=not is_form and number >= here))
    cells = [cell for line in lines for cell in (line.percent, line.deed, line.rung)]
    return ClockBlock(clock, str(CLOCK_WORDS[clock]), lines, *_counts(cells))


def _lines_in(values: Mapping[str, str], clock: str) -> int:
    """One more than the last line with anything in it."""
    filled = [n for n in range(MOST_STEPS + 1) if any(values.get(f"{clock}.{n}.{p}") for p in ("percent", "deed"))]
    return filled[-1] + 1 if filled else 0


def _words(deed: Cell, rung: Cell) -> str:
    known = dict(Deed.choices)
    words = str(known.get(deed.text, ""))
    if rung.text and rung.text in LEVELS:
        words = _("%(deed)s: %(level)s") % {"deed": words, "level": LEVELS[rung.text]}
    return words
