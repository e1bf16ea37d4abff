"""The engine: one tick looks for due clocks and has them fired, batch by batch, until nothing is due or time is over.

Safe under any number of workers: a case is claimed by its row lock (skipped where another has it), and a step fires
once because `Escalation` says so in a unique key. `now` is passed in once a tick; `tick_now` asks the clocks first.
A batch that fails is halved down to the one case that cannot be fired; that one is kept apart and the rest goes on.
"""

from __future__ import annotations

import datetime as dt
import logging
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, connection
from django.db.models import Q, QuerySet

from incidents import pauses
from incidents.escalation import hold, moment, outage, phases, state
from incidents.escalation.batch import Done, fire
from incidents.escalation.chains import Chains
from incidents.escalation.claims import claimable, due_cases, is_any_due
from incidents.escalation.mending import is_fired_already, mend, quarantine, to_try
from incidents.escalation.moment import Reading
from incidents.models import Clock, ClockState, EngineRun, EngineState

log = logging.getLogger(__name__)

#: Cases of a batch. Whoever acts on one of them waits for its commit; SQLite lets nobody write meanwhile.
BATCH = {"postgresql": 1_000, "sqlite": 100}
#: What a batch takes at most on a busy machine.
BATCH_SECONDS = 1.0
#: Cases and seconds of one tick: what it leaves is the next one's, seconds later.
LIMIT, BUDGET_SECONDS = 100_000, 20.0
#: Runs are kept this long; how often, in ticks that have something to keep, the old ones are looked for.
KEEP_RUNS = dt.timedelta(days=7)
PRUNE_EVERY = 200
#: A person asked for these, and is answered even when nothing was due.
ASKED_FOR = ("cli", "web")
#: Made time, which keeps no order with the clock of the machine: no outage, no leap.
MADE = "demo"
_MADE_LOOKS = dt.timedelta(days=365)


def tick_now(source: str, limit: int = LIMIT, budget_seconds: float = BUDGET_SECONDS) -> EngineRun:
    """A tick at the moment the clocks say, for the doors: tasks, commands and the page that stands in."""
    reading = moment.read()
    return tick(reading.now, source, limit, budget_seconds, reading=reading)


def tick(
    now: dt.datetime,
    source: str = "cli",
    limit: int = LIMIT,
    budget_seconds: float = BUDGET_SECONDS,
    *,
    reading: Reading | None = None,
) -> EngineRun:
    """Fire every step due at `now`, of at most `limit` cases and for about `budget_seconds`.

    Returns the run, finished; it was saved only where it did something, failed or was asked for by a person. Faults of
    single cases are in its row; a database that is away raises. `reading` is what proves that the clock did not leap.
    """
    run = EngineRun(source=source[:8], host=socket.gethostname()[:80], started_at=now, finished_at=now)
    found = state.begin(now)
    try:
        if source != MADE and found.last_now and now < found.last_now - state.TOLERANCE:
            return _went_back(run, found, reading)
        return _Tick(run, found, now, limit, time.monotonic() + budget_seconds, reading).work()
    except Exception as fault:
        _keep_fault(run, fault)
        raise


def due_clocks(now: dt.datetime) -> QuerySet[Clock]:
    """Running clocks whose next step is due: not those in quarantine until their next try, nor of a closed record."""
    return Clock.objects.filter(
        Q(quarantine=None) | Q(quarantine__next_try_at__lte=now),
        claimable(),
        state=ClockState.RUNNING,
        fires_at__lte=now,
        incident__election__is_locked=False,
    )


@dataclass
class _Tick:
    """One tick under way."""

    run: EngineRun
    found: EngineState
    now: dt.datetime
    limit: int
    #: Of the monotonic clock.
    end: float
    reading: Reading | None
    chains: Chains = field(init=False)
    #: The driver's connection that the tick began with.
    link: Any = field(init=False)
    is_cut_off: bool = False
    #: After an outage: who is passed over is told once for all of it.
    catching_up: bool = False

    def __post_init__(self) -> None:
        self.chains = Chains(self.now)
        self.link = connection.connection

    def work(self) -> EngineRun:
        now, run, found = self.now, self.run, self.found
        is_made = run.source == MADE
        verdict = hold.Verdict(until=now) if is_made else hold.judged(found, now, self.reading)
        away_since = None if is_made else outage.began_at(found, now, verdict.leapt)
        since = away_since or (None if is_made else outage.still_catching_up(found))
        self.catching_up = since is not None
        more = self._through_phases(verdict.until)
        if not self.is_cut_off:
            self._fire_all(verdict.until)
        # After an outage also what another worker holds at this moment: the digest counts all that passed.
        looks = self.is_cut_off or since is not None
        backlog = due_cases(now, None, verdict.until, self.limit) if looks else 0
        if since is not None:
            away = outage.record(since, now, run.claimed, run.fired)
            if not backlog:
                outage.tell_passed(away, now)
        if verdict.held:
            self._hold(verdict, more | {"backlog": backlog})
        else:
            state.finish(now, run.source, self.reading, backlog=backlog, held_at=None, held_count=0, **more)
        self._keep()
        return run

    def _through_phases(self, until: dt.datetime) -> dict[str, Any]:
        """Fire and time anew in the order in which things were due, up to `until`; when a phase begins next.

        What was due before a phase began fires by the targets of the one before it, whenever the tick runs. Where the
        time is over before all cases were timed nothing later fires: the next tick goes on at the same moment, further
        by a batch at least. The look between the phases, for a calendar that somebody changed, holds back nothing, and
        neither does a fault of the calendar: the next tick tries again.
        """
        first = self.found.next_phase_at
        # Also the earliest end of a pause that waits for somebody to agree: an idle tick asks nothing more.
        if first is not None and first > until:
            return {}
        # Made cases run through weeks in a minute, and nobody changes the calendar meanwhile.
        again = _MADE_LOOKS if self.run.source == MADE else phases.LOOK_AGAIN
        try:
            moments = phases.moments_between(first or phases.first_report(until), until)
            for number, at in enumerate(moments, 1):
                self._fire_all(at)
                if self.is_cut_off or phases.pass_to(at, self.now, self.run, self.end).is_cut_off:
                    self.is_cut_off = True
                    return {"next_phase_at": at}
                if self._is_over() and moments[number:]:
                    self.is_cut_off = True
                    return {"next_phase_at": moments[number]}
            half = (time.monotonic() + self.end) / 2
            looks_at = phases.pass_to(until, self.now, self.run, half, again).looks_at
            return {"next_phase_at": min(looks_at, self._let_pauses_go(until) or looks_at)}
        except Exception as fault:
            if self._is_cut(fault):
                raise
            log.exception("The deadlines of a new phase could not be set")
            self.run.error = f"{type(fault).__name__}: {fault}"[:500]
            return {}

    def _let_pauses_go(self, until: dt.datetime) -> dt.datetime | None:
        """What nobody decided in time is void; when the next of these ends. A fault of it stops no step."""
        try:
            return pauses.let_go(until, self.now)
        except Exception as fault:
            if self._is_cut(fault):
                raise
            log.exception("Requests for a pause could not be let go")
            self.run.error = f"{type(fault).__name__}: {fault}"[:500]
            return None

    def _is_over(self) -> bool:
        return time.monotonic() >= self.end

    # ---- Firing ----

    def _fire_all(self, until: dt.datetime) -> None:
        """Batch after batch, and the first of the tick whatever the time is: a slow tick, too, must move something.

        The first look takes no lock, so that a tick with nothing to do stops nobody.
        """
        if not is_any_due(until) or not due_cases(self.now, None, until, 1):
            return
        if self.run._state.adding:
            self.run.save()
        size = BATCH[connection.vendor]
        if self.end - time.monotonic() < BATCH_SECONDS * 2:
            # A page waits for this tick: what fits into its second.
            size = max(1, size // 5)
        while True:
            done = self.run.claimed + self.run.quarantined
            left = self.limit - done
            if left <= 0 or (done and self._is_over()):
                self.is_cut_off = True
                return
            asked = min(size, left)
            taken = self._fire(until, asked, None)
            if not taken:
                return

    def _fire(self, until: dt.datetime, size: int, keys: Sequence[str] | None) -> int:
        """One batch; how many cases it took. Of a batch that fails every case is tried again, by halves."""
        try:
            done = fire(self.now, until, size, self.chains, self.run, keys, catching_up=self.catching_up)
        except Exception as fault:  # one bad row may never stop the others; it is kept, counted and tried again
            if self._is_cut(fault):
                raise
            # What was read of commands and people may not hold any more: an address removed meanwhile.
            self.chains = Chains(self.now)
            return self._fire_halves(until, size, keys, fault)
        self._count(done)
        return done.claimed

    def _is_cut(self, fault: Exception) -> bool:
        """Whether the database went away, which is no fault of a case: the next tick does it.

        Whoever leaves a transaction that was cut off is connected anew, and the new connection says that all is well.
        """
        return isinstance(fault, InterfaceError) or connection.connection is not self.link

    def _fire_halves(self, until: dt.datetime, size: int, keys: Sequence[str] | None, fault: Exception) -> int:
        if keys is None:
            # Which cases they were was undone with the batch; any that are due now will do.
            keys = due_keys(self.now, until, size)
        if len(keys) == 1:
            return self._keep_apart(keys[0], until, fault)
        half = len(keys) // 2
        return sum(self._fire(until, len(part), part) for part in (keys[:half], keys[half:]) if part)

    def _keep_apart(self, key: str, until: dt.datetime, fault: Exception) -> int:
        """The one case that cannot be fired: where its step is in the records already, only its clock lags behind."""
        if is_fired_already(fault):
            # Nothing left to mend: another worker has done it meanwhile, and the case is well.
            if mend(key, self.now, until):
                log.warning("Steps of %s had fired already: its clocks were put right", key)
            return self._fire_mended(key, until)
        return self._set_aside(key, until, fault)

    def _set_aside(self, key: str, until: dt.datetime, fault: Exception) -> int:
        """Each due clock of the case is tried alone: one that fails is left for later, and takes no other along."""
        log.error("Escalation of %s failed", key, exc_info=fault)
        self.run.quarantined += 1
        self.run.error = f"{type(fault).__name__}: {fault}"[:500]
        clocks = to_try(key, self.now, until)
        for clock in clocks:
            if len(clocks) == 1 or not self._fire_alone(key, until, clock):
                quarantine(clock, self.now, self.run.error)
        return 1

    def _fire_alone(self, key: str, until: dt.datetime, clock: Clock) -> bool:
        """Whether what is due of this clock could be fired, or put right, while the others of the case stand still."""
        try:
            done = fire(self.now, until, 1, self.chains, self.run, [key], catching_up=self.catching_up, alone=clock.pk)
        except Exception as fault:  # as above; it is this one then, or the case itself
            if self._is_cut(fault):
                raise
            self.chains = Chains(self.now)
            if is_fired_already(fault) and mend(key, self.now, until):
                # What is due of it now, it fires in the next batch.
                return True
            self.run.error = f"{type(fault).__name__}: {fault}"[:500]
            return False
        self._count(done)
        return True

    def _fire_mended(self, key: str, until: dt.datetime) -> int:
        try:
            self._count(fire(self.now, until, 1, self.chains, self.run, [key], catching_up=self.catching_up))
        except Exception as fault:  # as above; a second step in the records waits for the next try
            if self._is_cut(fault):
                raise
            return self._set_aside(key, until, fault)
        return 1

    def _count(self, done: Done) -> None:
        run = self.run
        run.claimed += done.claimed
        run.fired += done.fired
        run.max_late_seconds = max(run.max_late_seconds, done.late_seconds)

    # ---- The end ----

    def _hold(self, verdict: hold.Verdict, more: dict[str, Any]) -> None:
        log.error("The clock leapt by %s: %s cases are held until a person has looked", verdict.leapt, verdict.held)
        state.hold_still(
            self.now, self.run.source, held_at=self.found.held_at or self.now, held_count=verdict.held, **more
        )

    def _keep(self) -> None:
        run = self.run
        if run._state.adding and run.source not in ASKED_FOR:
            return
        run.save()
        if run.pk % PRUNE_EVERY == 0:
            EngineRun.objects.filter(started_at__lt=self.now - KEEP_RUNS).delete()


def due_keys(now: dt.datetime, until: dt.datetime, size: int) -> list[str]:
    """Cases due, the longest first, as texts of their keys; nothing is locked."""
    rows = due_clocks(now).filter(fires_at__lte=until).order_by("fires_at", "id").values_list("incident", flat=True)
    return list(dict.fromkeys(key.hex for key in rows[: 2 * size]))[:size]


def _went_back(run: EngineRun, found: EngineState, reading: Reading | None) -> EngineRun:
    """Nothing fires in a tick before the one before it; the next goes by the clock as it stands now."""
    assert found.last_now is not None  # noqa: S101  it was compared
    run.error = f"the clock went back by {(found.last_now - run.started_at).total_seconds():.0f} s: nothing was fired"
    log.error("Tick: %s", run.error)
    state.went_back(run.started_at, reading, run.error)
    run.save()
    return run


def _keep_fault(run: EngineRun, fault: Exception) -> None:
    """Best effort: the database may be what is away."""
    run.error = f"{type(fault).__name__}: {fault}"[:500]
    try:
        state.failed(run.error)
        run.save()
    except Exception:  # the first fault is the one to tell of
        log.exception("A tick failed and could not be recorded")
