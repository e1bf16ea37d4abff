"""What will happen if nobody acts: the steps ahead of a case, or of a report not sent yet, with their times.

The engine's own course of a case is played forward, clock by clock in the engine's order, so that plan and deed cannot
differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from commands.models import SecurityCommand
from incidents.choices import ClockKind
from incidents.deadlines import fires_at
from incidents.escalation.decide import Course, Level, Ticking
from incidents.escalation.turnings import Turning
from incidents.models import EscalationKind
from incidents.policies import Rules
from incidents.routing import height_of


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """At `at`, `command` is told or owns (`kind`), because the clock `clock` was not met by the owner then."""

    at: dt.datetime
    clock: str
    kind: EscalationKind
    command: SecurityCommand
    #: Who owned the case until this moment.
    owner: SecurityCommand
    #: Commands passed over because nobody is there, nearest first.
    left_out: tuple[SecurityCommand, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Running:
    """A running clock as plain values; `step` is the one it fires next, at `fires_at` where that is known."""

    kind: str
    step: int
    anchor_at: dt.datetime
    target_minutes: int
    fires_at: dt.datetime | None = None


def planned(
    owner: SecurityCommand,
    chain: Sequence[SecurityCommand],
    clocks: Iterable[Running],
    *,
    rules: Rules,
    take_over: ClockKind,
    minutes: int,
    vacant: Collection[int] = (),
    turnings: Sequence[Turning] = (),
) -> list[PlannedStep]:
    """Every step that tells or moves, soonest first.

    `clocks` in the order they were started; `take_over` is the clock a new owner gets, of `minutes`: to acknowledge
    where nobody has yet, else to accept. `vacant`: keys of commands with nobody there. `turnings`: what the calendar
    does to the clocks meanwhile (`turnings.ahead`).
    """
    commands = {c.pk: c for c in (owner, *chain)}
    levels = {c.pk: Level(c.pk, height_of(c), c.pk not in vacant) for c in commands.values()}
    course = Course(
        owner=levels[owner.pk],
        chain=[levels[c.pk] for c in chain],
        clocks=[_ticking(clock, rules) for clock in clocks],
        rules=rules,
        take_over=take_over,
        minutes=minutes,
    )
    steps, coming = [], list(turnings)
    while any(level.is_staffed for level in course.chain) and (clock := course.due()):
        # What is due at the moment a phase begins still fires by the phase before it, as in a tick of that moment.
        if coming and coming[0].at < clock.fires_at:
            turning = coming.pop(0)
            course.enter(turning.at, turning.targets)
            continue
        what = course.fire(clock, clock.fires_at)
        if what and what.target and what.kind in (EscalationKind.OWNER_MOVED, EscalationKind.NEXT_TOLD):
            steps.append(
                PlannedStep(
                    at=what.due_at,
                    clock=what.clock,
                    kind=what.kind,
                    command=commands[what.target.key],
                    owner=commands[what.sender.key],
                    left_out=tuple(commands[level.key] for level in what.left_out),
                )
            )
    return steps


def _ticking(clock: Running, rules: Rules) -> Ticking:
    steps = rules.steps(clock.kind)
    moment = clock.fires_at or fires_at(clock.anchor_at, clock.target_minutes, steps, min(clock.step, len(steps) - 1))
    return Ticking(
        kind=clock.kind,
        step=clock.step,
        anchor_at=clock.anchor_at,
        target_minutes=clock.target_minutes,
        deadline_at=clock.anchor_at + dt.timedelta(minutes=clock.target_minutes),
        fires_at=moment,
    )


def planned_for(
    owner: SecurityCommand,
    chain: Sequence[SecurityCommand],
    clocks: Mapping[ClockKind, int],
    rules: Rules,
    now: dt.datetime,
    vacant: Collection[int] = (),
    turnings: Sequence[Turning] = (),
) -> list[PlannedStep]:
    """Steps of a report made at `now` that starts `clocks` (minutes); each new owner has the same time to take up."""
    return planned(
        owner,
        chain,
        [Running(kind=kind, step=0, anchor_at=now, target_minutes=minutes) for kind, minutes in clocks.items()],
        rules=rules,
        take_over=ClockKind.ACKNOWLEDGE,
        minutes=clocks.get(ClockKind.ACKNOWLEDGE, 0),
        vacant=vacant,
        turnings=turnings,
    )
