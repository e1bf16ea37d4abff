"""When things are due: absolute moments from an anchor and a target in minutes, never from the moment something fired.

Pure: no database, no clock. What steps a clock has is its case's policy's to say; the usual ones are here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from incidents.choices import Channel, ClockKind, Deed, Severity


@dataclass(frozen=True)
class Step:
    """At `percent` of a clock's time, `deed`; the case moves at least to `rung` where one is named."""

    percent: int
    deed: str
    rung: int | None = None


_MOVES_AT_ONCE = (Step(75, Deed.WARN), Step(100, Deed.MOVE))
_TELLS_FIRST = (Step(75, Deed.WARN), Step(100, Deed.TELL), Step(200, Deed.MOVE))
_TELLS_ONLY = (Step(75, Deed.WARN), Step(100, Deed.TELL))
#: The steps of domain 3.3: what is not taken up goes up at once; what is late is told of first. A person verifies and
#: a body decides by law, so these never move a case. The end of a pause is its only moment.
USUAL_STEPS: dict[ClockKind, tuple[Step, ...]] = {
    ClockKind.ACKNOWLEDGE: _MOVES_AT_ONCE,
    ClockKind.ACCEPT: _MOVES_AT_ONCE,
    ClockKind.FIRST_UPDATE: _TELLS_FIRST,
    ClockKind.UPDATE: _TELLS_FIRST,
    ClockKind.CONTAIN: _TELLS_FIRST,
    ClockKind.RESOLVE: _TELLS_FIRST,
    ClockKind.REVIEW: _TELLS_FIRST,
    ClockKind.VERIFY: _TELLS_ONLY,
    ClockKind.LEGAL: _TELLS_ONLY,
}
#: The end of a pause is no step of a policy.
PAUSE_STEPS = (Step(100, ""),)
#: Alleged incitement waits for its worksheet, not for a dispatch: 48 hours (domain 8.2).
REVIEW_MINUTES = 48 * 60
#: False or forged information about voting.
RUMOUR = "INF-02"


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Minutes from the response target of a phase and severity; `update_every` is None where none is asked for."""

    acknowledge: int
    first_update: int
    contain: int
    resolve: int
    verify: int
    update_every: int | None = None

    def of(self, clock: str) -> int | None:
        """Of a clock of this kind; None where none is asked for, and for those no phase times: review, law, pause."""
        return {
            ClockKind.ACKNOWLEDGE.value: self.acknowledge,
            ClockKind.ACCEPT.value: self.acknowledge,
            ClockKind.FIRST_UPDATE.value: self.first_update,
            ClockKind.UPDATE.value: self.update_every,
            ClockKind.CONTAIN.value: self.contain,
            ClockKind.RESOLVE.value: self.resolve,
            ClockKind.VERIFY.value: self.verify,
        }.get(clock)


def due_at(anchor: dt.datetime, minutes: int, percent: int = 100) -> dt.datetime:
    """When `percent` of the time of a clock of `minutes`, started at `anchor`, is over; 100 is its deadline."""
    return anchor + dt.timedelta(minutes=minutes * percent / 100)


def fires_at(anchor: dt.datetime, minutes: int, steps: Sequence[Step], number: int = 0) -> dt.datetime:
    """When step `number` of a clock of `minutes` with these steps, started at `anchor`, is due."""
    return due_at(anchor, minutes, steps[number].percent)


def opening_clocks(severity: str, targets: Targets, *, is_rumour: bool = False) -> dict[ClockKind, int]:
    """The clocks a new report starts, in minutes; `is_rumour`: somebody is to find out whether it is true."""
    if severity == Severity.UNRATED:
        return {ClockKind.REVIEW: REVIEW_MINUTES}
    return {
        ClockKind.ACKNOWLEDGE: targets.acknowledge,
        ClockKind.FIRST_UPDATE: targets.first_update,
        ClockKind.CONTAIN: targets.contain,
        **({ClockKind.VERIFY: targets.verify} if is_rumour else {}),
    }


def is_rumour(category: str, channel: str, *, is_liaison: bool) -> bool:
    """Whether a report starts as hearsay: word about voting, or what came from outside the forces (domain 4.2)."""
    return category == RUMOUR or channel == Channel.LIAISON or is_liaison


def next_anchor(due: dt.datetime | None, every: int, now: dt.datetime) -> dt.datetime:
    """From when the next of the updates asked for every so many minutes is timed, after one that came at `now`.

    `due` is when that one was. In time or early: from now, so that no two are further apart than asked. Late: from the
    schedule, so that a late one moves no later one; the last moment of the schedule that is not after `now`.
    """
    if due is None or now <= due:
        return now
    return due + (now - due) // dt.timedelta(minutes=every) * dt.timedelta(minutes=every)
