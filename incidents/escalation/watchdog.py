"""Is the engine alive? Read from the database alone, so pages, probes and a process of its own can all ask."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from elections.prepared import prepared
from incidents.models import Clock, ClockState, EngineState


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """`state`: ok, late (clocks wait), stopped (no tick for too long), never (no tick ever, and nothing due)."""

    state: str
    last_ok_at: dt.datetime | None
    overdue: int
    oldest_due_at: dt.datetime | None
    reason: str

    @property
    def is_ok(self) -> bool:
        return self.state == "ok"


def pulse(now: dt.datetime) -> Pulse:
    """The engine's condition at `now`: two indexed reads."""
    row = _state.first(1)
    last_ok = row.last_ok_at if row else None
    patience = dt.timedelta(seconds=settings.ENGINE_OVERDUE_SECONDS)
    first = _oldest.first(now - patience)
    oldest = first.fires_at if first else None
    overdue = _waiting(now - patience).count() if first else 0
    stale = last_ok is not None and now - last_ok > dt.timedelta(seconds=settings.ENGINE_STALE_SECONDS)
    if overdue:
        state, reason = "late", "clocks_wait"
    elif last_ok is None:
        state, reason = "never", "no_tick_yet"
    elif stale:
        began = row.last_started_at if row else None
        state, reason = "stopped", "tick_failed" if began and began > last_ok else "no_tick"
    else:
        state, reason = "ok", ""
    return Pulse(state=state, last_ok_at=last_ok, overdue=overdue, oldest_due_at=oldest, reason=reason)


def _waiting(before: Any) -> QuerySet[Clock]:
    return Clock.objects.filter(
        state=ClockState.RUNNING, fires_at__lt=before, quarantine=None, incident__election__is_locked=False
    )


@prepared
def _oldest(before: Any) -> QuerySet[Clock]:
    return _waiting(before).order_by("fires_at")[:1]


@prepared
def _state(pk: Any) -> QuerySet[EngineState]:
    return EngineState.objects.filter(pk=pk)


def watch(now: dt.datetime) -> Pulse:
    """Look, and keep the alarm on record while it stands. Runs in a process of its own, apart from the engine."""
    seen = pulse(now)
    alarm = seen.state in ("late", "stopped")
    EngineState.objects.get_or_create(pk=1)
    if alarm:
        EngineState.objects.filter(pk=1, alarm_since=None).update(alarm_since=now, alarm_reason=seen.reason)
    else:
        EngineState.objects.filter(pk=1).update(alarm_since=None, alarm_reason="")
    return seen
