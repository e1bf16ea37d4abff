"""The path of a case up the commands: who had it, who has it, and what the rule will do if nobody acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from commands.models import SecurityCommand
from incidents import routing
from incidents.choices import Act, ClockKind
from incidents.escalation import plan
from incidents.escalation.ahead import steps_ahead
from incidents.escalation.decide import moves_at_deadline
from incidents.models import Clock, Custody, EscalationKind, Incident
from incidents.policies import rules_for
from incidents.views.rows import Row

MOST_PLANNED = 5


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
        str(Act.SKIP): _("by rule: nobody was there below"),
        **{kind.value: _("by rule: late to %(what)s") % {"what": kind.label} for kind in ClockKind},
    }
    text = reasons.get(custody.reason, "")
    if custody.accepted_at is None:
        return _("%(why)s, not yet accepted") % {"why": text} if text else _("not yet accepted")
    return text or _("accepted")


def planned(incident: Incident, clocks: Iterable[Clock]) -> list[Step]:
    """What the rule does next if nobody acts: each command above told once, then made owner, at its moment."""
    try:
        ahead = steps_ahead(incident, clocks, timezone.now())
    except ValidationError:
        # The reference data lacks a row that the engine cannot work without either.
        return []
    return [_step(s) for s in _worth_showing(ahead)][:MOST_PLANNED]


def _worth_showing(ahead: Iterable[plan.PlannedStep]) -> Iterator[plan.PlannedStep]:
    """Every change of owner, and of what a command is told only the first: several clocks may tell it the same day."""
    told: set[int] = set()
    for step in ahead:
        if step.kind == EscalationKind.OWNER_MOVED or step.command.pk not in told:
            yield step
        told.add(step.command.pk)


def _step(step: plan.PlannedStep) -> Step:
    told_only = step.kind == EscalationKind.NEXT_TOLD
    return Step(step.command, step.at, _because(step, told_only=told_only), "planned", is_told_only=told_only)


def _because(step: plan.PlannedStep, *, told_only: bool) -> str:
    if not told_only and step.clock in _STILL:
        return _STILL[ClockKind(step.clock)]()
    if step.clock == ClockKind.ACCEPT:
        return _("if %(command)s does not accept") % {"command": step.owner.name}
    return _IF_NOBODY[ClockKind(step.clock)]()


_IF_NOBODY = {
    ClockKind.ACKNOWLEDGE: lambda: _("if nobody acknowledges it"),
    ClockKind.FIRST_UPDATE: lambda: _("if there is no update"),
    ClockKind.UPDATE: lambda: _("if there is no update"),
    ClockKind.CONTAIN: lambda: _("if it is not contained"),
    ClockKind.RESOLVE: lambda: _("if it is not resolved"),
    ClockKind.REVIEW: lambda: _("if it is not rated"),
    ClockKind.VERIFY: lambda: _("if nobody finds out whether it is true"),
    ClockKind.LEGAL: lambda: _("if the legal body has not decided"),
}
_STILL = {
    ClockKind.FIRST_UPDATE: lambda: _("if there is still no update"),
    ClockKind.UPDATE: lambda: _("if there is still no update"),
    ClockKind.CONTAIN: lambda: _("if it is still not contained"),
    ClockKind.RESOLVE: lambda: _("if it is still not resolved"),
    ClockKind.REVIEW: lambda: _("if it is still not rated"),
    ClockKind.VERIFY: lambda: _("if still nobody has found out whether it is true"),
    ClockKind.LEGAL: lambda: _("if the legal body has still not decided"),
}


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
    if incident.next_due_kind == ClockKind.SNOOZE:
        return _("then: its deadlines run on")
    moves = moves_at_deadline(rules_for(incident).steps(incident.next_due_kind))
    text = _("then: %(command)s owns it") if moves else _("then: %(command)s is told")
    return text % {"command": above.name}
