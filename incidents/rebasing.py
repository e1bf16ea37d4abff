"""Open cases are moved to another version of their policy: an explicit act, for one case or in rounds for all.

Deadlines are worked out anew from the same anchors with the new targets. What fired stays fired: of the new steps those
whose deed was done already are passed over, and what the new times put into the past fires with the next tick.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from commands.authority import judge_roles
from commands.choices import Role
from commands.models import User
from elections.models import Election
from incidents.bell import wake_after
from incidents.choices import OPEN, Act, ClockKind, Deed, Severity, State
from incidents.deadlines import Step, Targets, due_at, fires_at
from incidents.models import STANDING, Clock, ClockState, Incident, Policy
from incidents.policies import Rules, policy_for, rules_of, targets_at
from incidents.querysets import IncidentQuerySet
from incidents.turn import Turn, in_words, refused, turn

log = logging.getLogger(__name__)

#: Cases of one round: each is a transaction of its own, and a page waits for all of them.
BATCH = 100
#: The preview looks at so many cases and says where there are more.
LOOKED_AT = 5_000
MOVERS = (Role.PSC_WATCH, Role.NEC_SECRETARIAT)
#: Standing still is no time of a policy.
_UNTOUCHED = (ClockKind.SNOOZE,)


@dataclass(frozen=True, slots=True)
class Retimed:
    """A clock under other rules: its time, the step it fires next, and when; `state` as in ClockState."""

    minutes: int
    step: int
    state: str
    fires_at: dt.datetime


def retimed(clock: Clock, minutes: int, old: Sequence[Step], new: Sequence[Step]) -> Retimed:
    """A standing clock with `minutes` and the steps `new` in place of `old`. Pure: it reads the clock's row alone."""
    last = len(old) - 1
    if clock.step > last:
        # The alarm at the top goes on as it rang.
        return Retimed(minutes, len(new), clock.state, clock.fires_at)
    is_over = clock.state == ClockState.EXHAUSTED
    if is_over and (old[clock.step].deed == Deed.MOVE or clock.step < last):
        # It moved the case, or would have warned where nobody was: its owner of now has a clock of its own.
        return Retimed(minutes, min(clock.step, len(new) - 1), clock.state, clock.fires_at)
    done = Counter(step.deed for step in old[: clock.step + 1 if is_over else clock.step])
    at = _first_not_done(done, new)
    if at == len(new):
        return Retimed(minutes, at - 1, ClockState.EXHAUSTED, fires_at(clock.anchor_at, minutes, new, at - 1))
    state = ClockState.RUNNING if is_over else clock.state
    return Retimed(minutes, at, state, fires_at(clock.anchor_at, minutes, new, at))


def _first_not_done(done: Counter[str], steps: Sequence[Step]) -> int:
    left = Counter(done)
    for number, step in enumerate(steps):
        if left[step.deed] <= 0:
            return number
        left[step.deed] -= 1
    return len(steps)


def new_minutes(clock: Clock, old: Targets, new: Targets) -> int | None:
    """The time a standing clock has under targets `new` in place of `old`; None where they ask for no such thing.

    Where both say the same the clock keeps what it has: an earlier phase may have given it less, and the time of a
    worksheet, or what the law gives a body, is no policy's to say.
    """
    minutes = new.of(clock.kind)
    return clock.target_minutes if minutes == old.of(clock.kind) else minutes


# ---- One case ----


def rebase(incident: Incident, policy: Policy, *, by: User, reason: str, **how: Any) -> Incident:
    """Move an open case to `policy`. Raises as every act; ValidationError where the version is none for this case."""
    with turn(incident, Act.REBASE, by=by, reason=reason, **how) as t:
        _check(t.incident, policy)
        _move(t, policy)
    return t.incident


def _check(case: Incident, policy: Policy) -> None:
    if policy.published_at is None:
        raise refused(_("This version is a draft. A second person must publish it first."))
    if policy.election_id not in (None, case.election_id):
        raise refused(_("This version is for another election. Choose one of the case's own."))
    if case.policy_id == policy.pk:
        raise refused(_("The case runs by this version already."))


def _move(t: Turn, policy: Policy) -> None:
    case, old, new = t.incident, rules_of(t.incident.policy), rules_of(policy)
    targets = targets_under(case, old, t.now), targets_under(case, new, t.now)
    changed = 0
    for clock in standing_of(case):
        minutes = new_minutes(clock, *targets)
        steps = old.steps(clock.kind), new.steps(clock.kind)
        if minutes != clock.target_minutes or steps[0] != steps[1]:
            _replace(clock, minutes, *steps, t.now)
            changed += 1
    case.policy = policy
    changed += _ask_for_updates(t, targets[1])
    t.extra_after = {"clocks": changed}
    wake_after("incidents.escalation_tick")


def standing_of(case: Incident) -> list[Clock]:
    """The clocks of a case that a version has a say in, as they were started."""
    return list(case.clocks.filter(state__in=STANDING).exclude(kind__in=_UNTOUCHED).order_by("pk"))


def targets_under(case: Incident, rules: Rules, now: dt.datetime) -> Targets:
    """The targets a case would have at `now` under these rules."""
    return targets_at(rules, case.election, case.clock_phase, case.severity, case.place_id, now)


def _replace(clock: Clock, minutes: int | None, old: Sequence[Step], new: Sequence[Step], now: dt.datetime) -> None:
    """A new episode in place of a standing clock; with no minutes the clock only ends."""
    paused_at = clock.paused_at
    Clock.objects.filter(pk=clock.pk).update(state=ClockState.CANCELLED, stopped_at=now, paused_at=None)
    if minutes is None:
        return
    found = retimed(clock, minutes, old, new)
    last = Clock.objects.filter(incident=clock.incident_id, kind=clock.kind, about=clock.about).order_by("-episode")[0]
    Clock.objects.create(
        incident_id=clock.incident_id,
        kind=clock.kind,
        about=clock.about,
        episode=last.episode + 1,
        step=found.step,
        anchor_at=clock.anchor_at,
        target_minutes=minutes,
        deadline_at=due_at(clock.anchor_at, minutes),
        fires_at=found.fires_at,
        state=found.state,
        stopped_at=now if found.state == ClockState.EXHAUSTED else None,
        paused_at=paused_at if found.state == ClockState.PAUSED else None,
        paused_seconds=clock.paused_seconds,
    )


def _ask_for_updates(t: Turn, targets: Targets) -> bool:
    """Further updates that the old version did not ask for, from the last one there was."""
    case = t.incident
    waits = case.clocks.filter(kind__in=(ClockKind.FIRST_UPDATE, ClockKind.UPDATE), state__in=STANDING).exists()
    is_asked = targets.update_every and case.severity == Severity.CRITICAL and case.state != State.CONTAINED
    if waits or not is_asked or case.last_update_at is None:
        return False
    t.start_clock(ClockKind.UPDATE, targets.update_every or 0, case.last_update_at)
    return True


# ---- Every open case of an election ----


def waiting(policy: Policy, by: User, now: dt.datetime) -> IncidentQuerySet:
    """Open cases that `by` may move to `policy`: those its election has under another version.

    None where the version is not the one in force. Sealed cases are moved one by one, by the desk that holds them.
    """
    cases = Incident.objects.visible_to(by, unsealed=True).filter(is_sealed=False, state__in=OPEN)
    if not by.has_role(*MOVERS) or policy.published_at is None:
        return cases.none()
    if policy.election is not None:
        in_force = policy_for(policy.election, now)
        found = cases.filter(election=policy.election)
    else:
        in_force = Policy.objects.filter(election=None, published_at__lte=now).order_by("-number")[0]
        # Elections with a version of their own are not this one's to move.
        found = cases.filter(policy__election=None)
        own = Policy.objects.exclude(election=None).filter(published_at__lte=now)
        found = found.exclude(election__in=own.values("election"))
    return found.exclude(policy=policy) if in_force.pk == policy.pk else cases.none()


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What a move of all waiting cases would do: of `looked_at` of `cases`, how many would change and move at once."""

    cases: int
    looked_at: int
    retimed: int
    at_once: int


def ahead(cases: IncidentQuerySet, policy: Policy, now: dt.datetime) -> Ahead:
    """Look before moving. "At once" is a case with a command above whose step that moves it would be due at `now`."""
    rows = list(cases.order_by("pk").select_related("policy", "owner")[:LOOKED_AT])
    clocks = _clocks_of([case.pk for case in rows])
    elections: dict[int, Election] = {}
    new = rules_of(policy)
    changed = at_once = 0
    for case in rows:
        # One object for all cases of an election: each reads its calendar once.
        case.election = elections.get(case.election_id) or elections.setdefault(case.election_id, case.election)
        touched, moves = _would(case, clocks.get(case.pk, ()), new, now)
        changed += touched
        at_once += moves
    total = cases.count() if len(rows) == LOOKED_AT else len(rows)
    return Ahead(cases=total, looked_at=len(rows), retimed=changed, at_once=at_once)


def _would(case: Incident, clocks: Iterable[Clock], new: Rules, now: dt.datetime) -> tuple[bool, bool]:
    old = rules_of(case.policy)
    targets = targets_under(case, old, now), targets_under(case, new, now)
    has_above = case.owner.rung is not None and case.owner.rung < 3
    touched = moves = False
    for clock in clocks:
        minutes = new_minutes(clock, *targets)
        steps = new.steps(clock.kind)
        if minutes == clock.target_minutes and old.steps(clock.kind) == steps:
            continue
        touched = True
        if minutes is None or not has_above:
            continue
        found = retimed(clock, minutes, old.steps(clock.kind), steps)
        ahead = range(found.step, len(steps)) if found.state == ClockState.RUNNING else ()
        moves |= any(steps[n].deed == Deed.MOVE and fires_at(clock.anchor_at, minutes, steps, n) <= now for n in ahead)
    return touched, moves


def _clocks_of(keys: Sequence[UUID]) -> dict[UUID, list[Clock]]:
    found: dict[UUID, list[Clock]] = defaultdict(list)
    for at in range(0, len(keys), 500):
        rows: QuerySet[Clock] = Clock.objects.filter(incident__in=keys[at : at + 500], state__in=STANDING)
        for clock in rows.exclude(kind__in=_UNTOUCHED):
            found[clock.incident_id].append(clock)
    return found


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round: how many were moved, whom it refused and why, and the last case it came to, None at the end."""

    moved: int
    refusals: tuple[tuple[str, str], ...]
    last: UUID | None


def rebase_some(
    policy: Policy, *, by: User, reason: str, now: dt.datetime, after: UUID | None = None, most: int = BATCH
) -> Round:
    """Move the next `most` waiting cases after the key `after`, each an act of its own in the journal.

    A case that refuses, or is acted upon at the same moment, stops no other. Raises PermissionDenied; ValidationError
    without a reason.
    """
    judge_roles(MOVERS, by.current_postings)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why, in a few words.")}, code="required")
    cases = waiting(policy, by, now).order_by("pk")
    rows = list((cases.filter(pk__gt=after) if after else cases)[:most])
    moved, refusals = 0, []
    for case in rows:
        try:
            rebase(case, policy, by=by, reason=reason, version=None, now=now)
            moved += 1
        except (ValidationError, PermissionDenied) as refusal:
            refusals.append((case.reference, in_words(refusal)))
        except IntegrityError:
            # A row that was broken before: the invariant audit names it.
            log.exception("Could not move %s to another version", case.pk)
            refusals.append((case.reference, _("Its record is not whole. Tell your administrator.")))
        except Incident.DoesNotExist:
            # Sealed or out of sight since the list was read: nobody's to speak of.
            continue
    return Round(moved=moved, refusals=tuple(refusals), last=rows[-1].pk if len(rows) == most else None)
