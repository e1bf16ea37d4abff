"""What happens when a clock fires: one pure decision, used by the engine, the preview and the planned steps of a case.

Source: domain 3.3. Acknowledge or accept missed: the next rung owns. Update, containment or resolution missed: the next
rung is told at the deadline and owns at twice the time. Nothing above: said loudly, to the top and the NEC.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from incidents.choices import ClockKind
from incidents.deadlines import fires_at
from incidents.models import EscalationKind

#: Missed, these move the case at once.
TAKING_UP = frozenset({ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT})


@dataclass(frozen=True, kw_only=True)
class Firing:
    """A due clock, as plain values; `has_above` says whether a command stands above the owner."""

    kind: str
    step: int
    anchor_at: dt.datetime
    target_minutes: int
    has_above: bool
    now: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`kind` None: nothing to say (a warning that came after its own deadline). `next_step` None: the clock ends."""

    kind: EscalationKind | None
    next_step: int | None


def decide(firing: Firing) -> Decision:
    """What this step does. The same for any frequency of ticks: it depends on the moments, not on who looked when."""
    if firing.step == 0:
        late = firing.now >= fires_at(firing.anchor_at, firing.target_minutes, 1)
        return Decision(kind=None if late else EscalationKind.WARNING, next_step=1)
    if not firing.has_above:
        return Decision(kind=EscalationKind.EXHAUSTED, next_step=None)
    if firing.kind in TAKING_UP:
        return Decision(kind=EscalationKind.OWNER_MOVED, next_step=None)
    if firing.step == 1:
        return Decision(kind=EscalationKind.NEXT_TOLD, next_step=2)
    return Decision(kind=EscalationKind.OWNER_MOVED, next_step=None)
