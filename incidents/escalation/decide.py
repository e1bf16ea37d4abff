"""What happens when a clock fires: one pure decision, used by the engine, the preview and the planned steps of a case.

Source: domain 3.3 as the case's policy has it. Nothing above: said loudly, to the top and the NEC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from incidents.choices import ClockKind, Deed
from incidents.deadlines import Step, fires_at
from incidents.models import EscalationKind


@dataclass(frozen=True, kw_only=True)
class Firing:
    """A due clock, as plain values; `has_above` says whether a command stands above the owner."""

    kind: str
    step: int
    steps: Sequence[Step]
    anchor_at: dt.datetime
    target_minutes: int
    has_above: bool
    now: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`kind` None: nothing to say (a warning that came after its own deadline). `next_step` None: the clock ends.

    `rung`: the case goes at least so high, where the policy names one.
    """

    kind: EscalationKind | None
    next_step: int | None
    rung: int | None = None


_SAYS = {Deed.TELL: EscalationKind.NEXT_TOLD, Deed.MOVE: EscalationKind.OWNER_MOVED}


def decide(firing: Firing) -> Decision:
    """What this step does. The same for any frequency of ticks: it depends on the moments, not on who looked when."""
    if firing.kind == ClockKind.SNOOZE:
        return Decision(kind=EscalationKind.RESUMED, next_step=None)
    step = firing.steps[firing.step]
    after = firing.step + 1 if firing.step + 1 < len(firing.steps) else None
    if step.deed == Deed.WARN:
        late = after is not None and firing.now >= fires_at(
            firing.anchor_at, firing.target_minutes, firing.steps, after
        )
        return Decision(kind=None if late else EscalationKind.WARNING, next_step=after)
    if not firing.has_above:
        return Decision(kind=EscalationKind.EXHAUSTED, next_step=None)
    # A case that moved has a new owner with a clock of its own: this one is at its end.
    return Decision(kind=_SAYS[Deed(step.deed)], next_step=None if step.deed == Deed.MOVE else after, rung=step.rung)


def moves_at_deadline(steps: Sequence[Step]) -> bool:
    """Whether a missed deadline of a clock with these steps moves the case at once; else the next command is told."""
    return any(step.deed == Deed.MOVE and step.percent <= 100 for step in steps)
