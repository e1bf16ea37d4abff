"""What a case waits for beside its next act: the end of a pause, a body that decides by law, a day under watch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime

from incidents import referrals, stand_down
from incidents.choices import Act
from incidents.models import Clock, ClockState, Custody, Incident, Referral


@dataclass(frozen=True)
class Referred:
    """A referral with its number in the case; `left` is None where the law sets no time or an outcome is recorded."""

    number: int
    row: Referral
    is_late: bool

    @property
    def runs(self) -> bool:
        return not self.row.outcome


@dataclass(frozen=True)
class Pause:
    """A running pause: since when, until when, and what stands still."""

    since: dt.datetime | None
    until: dt.datetime
    clocks: list[Clock]


def context(
    incident: Incident, clocks: Sequence[Clock], custodies: Sequence[Custody], now: dt.datetime
) -> dict[str, Any]:
    """For the page of a case; one query, for its referrals."""
    last = custodies[-1] if custodies else None
    is_watched = last is not None and incident.is_open and stand_down.is_watched(last, now)
    return {
        "pause": _pause(incident, clocks),
        "pause_asked_until": _asked_until(incident),
        "pause_decided_by": incident.request_data.get("decided_by", ""),
        "referrals": [_referred(n, row, now) for n, row in referrals.numbered(incident).items()],
        "watched_until": last.at + stand_down.WATCH if last and is_watched else None,
        "watched_by": last.from_command if last and is_watched else None,
    }


def _pause(incident: Incident, clocks: Sequence[Clock]) -> Pause | None:
    if incident.snoozed_until is None:
        return None
    stands = [clock for clock in clocks if clock.state == ClockState.PAUSED]
    return Pause(min((c.paused_at for c in stands if c.paused_at), default=None), incident.snoozed_until, stands)


def _asked_until(incident: Incident) -> dt.datetime | None:
    """Until when the pause would last that waits for a second person."""
    if incident.request_act != Act.SNOOZE:
        return None
    return parse_datetime(incident.request_data.get("until", ""))


def _referred(number: int, row: Referral, now: dt.datetime) -> Referred:
    end = row.outcome_at or now
    return Referred(number, row, is_late=row.due_at is not None and row.due_at < end)
