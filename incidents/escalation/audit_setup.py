"""Checks of the audit about what the engine works with: policies, delegations, what it set aside or holds back."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from django.db.models import Count, Q

from commands.models import Delegation
from incidents.choices import ClockKind, Deed
from incidents.escalation.audit_cases import named
from incidents.models import ClockState, EngineState, Incident, Policy, PolicyStep, Quarantine, ResponseTarget
from incidents.policy_content import CLOCKS, PHASES, RATED

#: Set aside for longer than its longest pause.
FORGOTTEN = dt.timedelta(hours=2)
HELD_LONG = dt.timedelta(hours=1)


def policy_unpublished(now: dt.datetime) -> Iterator[str]:
    cases = Incident._base_manager.filter(policy__published_at=None).order_by()
    for policy, number in cases.values_list("policy").annotate(n=Count("pk")):
        yield f"policy {policy}: {number} cases"


def policy_gap(now: dt.datetime) -> Iterator[str]:
    for policy in Policy.objects.exclude(published_at=None).select_related("election"):
        for gap in _gaps(policy):
            yield f"policy {policy}: {gap}"


def _gaps(policy: Policy) -> Iterator[str]:
    there = set(ResponseTarget.objects.filter(policy=policy).values_list("phase", "severity"))
    for phase in PHASES:
        for severity in RATED:
            if (str(phase), str(severity)) not in there:
                yield f"no target for {phase} {severity}"
    steps: dict[str, list[PolicyStep]] = defaultdict(list)
    for step in PolicyStep.objects.filter(policy=policy).order_by("clock", "number"):
        steps[step.clock].append(step)
    for clock in CLOCKS:
        rows = steps[clock]
        if not rows:
            yield f"no step for {clock}"
        elif [s.number for s in rows] != list(range(len(rows))):
            yield f"the steps of {clock} are not numbered from 0 without a gap"
        elif any(a.percent >= b.percent for a, b in pairwise(rows)):
            yield f"the steps of {clock} do not follow one another in time"
        elif clock in (ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT) and rows[-1].deed != Deed.MOVE:
            yield f"the last step of {clock} moves nothing"


def delegation_cycle(now: dt.datetime) -> Iterator[str]:
    """Circles among delegations that run at one moment: asked at the beginning of each that runs now or later."""
    rows = list(Delegation.objects.filter(ends_at__gt=now).select_related("command", "acting").order_by("pk"))
    said: set[frozenset[str]] = set()
    for moment in sorted({max(row.starts_at, now) for row in rows}):
        acts_for: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            if row.starts_at <= moment < row.ends_at:
                acts_for[row.acting.code].add(row.command.code)
        for circle in _circles(acts_for):
            if frozenset(circle) not in said:
                said.add(frozenset(circle))
                yield " > ".join([*circle, circle[0]])


def _circles(acts_for: dict[str, set[str]]) -> Iterator[list[str]]:
    for start in sorted(acts_for):
        path, left = [start], [iter(sorted(acts_for[start]))]
        while path:
            following = next(left[-1], None)
            if following is None:
                path.pop()
                left.pop()
            elif following == start:
                yield list(path)
            elif following not in path and following > start:
                path.append(following)
                left.append(iter(sorted(acts_for.get(following, ()))))


def quarantine_forgotten(now: dt.datetime) -> Iterable[str]:
    forgotten = Q(next_try_at__lt=now - FORGOTTEN) | ~Q(clock__state=ClockState.RUNNING)
    return named(Quarantine.objects.filter(forgotten), "clock__incident__reference", "clock__kind", "attempts", "error")


def hold_forgotten(now: dt.datetime) -> Iterable[str]:
    return named(EngineState.objects.filter(held_at__lt=now - HELD_LONG), "held_at", "held_count")
