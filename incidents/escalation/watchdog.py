"""Is the engine alive, and if not, what is wrong? Pages, probes and a process of its own all ask here.

From the database alone while all is well; the broker is asked only to tell a dead scheduler from a dead worker.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from elections.prepared import prepared
from incidents.escalation import doorbell
from incidents.lifecycle import TIMES_ANEW
from incidents.models import (
    ChannelState,
    Clock,
    ClockState,
    EngineState,
    Entry,
    Notice,
    NoticeChannel,
    NoticeStatus,
    Quarantine,
)

#: `EngineRun.source` of a tick that a page did in place of the engine.
STAND_IN = "web"
#: States in which people are told on every page.
ALARMS = ("late", "stopped", "held")
#: A message outside that waited so long past its time is stuck.
MAIL_PATIENCE = dt.timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """The engine's condition.

    `state`: ok, late (due steps wait), stopped (no whole tick of its own for too long), held (a leap of the clock waits
    for a person), never (no tick ever, and nothing due), set_aside (all is well but for single cases that cannot fire).
    `reason`: beat_dead, worker_dead, broker_away, failing, slow, held, no_tick_yet, set_aside, or "" while all is well.
    `overdue` and `backlog` count sealed cases too: never for a page.
    """

    state: str
    last_ok_at: dt.datetime | None
    overdue: int
    oldest_due_at: dt.datetime | None
    reason: str
    #: Since when it is so; None where it never ran.
    since: dt.datetime | None = None
    error: str = ""
    backlog: int = 0
    #: The last whole tick was done by a page, in place of the engine.
    is_stood_in: bool = False
    #: A deadline that cannot be fired is overdue, whatever else there is.
    has_set_aside: bool = False

    @property
    def is_ok(self) -> bool:
        return self.state == "ok"

    @property
    def is_alarm(self) -> bool:
        return self.state in ALARMS


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """Messages of one channel do not leave, the oldest since `since`; `error` is what the gateway said last."""

    channel: str
    since: dt.datetime
    error: str = ""

    @property
    def label(self) -> str:
        return str(NoticeChannel(self.channel).label)


def pulse(now: dt.datetime) -> Pulse:
    """The engine's condition at `now`: three indexed reads where nothing is late.

    Where something waits its journal is asked too, and where the engine itself is late the broker.
    """
    row = _state.first(1) or EngineState()
    before = now - grace()
    # Asked again only where something waits: what was put into the past a moment ago waits no longer than since then.
    late = overdue(before) if _oldest.first(before) else Clock.objects.none()
    first = late.order_by("fires_at").first()
    stood_in = row.last_source == STAND_IN and row.last_ok_at is not None
    since = row.alarm_since if stood_in else row.last_ok_at
    aside = _set_aside.first(before) is not None
    state, reason = "ok", ""
    if stood_in or (row.last_ok_at and now - row.last_ok_at > _stale()):
        state, reason = "stopped", _why(row, now)
    elif row.held_at:
        state, reason, since = "held", "held", row.held_at
    elif first:
        state, since = "late", first.fires_at
        reason = "slow" if row.last_ok_at else _why(row, now)
    elif row.last_ok_at is None:
        state, reason = "never", "no_tick_yet"
    elif aside:
        state, reason, since = "set_aside", "set_aside", None
    return Pulse(
        state=state,
        last_ok_at=row.last_ok_at,
        overdue=late.count() if first else 0,
        oldest_due_at=first.fires_at if first else None,
        reason=reason,
        since=None if state == "ok" else since,
        error=row.last_error,
        backlog=row.backlog,
        is_stood_in=stood_in,
        has_set_aside=aside,
    )


def _stale() -> dt.timedelta:
    return dt.timedelta(seconds=settings.ENGINE_STALE_SECONDS)


def _why(row: EngineState, now: dt.datetime) -> str:
    """Why no tick comes to its end: it begins and fails, or nobody calls, or nobody answers the call."""
    began = row.last_started_at
    if began and (row.last_ok_at is None or began > row.last_ok_at) and now - began <= _stale():
        return "failing"
    calls = doorbell.waiting()
    if calls is None:
        return "broker_away"
    return "worker_dead" if calls else "beat_dead"


def waiting(before: Any) -> QuerySet[Clock]:
    """Running clocks whose step was due before a moment, those in quarantine and of closed records left out."""
    return Clock.objects.filter(
        state=ClockState.RUNNING, fires_at__lt=before, quarantine=None, incident__election__is_locked=False
    )


def overdue(before: dt.datetime) -> QuerySet[Clock]:
    """Steps that the engine should have fired before a moment: due by then, and known by then to be due."""
    anew = Entry.objects.filter(incident=OuterRef("incident"), act__in=TIMES_ANEW, at__gte=before)
    return waiting(before).exclude(Exists(anew))


@prepared
def _oldest(before: Any) -> QuerySet[Clock]:
    return waiting(before).order_by("fires_at")[:1]


@prepared
def _set_aside(before: Any) -> QuerySet[Quarantine]:
    return set_aside(before)[:1]


def set_aside(before: Any) -> QuerySet[Quarantine]:
    """Deadlines that cannot be fired and were due before a moment: their cases may not move up by themselves.

    The row of one that fired since stays; its clock then waits for a moment after that of the next try.
    """
    return Quarantine.objects.filter(
        clock__state=ClockState.RUNNING,
        clock__fires_at__lt=before,
        next_try_at__gt=F("clock__fires_at"),
        clock__incident__election__is_locked=False,
    ).order_by("pk")


def grace() -> dt.timedelta:
    """How long a step may wait past its time before it is told of; `lateness.patience` is of one that fired."""
    return dt.timedelta(seconds=settings.ENGINE_OVERDUE_SECONDS)


@prepared
def _state(pk: Any) -> QuerySet[EngineState]:
    return EngineState.objects.filter(pk=pk)


def stuck(now: dt.datetime) -> list[Stuck]:
    """Channels through which nothing leaves, one row each: two indexed reads. The inbox cannot be among them."""
    found = {}
    for row in ChannelState.objects.filter(opened_at__isnull=False):
        found[row.channel] = Stuck(channel=row.channel, since=row.opened_at or now, error=row.last_error)
    oldest = _oldest_message.first(now - MAIL_PATIENCE, now)
    if oldest and oldest.next_try_at and oldest.channel not in found:
        found[oldest.channel] = Stuck(channel=oldest.channel, since=oldest.next_try_at, error=oldest.last_error)
    return sorted(found.values(), key=lambda s: s.since)


@prepared
def _oldest_message(before: Any, now: Any) -> QuerySet[Notice]:
    unheld = Q(lease_until=None) | Q(lease_until__lt=now)
    late = Notice.objects.filter(unheld, status=NoticeStatus.PENDING, next_try_at__lt=before)
    return late.order_by("next_try_at", "id")[:1]


def watch(now: dt.datetime) -> Pulse:
    """Look, and keep the alarm on record while it stands. Runs in a process of its own, apart from the engine."""
    seen = pulse(now)
    EngineState.objects.get_or_create(pk=1)
    if seen.is_alarm:
        EngineState.objects.filter(pk=1, alarm_since=None).update(alarm_since=now, alarm_reason=seen.reason)
    else:
        EngineState.objects.filter(pk=1).update(alarm_since=None, alarm_reason="")
    return seen
