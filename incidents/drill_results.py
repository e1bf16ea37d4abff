"""What a drill showed: each command's standing, provinces with their districts, figures, comparison, rows for a file.

Reads only. Figures are pure on calls that were read through `drills.calls_of`; whose a drill was, is in the journal.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commands.choices import Force
from commands.models import SecurityCommand
from incidents.choices import Act, Channel
from incidents.delivery.texts import role_at
from incidents.models import Drill, DrillCall, Entry


class Standing(Enum):
    """Where one command stands in a drill, the worst first."""

    UNREACHABLE = "unreachable"
    VACANT = "vacant"
    LATE = "late"
    CALLED = "called"
    WAITING = "waiting"
    STOPPED = "stopped"
    ANSWERED = "answered"

    @property
    def label(self) -> str | Promise:
        return _LABELS[self]


_LABELS: dict[Standing, str | Promise] = {
    Standing.UNREACHABLE: gettext_lazy("not reached"),
    Standing.VACANT: gettext_lazy("vacant"),
    Standing.LATE: gettext_lazy("answered late"),
    Standing.CALLED: gettext_lazy("called, no answer yet"),
    Standing.WAITING: gettext_lazy("not called yet"),
    Standing.STOPPED: gettext_lazy("not rehearsed, the drill was cancelled"),
    Standing.ANSWERED: gettext_lazy("answered in time"),
}
_RANK = {standing: n for n, standing in enumerate(Standing)}
#: A level that failed: nobody was there, or nobody answered.
FAILED = (Standing.UNREACHABLE, Standing.VACANT)
#: Of which an answer was to be expected: what shares are of.
REHEARSED = (Standing.ANSWERED, Standing.LATE, *FAILED)


@dataclass(frozen=True)
class Cell:
    """One command in one drill."""

    call: DrillCall
    standing: Standing
    #: How long the answer took; None without one.
    took: dt.timedelta | None

    @property
    def command(self) -> SecurityCommand:
        return self.call.command

    @property
    def name(self) -> str:
        """The place alone where that is enough, in a table of places."""
        return place_name(self.command)

    @property
    def heard(self) -> str:
        """By which way the answer came, in words; "" for one given in the product."""
        way = self.call.channel
        return str(Channel(way).label) if way in Channel.values and way != Channel.BROWSER else ""


@dataclass
class Row:
    """A province: its own command, where it was called and is shown, and its districts."""

    code: str
    name: str
    own: Cell | None = None
    districts: list[Cell] = field(default_factory=list)

    @property
    def cells(self) -> list[Cell]:
        return [*([self.own] if self.own else []), *self.districts]

    @property
    def worst(self) -> Standing:
        """The worst standing of any level in it: what the map shows."""
        return worst(self.cells)

    @property
    def counts(self) -> list[tuple[Standing, int]]:
        """How many districts stand how, the worst first; standings of none are left out."""
        return tally(self.districts)

    @property
    def failed(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.standing in FAILED]


@dataclass(frozen=True)
class Told:
    """What the journal says of a drill: who planned it and who cancelled it, each as role @ command."""

    planned_by: str = ""
    is_cancelled: bool = False
    #: "" where the rules called it off.
    cancelled_by: str = ""
    #: Why the rules called it off: relieved or vote.
    why: str = ""
    #: Over, and nobody was called at all.
    is_unbegun: bool = False


def told_of(found: Collection[Drill]) -> dict[int, Told]:
    """By key of a drill: what the journal says of it. Two queries, however many."""
    moments = {at for drill in found for at in (drill.made_at, drill.ended_at) if at}
    # By their moments, which the journal is indexed by: an entry of a drill has the one that the drill has.
    entries = Entry.objects.filter(act=Act.DRILL, incident=None, at__in=moments).select_related("posting", "command")
    said = {(entry.after.get("drill"), entry.after.get("what")): entry for entry in entries}
    keys = [drill.pk for drill in found if drill.ended_at]
    begun = DrillCall.objects.filter(drill__in=keys).exclude(called_at=None).order_by()
    called = set(begun.values_list("drill", flat=True).distinct())
    told = {}
    for drill in found:
        cancelled = said.get((drill.pk, "cancelled"))
        told[drill.pk] = Told(
            planned_by=_post_of(said.get((drill.pk, "started"))),
            is_cancelled=cancelled is not None,
            cancelled_by=_post_of(cancelled),
            why=cancelled.after.get("why", "") if cancelled else "",
            is_unbegun=bool(drill.ended_at) and drill.pk not in called,
        )
    return told


def _post_of(entry: Entry | None) -> str:
    return role_at(entry.posting.role, entry.command.name) if entry and entry.posting and entry.command else ""


@dataclass(frozen=True)
class Result:
    """A drill as somebody sees it: the top, the provinces in the order of their codes, the figures."""

    drill: Drill
    cells: list[Cell]
    top: list[Cell]
    rows: list[Row]
    told: Told = Told()

    @property
    def counts(self) -> list[tuple[Standing, int]]:
        return tally(self.cells)

    @property
    def legend(self) -> list[Standing]:
        """What a map of it may show."""
        there = {cell.standing for cell in self.cells}
        return [standing for standing in Standing if standing in REHEARSED or standing in there]

    def count(self, *standings: Standing) -> int:
        return sum(cell.standing in standings for cell in self.cells)

    @property
    def in_time(self) -> int:
        return self.count(Standing.ANSWERED)

    @property
    def late(self) -> int:
        return self.count(Standing.LATE)

    @property
    def unreachable(self) -> int:
        return self.count(Standing.UNREACHABLE)

    @property
    def vacant(self) -> int:
        return self.count(Standing.VACANT)

    @property
    def open(self) -> int:
        """Called or still to be called."""
        return self.count(Standing.CALLED, Standing.WAITING)

    @property
    def share(self) -> int | None:
        """Per cent of the commands whose turn is over that answered in time; None before there is one."""
        return share_of(self.cells)

    @property
    def median(self) -> dt.timedelta | None:
        """The middle time to an answer; None without one."""
        took = [cell.took.total_seconds() for cell in self.cells if cell.took is not None]
        return dt.timedelta(seconds=statistics.median(took)) if took else None

    @property
    def failing(self) -> list[Row]:
        """Provinces with a level that nobody answered for, the text beside the map."""
        return [row for row in self.rows if row.failed]

    @property
    def is_cancelled(self) -> bool:
        """Whether it was ended before every command had its turn and its time."""
        return self.told.is_cancelled or (bool(self.drill.ended_at) and self.count(Standing.STOPPED) > 0)


def result(drill: Drill, calls: Iterable[DrillCall], now: dt.datetime, told: Told | None = None) -> Result:
    """The drill as it stands at `now`. `calls` with their commands, in the order of the tree."""
    cells = [cell_of(drill, call, now) for call in calls]
    rows: dict[str, Row] = {}
    top = [cell for cell in cells if cell.command.rung == 3]
    for cell in cells:
        if cell.command.rung == 2:
            rows[cell.command.path] = Row(cell.command.jurisdiction_id, cell.name, cell)
    for cell in cells:
        if cell.command.rung == 1:
            above = cell.command.path.removesuffix(f"{cell.command.code}.")
            rows.setdefault(above, Row(above.strip(".").rpartition(".")[2], cell.name)).districts.append(cell)
    return Result(drill, cells, top, [rows[path] for path in sorted(rows)], told or Told())


def cell_of(drill: Drill, call: DrillCall, now: dt.datetime) -> Cell:
    """Where the command stands, from its call alone."""
    took = call.answered_at - call.called_at if call.answered_at and call.called_at else None
    return Cell(call, _standing(drill, call, now), took)


def _standing(drill: Drill, call: DrillCall, now: dt.datetime) -> Standing:
    if call.called_at is None or call.due_at is None:
        return Standing.STOPPED if drill.ended_at else Standing.WAITING
    if call.people == 0:
        # Whoever answers all the same was there; the level was vacant when it was called.
        return Standing.VACANT
    if call.answered_at:
        return Standing.ANSWERED if call.answered_at <= call.due_at else Standing.LATE
    if call.due_at <= (drill.ended_at or now):
        return Standing.UNREACHABLE
    return Standing.STOPPED if drill.ended_at else Standing.CALLED


def place_name(command: SecurityCommand) -> str:
    """The name of the place, or of the command where it is not the joint one of its place."""
    return command.jurisdiction.name if command.force == Force.JOINT and command.rung != 3 else command.name


def worst(cells: Sequence[Cell]) -> Standing:
    return min((cell.standing for cell in cells), key=_RANK.__getitem__, default=Standing.WAITING)


def tally(cells: Iterable[Cell]) -> list[tuple[Standing, int]]:
    return sorted(Counter(cell.standing for cell in cells).items(), key=lambda item: _RANK[item[0]])


def share_of(cells: Iterable[Cell]) -> int | None:
    """Per cent answered in time of those whose turn is over."""
    over = [cell for cell in cells if cell.standing in REHEARSED]
    return round(100 * sum(c.standing == Standing.ANSWERED for c in over) / len(over)) if over else None


# ---- Beside the drill before ----


@dataclass(frozen=True)
class Comparison:
    """Two drills over the commands that both called; all numbers are of those alone."""

    before: Result
    commands: int
    share: int | None
    share_before: int | None
    #: Failed before and answered in time now; answered in time before and failed now; failed both times.
    better: list[Cell]
    worse: list[Cell]
    still: list[Cell]


def compare(present: Result, before: Result) -> Comparison:
    """What changed for the commands that both drills called."""
    then = {cell.call.command_id: cell for cell in before.cells if cell.call.called_at}
    now = [cell for cell in present.cells if cell.call.called_at and cell.call.command_id in then]

    def moved(was: tuple[Standing, ...], became: tuple[Standing, ...]) -> list[Cell]:
        return [c for c in now if then[c.call.command_id].standing in was and c.standing in became]

    good = (Standing.ANSWERED,)
    both = {c.call.command_id for c in now}
    return Comparison(
        before=before,
        commands=len(now),
        share=share_of(now),
        share_before=share_of(cell for cell in before.cells if cell.call.command_id in both),
        better=moved(FAILED, good),
        worse=moved(good, FAILED),
        still=moved(FAILED, FAILED),
    )


# ---- A file ----


def header() -> list[str]:
    """Titles of the columns of `table`, in the language active now."""
    return [
        _("Province code"), _("Command code"), _("Command"), _("Level"), _("Standing"), _("Called"), _("Answered"),
        _("Minutes to the answer"), _("People called"), _("Answered through"),
    ]  # fmt: skip


def table(shown: Result) -> list[list[str]]:
    """One row a command: no person is named, only how many were called. Times in the country's zone."""
    return [_line(cell) for cell in shown.cells]


def _line(cell: Cell) -> list[str]:
    call, command = cell.call, cell.command
    province = command.jurisdiction_id[:4] if (command.rung or 0) < 3 else ""
    took = f"{cell.took.total_seconds() / 60:.1f}" if cell.took is not None else ""
    return [
        province, command.code, command.name, str(command.get_kind_display()), str(cell.standing.label),
        _moment(call.called_at), _moment(call.answered_at), took, str(call.people) if call.called_at else "",
        call.channel,
    ]  # fmt: skip


def _moment(at: dt.datetime | None) -> str:
    return str(timezone.localtime(at))[:16] if at else ""
