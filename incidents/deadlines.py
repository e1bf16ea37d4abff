"""When things are due: absolute moments from an anchor and a target in minutes, never from the moment something fired.

Pure: no database, no clock. Factors of the steps: warning at three quarters, deadline, twice the time (domain 3.3).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from incidents.choices import ClockKind, Severity

#: Step 0 warns the owner, step 1 is the deadline, step 2 twice the time.
STEP_FACTORS = (0.75, 1.0, 2.0)
#: Alleged incitement waits for its worksheet, not for a dispatch: 48 hours (domain 8.2).
REVIEW_MINUTES = 48 * 60


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Minutes from the response target of a phase and severity; `update_every` is None where none is asked for."""

    acknowledge: int
    first_update: int
    contain: int
    resolve: int
    update_every: int | None = None


def fires_at(anchor: dt.datetime, minutes: int, step: int) -> dt.datetime:
    """When `step` of a clock of `minutes`, started at `anchor`, is due."""
    return anchor + dt.timedelta(minutes=minutes * STEP_FACTORS[step])


def opening_clocks(severity: str, targets: Targets) -> dict[ClockKind, int]:
    """The clocks a new report starts, in minutes."""
    if severity == Severity.UNRATED:
        return {ClockKind.REVIEW: REVIEW_MINUTES}
    return {
        ClockKind.ACKNOWLEDGE: targets.acknowledge,
        ClockKind.FIRST_UPDATE: targets.first_update,
        ClockKind.CONTAIN: targets.contain,
    }
