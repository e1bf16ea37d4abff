"""What will happen if nobody acts: the steps ahead of a case, or of a report not sent yet, with their times.

The engine's own decision is played forward, clock by clock in the engine's order, so that plan and deed cannot differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from commands.models import SecurityCommand
from incidents.choices import ClockKind
from incidents.deadlines import fires_at
from incidents.escalation.decide import Firing, decide
from incidents.models import EscalationKind
from incidents.policies import Rules


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """At `at`, `command` is told or owns (`kind`), because the clock `clock` was not met by the owner then."""

    at: dt.datetime
    clock: str
    kind: EscalationKind
    command: SecurityCommand
    #: Who owned the case until this moment.
    owner: SecurityCommand


@dataclass(frozen=True, kw_only=True)
class Running:
    """A running clock as plain values; `step` is the one it fires next."""

    kind: str
    step: int
    anchor_at: dt.datetime
    target_minutes: int


def planned(
    owner: SecurityCommand,
    chain: Sequence[SecurityCommand],
    clocks: Iterable[Running],
    *,
    rules: Rules,
    take_over: ClockKind,
    minutes: int,
) -> list[PlannedStep]:
    """Every step that tells or moves, soonest first.

    `clocks` in the order they were started; `take_over` is the clock a new owner gets, of `minutes`: to acknowledge
    where nobody has yet, else to accept.
    """
    running, above, steps = list(clocks), list(chain), []

    def due(clock: Running) -> dt.datetime:
        return fires_at(clock.anchor_at, clock.target_minutes, rules.steps(clock.kind), clock.step)

    while running and above:
        clock = min(running, key=due)
        running.remove(clock)
        at = due(clock)
        decision = decide(
            Firing(
                kind=clock.kind,
                step=clock.step,
                steps=rules.steps(clock.kind),
                anchor_at=clock.anchor_at,
                target_minutes=clock.target_minutes,
                has_above=True,
                now=at,
            )
        )
        if decision.next_step is not None:
            running.append(_at_step(clock, decision.next_step))
        if decision.kind in (EscalationKind.OWNER_MOVED, EscalationKind.NEXT_TOLD):
            steps.append(PlannedStep(at=at, clock=clock.kind, kind=decision.kind, command=above[0], owner=owner))
        if decision.kind == EscalationKind.OWNER_MOVED:
            owner = above.pop(0)
            running = [c for c in running if c.kind != take_over]
            running.append(Running(kind=take_over, step=0, anchor_at=at, target_minutes=minutes))
    return steps


def _at_step(clock: Running, step: int) -> Running:
    return Running(kind=clock.kind, step=step, anchor_at=clock.anchor_at, target_minutes=clock.target_minutes)


def planned_for(
    owner: SecurityCommand,
    chain: Sequence[SecurityCommand],
    clocks: Mapping[ClockKind, int],
    rules: Rules,
    now: dt.datetime,
) -> list[PlannedStep]:
    """Steps of a report made at `now` that starts `clocks` (minutes); each new owner has the same time to take up."""
    return planned(
        owner,
        chain,
        [Running(kind=kind, step=0, anchor_at=now, target_minutes=minutes) for kind, minutes in clocks.items()],
        rules=rules,
        take_over=ClockKind.ACKNOWLEDGE,
        minutes=clocks.get(ClockKind.ACKNOWLEDGE, 0),
    )
