"""The engine: looks for due clocks, decides, writes. The database is its clock's memory and its queue.

Safe under any number of workers: a case is claimed by its row lock (skipped where another has it), and a step fires
once because `Escalation` says so in a unique key. `now` is passed in once a tick.
"""

from __future__ import annotations

import datetime as dt
import logging
import socket
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from commands.models import SecurityCommand, User
from elections.prepared import prepared
from incidents import tallies
from incidents.choices import OPEN, Act, Channel, ClockKind, Severity, State
from incidents.deadlines import Step, fires_at
from incidents.delivery.outbox import notices_for
from incidents.escalation.decide import Decision, Firing, decide
from incidents.models import (
    Clock,
    ClockState,
    Custody,
    EngineRun,
    EngineState,
    Entry,
    Escalation,
    EscalationKind,
    Incident,
    Notice,
    NoticeChannel,
    Quarantine,
)
from incidents.policies import rules_for
from incidents.routing import nec, people_at
from incidents.turn import TRACKED, chain_above, refresh_deadline, start_clock, targets_of, wake

log = logging.getLogger(__name__)

BATCH = 100
#: Runs are kept this long.
KEEP_RUNS = dt.timedelta(days=7)
#: A case fires at most this many steps in one tick: more than any ladder has, so only a defect reaches it.
STEPS_AT_MOST = 40
_ACT = {
    EscalationKind.WARNING: Act.WARN,
    EscalationKind.OWNER_MOVED: Act.AUTO_ESCALATE,
    EscalationKind.NEXT_TOLD: Act.INFORM,
    EscalationKind.EXHAUSTED: Act.INFORM,
}
_NOTICE = {
    EscalationKind.WARNING: "warn",
    EscalationKind.OWNER_MOVED: "auto_escalate",
    EscalationKind.NEXT_TOLD: "inform",
    EscalationKind.EXHAUSTED: "exhausted",
}


def tick(now: dt.datetime, source: str = "cli", limit: int = 10_000) -> EngineRun:
    """Fire every step due at `now`, at most `limit` cases. Returns the run, finished; faults are in its rows."""
    run = EngineRun.objects.create(source=source[:8], host=socket.gethostname()[:80], started_at=now)
    EngineState.objects.update_or_create(pk=1, defaults={"last_started_at": now})
    seen: set[UUID] = set()
    while len(seen) < limit:
        keys = _due_cases(now, seen)
        if not keys:
            break
        seen.update(keys)
        for key in keys:
            _fire_case(key, now, run)
    run.finished_at = now
    run.save(update_fields=["finished_at", "claimed", "fired", "quarantined", "max_late_seconds", "error"])
    EngineState.objects.filter(pk=1).filter(Q(last_ok_at=None) | Q(last_ok_at__lt=now)).update(last_ok_at=now)
    EngineRun.objects.filter(started_at__lt=now - KEEP_RUNS).delete()
    return run


def due_clocks(now: dt.datetime) -> QuerySet[Clock]:
    """Running clocks whose next step is due: not those in quarantine until their next try, nor of a closed record."""
    return Clock.objects.filter(
        Q(quarantine=None) | Q(quarantine__next_try_at__lte=now),
        state=ClockState.RUNNING,
        fires_at__lte=now,
        incident__election__is_locked=False,
    )


def _due_cases(now: dt.datetime, seen: set[UUID]) -> list[UUID]:
    found: list[UUID] = []
    rows = due_clocks(now).order_by("fires_at", "id").values_list("incident", flat=True)
    for key in rows[: BATCH + 4 * len(seen)]:
        if key not in seen and key not in found:
            found.append(key)
    return found[:BATCH]


def _fire_case(key: UUID, now: dt.datetime, run: EngineRun) -> None:
    try:
        with transaction.atomic():
            case = _claimed.first(key)
            if case is None:
                return
            run.claimed += 1
            for _step in range(STEPS_AT_MOST):
                clock = _next_due.first(key, now)
                if clock is None:
                    break
                _fire(case, clock, now, run)
    except Exception as fault:  # one bad row may never stop the others; it is kept, counted and tried again
        log.exception("Escalation of %s failed", key)
        run.quarantined += 1
        run.error = f"{type(fault).__name__}: {fault}"[:500]
        _quarantine(key, now, run.error)


@prepared
def _claimed(key: Any) -> QuerySet[Incident]:
    """The open case, locked; none where another worker has it. Only inside a transaction."""
    skip = connection.features.has_select_for_update_skip_locked
    cases = Incident.objects.select_for_update(of=("self",), skip_locked=skip).filter(pk=key, state__in=OPEN)
    return cases.select_related("owner", "election", "category", "policy")


@prepared
def _next_due(case: Any, now: Any) -> QuerySet[Clock]:
    return due_clocks(now).filter(incident=case).order_by("fires_at", "id")[:1]


def _quarantine(key: UUID, now: dt.datetime, error: str) -> None:
    for clock in due_clocks(now).filter(incident=key):
        row, made = Quarantine.objects.get_or_create(
            clock=clock, defaults={"next_try_at": now + dt.timedelta(minutes=1), "error": error}
        )
        if not made:
            pause = dt.timedelta(minutes=min(2**row.attempts, 60))
            Quarantine.objects.filter(pk=row.pk).update(
                attempts=F("attempts") + 1, next_try_at=now + pause, error=error
            )


def _fire(case: Incident, clock: Clock, now: dt.datetime, run: EngineRun) -> None:
    chain = chain_above(case)
    steps = rules_for(case).steps(clock.kind)
    decision = decide(
        Firing(
            kind=clock.kind,
            step=clock.step,
            steps=steps,
            anchor_at=clock.anchor_at,
            target_minutes=clock.target_minutes,
            has_above=bool(chain),
            now=now,
        )
    )
    due_at, step, sender = clock.fires_at, clock.step, case.owner
    _advance(clock, decision, steps, now)
    if decision.kind is None:
        return
    before = {name: getattr(case, name) for name in TRACKED}
    cell = tallies.cell_of(case)
    target = chain[0] if chain and decision.kind != EscalationKind.WARNING else None
    if decision.kind == EscalationKind.OWNER_MOVED and target:
        _move(case, target, clock, due_at, now)
    refresh_deadline(case)
    case.version += 1
    case.updated_at = now
    changed = [n for n in TRACKED if getattr(case, n) != before[n]]
    case.save(update_fields=[*(n.removesuffix("_id") for n in changed), "version", "updated_at"])
    Escalation.objects.create(
        incident=case,
        clock=clock.kind,
        episode=clock.episode,
        step=step,
        kind=decision.kind,
        from_command=sender,
        to_command=target,
        due_at=due_at,
        fired_at=now,
        run=run,
    )
    moved = decision.kind == EscalationKind.OWNER_MOVED and target
    entry = Entry.objects.create(
        incident=case,
        act=_ACT[decision.kind],
        at=now,
        channel=Channel.ENGINE,
        command=sender,
        before={"owner": sender.pk} if moved else {},
        after={
            "clock": clock.kind,
            "due_at": due_at.isoformat(),
            **({"owner": case.owner_id} if moved else {}),
            **({"told": target.pk} if target and not moved else {}),
        },
        version=case.version,
    )
    tallies.move(cell, tallies.cell_of(case))
    _tell(entry, case, decision.kind, sender, target, now)
    run.fired += 1
    run.max_late_seconds = max(run.max_late_seconds, (now - due_at).total_seconds())


def _advance(clock: Clock, decision: Decision, steps: Sequence[Step], now: dt.datetime) -> None:
    if decision.next_step is not None:
        clock.step = decision.next_step
        clock.fires_at = fires_at(clock.anchor_at, clock.target_minutes, steps, decision.next_step)
    else:
        clock.state = ClockState.EXHAUSTED
        clock.stopped_at = now
    clock.save(update_fields=["step", "fires_at", "state", "stopped_at"])


def _move(case: Incident, to: SecurityCommand, clock: Clock, due_at: dt.datetime, now: dt.datetime) -> None:
    """The next rung owns; its own clock to take over runs from the moment it was due, not from when we looked."""
    Custody.objects.create(incident=case, command=to, from_command=case.owner, reason=clock.kind, due_at=due_at, at=now)
    case.owner = to
    case.rung = to.rung or 0
    case.highest_rung = max(case.highest_rung, case.rung)
    case.is_accepted = False
    kind = ClockKind.ACKNOWLEDGE if case.state == State.REPORTED else ClockKind.ACCEPT
    start_clock(case, kind, targets_of(case).acknowledge, due_at, now)


def _tell(
    entry: Entry,
    case: Incident,
    kind: EscalationKind,
    sender: SecurityCommand,
    target: SecurityCommand | None,
    now: dt.datetime,
) -> None:
    told = [sender] if kind == EscalationKind.WARNING else [c for c in (target,) if c]
    if kind == EscalationKind.EXHAUSTED:
        secretariat = None if case.is_sealed else nec()
        told = [sender, *([secretariat] if secretariat else [])]
    notices = notices_for(entry, case, _people(told, now), _NOTICE[kind])
    if kind == EscalationKind.OWNER_MOVED:
        asked = {n.recipient_id for n in notices}
        others = [p for p in _people(_hearing_of_a_move(case, sender), now) if p.pk not in asked]
        notices += notices_for(entry, case, others, "moved_up")
    Notice.objects.bulk_create(notices)
    if any(n.channel != NoticeChannel.INBOX for n in notices):
        transaction.on_commit(partial(wake, "incidents.deliver"), robust=True)


def _people(commands: list[SecurityCommand], now: dt.datetime) -> list[User]:
    return [p for group in people_at(commands, now).values() for p in group]


def _hearing_of_a_move(case: Incident, sender: SecurityCommand) -> list[SecurityCommand]:
    """Beside the new owner: who lost the case stays informed (domain 3.3), and of a critical one the NEC is told.

    A sealed case is moved between integrity desks, none of them a subject's; the NEC's desk hears of it, not the
    secretariat.
    """
    if case.severity != Severity.CRITICAL:
        return [sender]
    if case.is_sealed:
        return [sender, *(c for c in chain_above(case) if c.path.startswith("NEC."))]
    secretariat = nec()
    return [sender, *([secretariat] if secretariat else [])]
