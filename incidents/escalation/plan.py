"""What will happen if nobody acts: the steps ahead of a case, or of a report not sent yet, with their times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commands.models import SecurityCommand
from incidents.choices import ClockKind
from incidents.deadlines import fires_at
from incidents.models import EscalationKind


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """At `at`, `command` is told or owns (`kind`), because the clock `clock` was not met."""

    at: dt.datetime
    clock: str
    kind: EscalationKind
    command: SecurityCommand


def planned_for(
    owner: SecurityCommand, chain: Sequence[SecurityCommand], clocks: Mapping[ClockKind, int], now: dt.datetime
) -> list[PlannedStep]:
    """Steps of a report made at `now`, soonest first: each rung of `chain` has the time to acknowledge of its own."""
    steps = []
    minutes = clocks.get(ClockKind.ACKNOWLEDGE)
    if minutes:
        for number, command in enumerate(chain, start=1):
            at = now + dt.timedelta(minutes=minutes * number)
            steps.append(
                PlannedStep(at=at, clock=ClockKind.ACKNOWLEDGE, kind=EscalationKind.OWNER_MOVED, command=command)
            )
    for kind in (ClockKind.FIRST_UPDATE, ClockKind.CONTAIN):
        if kind in clocks and chain:
            at = fires_at(now, clocks[kind], 1)
            steps.append(PlannedStep(at=at, clock=kind, kind=EscalationKind.NEXT_TOLD, command=chain[0]))
    return sorted(steps, key=lambda s: s.at)
