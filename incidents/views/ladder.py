"""The path of a case up the commands: who had it, who has it, and what the rule will do if nobody acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from commands.models import SecurityCommand
from incidents import routing
from incidents.choices import Act, ClockKind
from incidents.deadlines import fires_at
from incidents.models import Clock, ClockState, Custody, Incident
from incidents.views.rows import Row

#: Clocks whose deadline moves the case; the others first tell the next command and move it at twice the time.
_MOVING = (ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT)
MOST_PLANNED = 4


@dataclass(frozen=True)
class Step:
    """One rung of the path. `state` is past, now or planned."""

    command: SecurityCommand
    at: dt.datetime
    why: str
    state: str
    is_told_only: bool = False

    @property
    def css(self) -> str:
        return {"now": "is-now", "planned": "is-planned"}.get(self.state, "")

    @property
    def rung(self) -> str:
        """R0 to R3, or nothing for a body beside the ladder."""
        return "" if self.command.rung is None else f"R{self.command.rung}"


def path(incident: Incident, custodies: Sequence[Custody], clocks: Iterable[Clock]) -> list[Step]:
    """Past and present from custody, planned from the running clocks; earliest first."""
    steps = [
        Step(c.command, c.at, _why(c, is_first=n == 0), "now" if n == len(custodies) - 1 else "past")
        for n, c in enumerate(custodies)
    ]
    return [*steps, *planned(incident, clocks)]


def _why(custody: Custody, *, is_first: bool) -> str:
    if is_first:
        return _("reported to it")
    reasons: dict[str, str] = {
        str(Act.ESCALATE): _("escalated by a person"),
        str(Act.HAND_BACK): _("handed back"),
        str(Act.AUTO_ESCALATE): _("by rule: nobody acted in time"),
        str(Act.RAISE_SEVERITY): _("because the severity was raised"),
        str(Act.REOPEN): _("reopened"),
        **{kind.value: _("by rule: late to %(what)s") % {"what": kind.label} for kind in ClockKind},
    }
    text = reasons.get(custody.reason, "")
    if custody.accepted_at is None:
        return _("%(why)s, not yet accepted") % {"why": text} if text else _("not yet accepted")
    return text or _("accepted")


def planned(incident: Incident, clocks: Iterable[Clock]) -> list[Step]:
    """What the rule does next if nobody acts: each command above told or made owner, at its moment. Few queries."""
    if not incident.is_open:
        return []
    running = [c for c in clocks if c.state == ClockState.RUNNING]
    subjects = None
    if incident.is_sealed:
        subjects = [s.command for s in incident.subjects.select_related("command")]
    above = routing.above(incident.owner, incident.place_id, subjects)
    if not running or not above:
        return []
    due: list[tuple[dt.datetime, str, bool]] = []
    for clock in running:
        if clock.kind in _MOVING:
            due.append((clock.deadline_at, _if_nobody(clock.kind), False))
        else:
            due.append((clock.deadline_at, _if_nobody(clock.kind), True))
            due.append((fires_at(clock.anchor_at, clock.target_minutes, 2), _("if that is so still"), False))
    return _climb(incident, above, sorted(due, key=lambda d: (d[0], d[2])))


def _if_nobody(kind: str) -> str:
    return {
        ClockKind.ACKNOWLEDGE: _("if nobody acknowledges it"),
        ClockKind.ACCEPT: _("if nobody accepts it"),
        ClockKind.FIRST_UPDATE: _("if there is no update"),
        ClockKind.UPDATE: _("if there is no update"),
        ClockKind.CONTAIN: _("if it is not contained"),
        ClockKind.RESOLVE: _("if it is not resolved"),
        ClockKind.REVIEW: _("if it is not rated"),
    }[ClockKind(kind)]


def with_above(rows: Iterable[Row]) -> Iterator[tuple[Row, SecurityCommand | None]]:
    """Rows with the command above their owner; one query for each owner, none for what has no ladder."""
    known: dict[tuple[int, str], SecurityCommand | None] = {}
    for row in rows:
        incident = row.incident
        if incident.is_sealed:
            yield row, None
            continue
        key = (incident.owner_id, incident.province_code)
        if key not in known:
            known[key] = next(iter(routing.above(incident.owner, incident.place_id, None)), None)
        yield row, known[key]


def then(incident: Incident, above: SecurityCommand | None) -> str:
    """One line: what the rule does at the next deadline."""
    if above is None:
        return ""
    text = _("then: %(command)s owns it") if incident.next_due_kind in _MOVING else _("then: %(command)s is told")
    return text % {"command": above.name}


def _climb(
    incident: Incident, above: Sequence[SecurityCommand], due: Sequence[tuple[dt.datetime, str, bool]]
) -> list[Step]:
    """Walk up: the first deadline that moves gives the case to the next rung, whose time to accept then runs."""
    steps: list[Step] = []
    told = next((d for d in due if d[2]), None)
    moves = next((d for d in due if not d[2]), None)
    if told and moves and told[0] < moves[0]:
        steps.append(Step(above[0], told[0], told[1], "planned", is_told_only=True))
    if moves:
        at, why = moves[0], moves[1]
        accept = _accept_minutes(incident)
        for command in above:
            steps.append(Step(command, at, why, "planned"))
            if accept is None:
                break
            at, why = at + dt.timedelta(minutes=accept), _("if %(command)s does not accept") % {"command": command.name}
    return steps[:MOST_PLANNED]


def _accept_minutes(incident: Incident) -> int | None:
    try:
        return routing.targets_for(incident.election, incident.phase, incident.severity).acknowledge
    except ValidationError:
        return None
