"""The engine's one row of state: what a tick finds at its beginning and leaves at its end, one statement each."""

from __future__ import annotations

import datetime as dt
import socket
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q

from incidents import bulk
from incidents.escalation.moment import Reading
from incidents.models import EngineState

#: A clock that went back by less is two workers who asked a moment apart.
TOLERANCE = dt.timedelta(seconds=5)
_COLUMNS = (
    "last_ok_at", "last_started_at", "last_now", "last_boot", "last_uptime", "last_source", "backlog", "next_phase_at",
    "held_at", "held_count", "released_to",
)  # fmt: skip
_MOMENTS = ("last_ok_at", "last_started_at", "last_now", "next_phase_at", "held_at", "released_to")


def begin(now: dt.datetime) -> EngineState:
    """Note that a tick began; the state as the one before left it."""
    with connection.cursor() as cursor:
        for _try in range(2):
            cursor.execute(
                f"UPDATE incidents_enginestate SET last_started_at = %s WHERE id = 1 RETURNING {', '.join(_COLUMNS)}",  # noqa: S608
                [bulk.moment(now)],
            )
            if row := cursor.fetchone():
                break
            EngineState.objects.get_or_create(pk=1)
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in _MOMENTS:
        values[name] = values[name] and bulk.from_text(values[name])
    return EngineState(pk=1, **values)


def finish(now: dt.datetime, source: str, reading: Reading | None, **more: Any) -> None:
    """Note that a tick did its whole work. A tick that began later and ended sooner has said more already."""
    rows = EngineState.objects.filter(Q(last_now=None) | Q(last_now__lte=now), pk=1)
    rows.update(last_ok_at=now, **_tick(source), **_clock(now, reading), last_error="", **more)


def hold_still(now: dt.datetime, source: str, **more: Any) -> None:
    """Note a tick that held back what a leap of the clock made due: the clock it last trusted stays on record."""
    EngineState.objects.filter(pk=1).update(last_ok_at=now, **_tick(source), last_error="", **more)


def went_back(now: dt.datetime, reading: Reading | None, error: str) -> None:
    """The clock went back: from here on the time is what it says now, or every tick until then would do nothing."""
    EngineState.objects.filter(pk=1).update(last_error=error, **_clock(now, reading))
    EngineState.objects.filter(pk=1, last_ok_at__gt=now).update(last_ok_at=now)


def failed(error: str) -> None:
    """A tick broke off; `last_started_at` is then after `last_ok_at`, by which the watchdog knows."""
    EngineState.objects.filter(pk=1).update(last_error=error[:500])


def forget_rounds() -> None:
    """After made rounds: the engine has not run by a real clock yet, so nobody can say that it was away since then.

    When the next phase begins stays known: the cases were timed up to it.
    """
    EngineState.objects.filter(pk=1).update(
        last_ok_at=None, last_started_at=None, last_source="", last_host="", last_error="", backlog=0,
        last_now=None, last_boot="", last_uptime=None,
    )  # fmt: skip


def look_by(moment: dt.datetime) -> None:
    """Let the first tick at `moment` look at more than what is due: at the calendar, and at what waits in vain."""
    EngineState.objects.filter(pk=1, next_phase_at__gt=moment).update(next_phase_at=moment)


def is_stale(state: EngineState, now: dt.datetime) -> bool:
    """Whether the last whole tick is so long ago that the engine did not run in between."""
    patience = dt.timedelta(seconds=settings.ENGINE_STALE_SECONDS)
    return state.last_ok_at is not None and now - state.last_ok_at > patience


def _tick(source: str) -> dict[str, Any]:
    return {"last_source": source[:8], "last_host": socket.gethostname()[:80]}


def _clock(now: dt.datetime, reading: Reading | None) -> dict[str, Any]:
    return {
        "last_now": now,
        "last_boot": reading.boot if reading else "",
        "last_uptime": reading.uptime if reading else None,
    }
