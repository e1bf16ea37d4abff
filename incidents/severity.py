"""How serious a case is: raised by anybody who works on it, lowered by a person, with a reason, one step at a time.

A new severity times the clocks anew from the same anchors, and the ladder hears of what becomes serious (domain 3.1,
3.3).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from commands.models import SecurityCommand, User
from incidents import stand_down
from incidents.choices import SEVERITY_ORDER, Act, ClockKind, Severity, State
from incidents.deadlines import due_at, opening_clocks
from incidents.models import STANDING, ClockState, EscalationKind, Incident
from incidents.routing import first_owner, first_staffed, ladder_of, nearest_staffed, nec
from incidents.rumours import must_be_verified
from incidents.turn import Turn, chain_above, chosen, turn, vacant_for

#: Until it is contained, a critical case is reported on again and again.
NEEDS_UPDATES = (State.REPORTED, State.ACKNOWLEDGED, State.RESPONDING)


def raise_severity(incident: Incident, *, by: User, severity: str, **how: Any) -> Incident:
    return _set_severity(incident, Act.RAISE_SEVERITY, severity, by=by, **how)


def lower_severity(incident: Incident, *, by: User, severity: str, **how: Any) -> Incident:
    """One step at a time, with a reason: a machine may raise, only a person lowers (domain 3.1)."""
    return _set_severity(incident, Act.LOWER_SEVERITY, severity, by=by, **how)


def _set_severity(incident: Incident, act: Act, severity: str, **how: Any) -> Incident:
    chosen(Severity, severity, "severity")
    with turn(incident, act, **how) as t:
        old, new = Severity(t.incident.severity), Severity(severity)
        steps = SEVERITY_ORDER[new] - SEVERITY_ORDER[old]
        if new == Severity.UNRATED or steps == 0 or (steps > 0) != (act == Act.RAISE_SEVERITY):
            raise ValidationError({"severity": _("Choose another level than the present one.")}, code="choice")
        if steps < -1:
            raise ValidationError({"severity": _("Lower it by one step at a time.")}, code="choice")
        t.incident.severity = new
        if steps > 0:
            t.end_pause()
        if old == Severity.UNRATED:
            _rate(t)
        else:
            _retime(t)
        _inform(t, old, new)
    return t.incident


def _rate(t: Turn) -> None:
    """A first severity: what waited for its worksheet gets a command of the ladder, and the clocks of a new report."""
    case, targets = t.incident, t.targets
    t.stop_clock(ClockKind.REVIEW)
    for kind, minutes in opening_clocks(case.severity, targets, is_rumour=must_be_verified(case)).items():
        if kind != ClockKind.ACKNOWLEDGE or case.state == State.REPORTED:
            t.start_clock(kind, minutes)
    if case.owner.rung is None and not case.is_sealed:
        ladder = ladder_of(case.place_id)
        first = first_owner(case.place_id, case.severity, ladder)
        chain = [first, *(c for c in ladder if (c.rung or 0) > (first.rung or 0))]
        owner, left_out = first_staffed(first, chain[1:], vacant_for(case, chain, t.now))
        t.hand_over(
            owner, Act.RAISE_SEVERITY, EscalationKind.HAND_BACK, targets.acknowledge, told="report", left_out=left_out
        )


def _retime(t: Turn) -> None:
    """Deadlines of the new severity, from the same anchors: what is met stays met, what stands paused stays paused.

    A deadline that was still to come does not become one that has long passed: its shorter time counts from now, or a
    case raised late would run past every command at once, none of which had a minute to act.
    """
    targets = t.targets
    for clock in list(t.incident.clocks.filter(state__in=STANDING).exclude(kind=ClockKind.UPDATE)):
        kind, minutes = ClockKind(clock.kind), targets.of(clock.kind)
        if minutes is None or minutes == clock.target_minutes:
            continue
        if clock.paused_at is None and due_at(clock.anchor_at, minutes) <= t.now < clock.deadline_at:
            if due_at(t.now, minutes) < clock.deadline_at:
                t.start_clock(kind, minutes)
            continue
        t.start_clock(kind, minutes, clock.anchor_at, like=clock)
    _retime_updates(t)


def _retime_updates(t: Turn) -> None:
    """Further updates are asked for while a case is critical: the first of them one interval from now."""
    case, every = t.incident, t.targets.update_every
    if not every or case.severity != Severity.CRITICAL:
        t.stop_clock(ClockKind.UPDATE, state=ClockState.CANCELLED)
    elif case.first_update_at and case.state in NEEDS_UPDATES:
        t.start_clock(ClockKind.UPDATE, every)


def takes_critical(case: Incident, now: dt.datetime) -> tuple[SecurityCommand | None, list[SecurityCommand]]:
    """Who gets a case of a district once it is critical: the province, or the nearest above where somebody is.

    And whom that leaves out; None where nobody is at any of them. Then it stays with its owner, and the ladder is told.
    """
    chain = [c for c in ladder_of(case.place_id) if (c.rung or 0) >= 2]
    return nearest_staffed(chain, vacant_for(case, chain, now))


def _inform(t: Turn, old: Severity, new: Severity) -> None:
    """Raised to high or critical, the ladder hears of it; lowered from critical, the NEC does (domain 3.1).

    A sealed case is told of to the desks above alone: none of them is a subject's.
    """
    case, secretariat = t.incident, nec()
    is_serious = SEVERITY_ORDER[new] >= max(SEVERITY_ORDER[old], SEVERITY_ORDER[Severity.HIGH])
    if case.is_sealed:
        if is_serious:
            t.tell_commands("raise_severity", [case.owner, *chain_above(case)])
        return
    if old == Severity.CRITICAL:
        t.tell_commands("lower_severity", [c for c in (case.owner, secretariat) if c])
    if not is_serious:
        return
    ladder = ladder_of(case.place_id)
    if new == Severity.CRITICAL:
        if case.rung < 2:
            takes, left_out = takes_critical(case, t.now)
            if takes:
                t.hand_over(
                    takes, Act.RAISE_SEVERITY, EscalationKind.OWNER_MOVED, t.targets.acknowledge, told="escalate",
                    left_out=left_out,
                )  # fmt: skip
            elif left_out:
                t.extra_after = {"left_out": [c.pk for c in left_out]}
        t.tell_commands("raise_severity", [*ladder, *([secretariat] if secretariat else [])])
    else:
        t.tell_commands("raise_severity", [c for c in ladder if c.rung == 2])
        stand_down.tell_watchers(t)
