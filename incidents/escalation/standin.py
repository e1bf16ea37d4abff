"""A tick in place of the engine: done by a page while the engine is late, so that cases move while anybody looks.

The same `engine.tick` under the same locks, short; at most one in five seconds, whoever asks.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

from django.db.models import F, Q

from commands.models import User
from incidents.escalation import engine, watchdog
from incidents.escalation.moment import Reading
from incidents.models import EngineState, Escalation, Incident

log = logging.getLogger(__name__)

#: Whoever asks sooner finds that it was just done.
EVERY = dt.timedelta(seconds=5)
#: Seconds a page may spend on it.
BUDGET_SECONDS = 1.0


@dataclass(frozen=True)
class Done:
    """`is_run`: this call did a tick. `moved`: steps it fired in cases the person may know of."""

    is_run: bool
    moved: int
    pulse: watchdog.Pulse


def stand_in(now: dt.datetime, by: User, reading: Reading | None = None) -> Done:
    """Run one bounded tick where the engine is late and nobody did so a moment ago; what it did, for `by`.

    `reading` is the one that `now` is from: it proves that the clock did not leap.
    """
    seen = watchdog.pulse(now)
    if seen.state not in ("late", "stopped") or not _claimed(now):
        return Done(False, 0, seen)
    try:
        run = engine.tick(now, watchdog.STAND_IN, budget_seconds=BUDGET_SECONDS, reading=reading)
    except Exception:  # the page that asked is for something else; the fault is in the log and in the bar's reason
        log.exception("Could not stand in for the engine")
        return Done(False, 0, watchdog.pulse(now))
    log.warning("Stood in for the engine (%s): %s fired, asked by %s", seen.reason, run.fired, by.username)
    return Done(True, moved_for(by, run.pk), watchdog.pulse(now))


def moved_for(user: User, run: int | None) -> int:
    """Steps of a run in cases `user` may know of: the run's own number counts sealed ones."""
    if run is None:
        return 0
    return Escalation.objects.filter(run=run, incident__in=Incident.objects.visible_to(user)).count()


def _claimed(now: dt.datetime) -> bool:
    """Whether this call may tick: of many at once one finds the state older than `EVERY` and takes it.

    The first stand-in also keeps on record since when the engine is away, because its own tick counts as whole.
    """
    EngineState.objects.get_or_create(pk=1)
    free = Q(last_started_at=None) | Q(last_started_at__lte=now - EVERY)
    EngineState.objects.filter(free, pk=1).exclude(last_source=watchdog.STAND_IN).update(alarm_since=F("last_ok_at"))
    claimed = EngineState.objects.filter(free, pk=1).update(last_started_at=now, last_source=watchdog.STAND_IN)
    return claimed == 1
