"""What a case waits for beside its next act: the end of a pause, a body that decides by law, a day under watch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime

from commands.authority import may
from commands.models import User
from incidents import referrals, stand_down
from incidents.choices import Act
from incidents.models import Clock, ClockState, Custody, Incident, Referral
from incidents.turn import facts_of


@dataclass(frozen=True)
class Referred:
    """A referral with its number in the case, and whether the reader may record its outcome or who else may."""

    number: int
    row: Referral
    is_late: bool
    is_theirs: bool
    who_ends: str

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
    incident: Incident, user: User, clocks: Sequence[Clock], custodies: Sequence[Custody], now: dt.datetime
) -> dict[str, Any]:
    """For the page of a case; one query for its referrals, and where one runs two more for who made it."""
    last = custodies[-1] if custodies else None
    is_watched = last is not None and incident.is_open and stand_down.is_watched(last, now)
    referred = _referrals(incident, user, now)
    return {
        "pause": _pause(incident, clocks),
        "pause_asked_until": _asked_until(incident),
        "pause_decided_by": incident.request_data.get("decided_by", ""),
        "referrals": referred,
        "referrals_run": any(one.runs for one in referred),
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


def _referrals(incident: Incident, user: User, now: dt.datetime) -> list[Referred]:
    rows = referrals.numbered(incident)
    runs = [number for number, row in rows.items() if not row.outcome]
    acts = runs and may(Act.CONCLUDE_REFERRAL, user.current_postings, facts_of(incident, user))
    theirs = referrals.concludable(incident, user) if acts else set()
    others = set(runs) - theirs if acts else set()
    who = referrals.who_ends(incident, others) if others else {}
    return [
        Referred(number, row, _is_late(row, now), number in theirs, who.get(number, "")) for number, row in rows.items()
    ]


def _is_late(row: Referral, now: dt.datetime) -> bool:
    return row.due_at is not None and row.due_at < (row.outcome_at or now)
