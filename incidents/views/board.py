"""The board "next to escalate": what moves up next and what else waits at the ladder, for whoever answers for it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commands.choices import COMMANDING, BodyKind, Role
from commands.duty_authority import sees
from commands.models import SecurityCommand, User
from commands.rosters import plans_of
from incidents import routing
from incidents.choices import Act
from incidents.escalation import board as steps
from incidents.escalation import turnings
from incidents.forms.asks import MEETING
from incidents.models import Incident
from incidents.querysets import IncidentQuerySet
from incidents.views import duty_week as weeks
from incidents.views import rows

#: Whose work it is to see what moves next.
WATCHING = (*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY)
#: The lists of the board, as `show` names them in the address.
NEXT, OVERDUE, UNACCEPTED, TOP, PAUSED, EMPTY = "", "overdue", "unaccepted", "top", "paused", "empty"
COUNT_LIMIT = 99


_NOTHING = {
    NEXT: lambda: _("Nothing escalates within a day"),
    OVERDUE: lambda: _("Nothing is overdue"),
    UNACCEPTED: lambda: _("Every hand-over was accepted"),
    TOP: lambda: _("Nothing is late at the top"),
    PAUSED: lambda: _("No deadline is paused"),
    EMPTY: lambda: _("Somebody is there at every command"),
}


@dataclass(frozen=True)
class Line:
    """One case of the board: the row of every list of cases, and the step it takes next."""

    row: rows.Row
    next: steps.Next | None = None
    #: When the time of that step began to run, and what would have stopped it.
    start: dt.datetime | None = None
    why: str = ""

    @property
    def helps(self) -> bool:
        """The act offered is one that the deadline, or a request, waits for: others would not stop the step."""
        case, act = self.row.incident, self.row.act
        return act in (Act.COUNTERSIGN, Act.ACCEPT) or self.next is None or act in MEETING.get(case.next_due_kind, [])


@dataclass(frozen=True)
class Group:
    """Lines whose step falls into one span."""

    title: str
    lines: list[Line]
    is_overdue: bool = False


@dataclass(frozen=True)
class Tab:
    """One list of the board: its name, how many are in it ("" for none), its address, whether it is shown."""

    label: str
    count: str
    url: str
    is_current: bool


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """The board; asked for as a fragment, only what renews itself."""
    user, now = cast(User, request.user), timezone.now()
    if not user.has_role(*WATCHING):
        raise Http404
    try:
        asked = _Asked(request, user, now)
        context = asked.context()
    except ValidationError as error:
        return render(request, "incidents/refused.html", {"errors": error.messages}, status=400)
    if request.headers.get("X-Fragment"):
        return _fragment(request, context)
    return render(request, "escalation/board.html", context | {"commands": asked.below})


def _fragment(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    answer = render(request, "escalation/_board.html", context)
    tag = '"' + hashlib.sha256(answer.content).hexdigest()[:24] + '"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    answer.headers["ETag"], answer.headers["Cache-Control"] = tag, "private, no-cache"
    return answer


@dataclass
class _Asked:
    """What the address asks of the board."""

    request: HttpRequest
    user: User
    now: dt.datetime

    def __post_init__(self) -> None:
        self.show = self.request.GET.get("show", "")
        self.after = self.request.GET.get("after", "")
        code = self.request.GET.get("command", "")
        #: Commands of the ladder at and under the person's own; for the NEC secretariat all.
        self.below = self._commands_below()
        self.command = next((c for c in self.below if c.code == code), None)
        cases: IncidentQuerySet = Incident.objects.visible_to(self.user)
        self.within = [c for c in self.below if not self.command or c.path.startswith(self.command.path)]
        self.cases = cases.filter(owner__in=[c.pk for c in self.within]) if self.command else cases

    def context(self) -> dict[str, Any]:
        lists: dict[str, Callable[[], dict[str, Any]]] = {
            OVERDUE: self._next,
            UNACCEPTED: lambda: self._page(steps.not_accepted(self.cases)),
            TOP: lambda: self._page(steps.at_the_top(self.cases, self.now)),
            PAUSED: self._paused,
            EMPTY: lambda: {
                "empty": self._empty_until(),
                "rosters": {one.command.pk for one in self.empty if sees(self.user.current_postings, one.command)},
            },
        }
        if self.show not in lists:
            self.show = NEXT
        shown = lists.get(self.show, self._next)()
        here = self._query(show=self.show)
        return {
            "show": self.show,
            "own": {p.command_id for p in self.user.current_postings},
            "nothing_title": _NOTHING[self.show](),
            "command": self.command,
            "now": self.now,
            "tabs": self._tabs(),
            "query": here,
            "after": self.after,
            **shown,
        }

    def _query(self, **more: str) -> str:
        asked = {"show": "", "command": self.command.code if self.command else "", **more}
        return urlencode({k: v for k, v in asked.items() if v})

    # ---- The lists ----

    def _next(self) -> dict[str, Any]:
        behind = rows.read_cursor(self.after, "n") if self.after else None
        only = self.show == OVERDUE
        due = steps.due_next(self.cases, self.now, size=rows.PAGE + 1, after=behind, overdue_only=only)
        more = (
            self._query(show=self.show, after=rows.cursor("n", due[-2].at, due[-2].incident))
            if len(due) > rows.PAGE
            else ""
        )
        due = due[: rows.PAGE]
        incidents = rows.with_clocks([d.incident for d in due])
        ahead = steps.next_of(incidents, [d.clock for d in due], self.now)
        at = {d.incident: d.at for d in due}
        lines = [_line(row, ahead) for row in rows.rows_of(incidents, self.user, self.now)]
        turns_at = turnings.next_shorter(incidents, self.now, steps.AHEAD[-1]) if incidents else None
        return {"groups": _grouped(lines, at, self.now), "more": more, "turns_at": turns_at}

    def _page(self, cases: IncidentQuerySet) -> dict[str, Any]:
        page = rows.page(cases, self.user, self.now, by_deadline=True, after=self.after)
        more = self._query(show=self.show, after=page.after) if page.after else ""
        return {"groups": [Group("", [Line(row) for row in page.rows])] if page.rows else [], "more": more}

    def _paused(self) -> dict[str, Any]:
        keys = list(steps.paused(self.cases).values_list("pk", flat=True)[:COUNT_LIMIT])
        listed = rows.rows_of(rows.with_clocks(keys), self.user, self.now)
        return {"groups": [Group("", [Line(row) for row in listed])] if listed else [], "more": ""}

    @cached_property
    def empty(self) -> list[steps.Empty]:
        commands = [steps.Empty(command=c) for c in steps.unattended(self.within, self.now)]
        return commands + ([] if self.command else steps.empty_desks(self._desks(), self.cases, self.now))

    def _empty_until(self) -> list[tuple[steps.Empty, weeks.Standing]]:
        """Those with nobody there, each with how its roster stands: whether anybody is posted, and until when."""
        plans = plans_of([one.command for one in self.empty], self.now, self.now + weeks.SOON)
        return [(one, weeks.standing_of(plan, self.now)) for one, plan in zip(self.empty, plans, strict=True)]

    # ---- Around them ----

    def _tabs(self) -> list[Tab]:
        counts = [
            (NEXT, _("Next steps"), ""),
            (UNACCEPTED, _("Not accepted"), _counted(steps.not_accepted(self.cases))),
            (TOP, _("Nobody above"), _counted(steps.at_the_top(self.cases, self.now))),
            (PAUSED, _("Paused"), _counted(steps.paused(self.cases))),
            (EMPTY, _("Nobody there"), _figure(len(self.empty))),
        ]
        return [
            Tab(label, n, "?" + self._query(show=key), key == self.show or (key, self.show) == (NEXT, OVERDUE))
            for key, label, n in counts
        ]

    def _commands_below(self) -> list[SecurityCommand]:
        paths = [p.command.path for p in self.user.current_postings if p.role in COMMANDING]
        if self.user.has_role(Role.NEC_SECRETARIAT):
            paths.append("PSC.")
        kinds = [BodyKind.PSC, BodyKind.PROVINCE, BodyKind.DISTRICT]
        found = SecurityCommand.objects.active().filter(kind__in=kinds).order_by("path")
        return [c for c in found if any(c.path.startswith(path) for path in paths)]

    def _desks(self) -> list[SecurityCommand]:
        """Integrity desks whose gaps are the person's to know: all for the NEC, for a desk those of its own body."""
        desks = routing.desks()
        if self.user.has_role(Role.NEC_SECRETARIAT):
            return list(desks.values())
        own = [p.command.path for p in self.user.current_postings if p.role == Role.INTEGRITY]
        bodies = ["" if path.startswith("NEC.") else path.rsplit(".", 2)[0] + "." for path in own]
        return [desk for desk in desks.values() if any(desk.path.startswith(body) for body in bodies)]


def _line(row: rows.Row, ahead: dict[UUID, steps.Next]) -> Line:
    found = ahead.get(row.incident.pk)
    return Line(row, found, found.start if found else None, found.why if found else "")


def _grouped(lines: list[Line], at: dict[UUID, dt.datetime], now: dt.datetime) -> list[Group]:
    groups, rest = [], lines
    for title, before in steps.later_than(now):
        here = [line for line in rest if at[line.row.incident.pk] <= before]
        rest = rest[len(here) :]
        if here:
            groups.append(Group(title, here, is_overdue=before == now))
    return groups


def _counted(cases: IncidentQuerySet) -> str:
    return _figure(cases[: COUNT_LIMIT + 1].count())


def _figure(number: int) -> str:
    return "" if not number else f"{COUNT_LIMIT}+" if number > COUNT_LIMIT else str(number)
