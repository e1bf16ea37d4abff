"""Cases that cannot be fired: kept apart with growing pauses, or put right where a step had fired already."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from incidents.escalation.claims import claimable
from incidents.models import Clock, ClockState, Custody, Escalation, EscalationKind, Incident, Quarantine
from incidents.policies import rules_for
from incidents.timekeeping import refresh_deadline

#: Longest pause between two tries.
HOUR = 60


def is_fired_already(fault: Exception) -> bool:
    """Whether the database refused a step because it is in the records."""
    if not isinstance(fault, IntegrityError):
        return False
    diag = getattr(fault.__cause__, "diag", None)
    name = getattr(diag, "constraint_name", None)
    return name == "a_step_fires_once" or "incidents_escalation.episode" in str(fault)


@transaction.atomic
def mend(key: str, now: dt.datetime, until: dt.datetime) -> bool:
    """Move the clocks of a case past steps that are in the records; whether any was behind.

    A move that is in the records and never happened (the case was not handed on) is not passed over: its clock gets
    an episode of its own, and fires again.
    """
    case = Incident.objects.select_for_update(of=("self",)).get(pk=UUID(key))
    behind = False
    for clock in _due(key, until):
        fired = {e.step: e for e in Escalation.objects.filter(
            incident=case, clock=clock.kind, about=clock.about, episode=clock.episode, part=0, step__gte=clock.step
        )}  # fmt: skip
        if not fired:
            continue
        behind = True
        # A warning before it may have no row: it came after its own deadline.
        step = min(fired)
        moved = fired[step]
        if moved.kind in (EscalationKind.OWNER_MOVED, EscalationKind.PASSED) and not _was_handed_on(case, moved):
            _begin_again(clock)
            continue
        steps = rules_for(case).steps(clock.kind)
        while step in fired:
            step += 1
        if step < len(steps):
            clock.step, clock.fires_at = step, _moment(clock, step)
        elif moved.kind == EscalationKind.EXHAUSTED:
            clock.step = step
            clock.fires_at = max(clock.fires_at, moved.due_at) + dt.timedelta(
                minutes=rules_for(case).repeat_every(clock.kind)
            )
        else:
            clock.state, clock.stopped_at = ClockState.EXHAUSTED, now
        clock.save(update_fields=["step", "fires_at", "state", "stopped_at"])
    if behind:
        refresh_deadline(case)
        case.save(update_fields=["next_due_at", "next_due_kind"])
    return behind


def _moment(clock: Clock, step: int) -> dt.datetime:
    steps = rules_for(clock.incident).steps(clock.kind)
    return clock.anchor_at + dt.timedelta(minutes=clock.target_minutes * steps[step].percent / 100)


def _was_handed_on(case: Incident, moved: Escalation) -> bool:
    return Custody.objects.filter(incident=case, command=moved.to_command, from_command=moved.from_command).exists()


def _begin_again(clock: Clock) -> None:
    same = Clock.objects.filter(incident=clock.incident_id, kind=clock.kind, about=clock.about)
    fired = Escalation.objects.filter(incident=clock.incident_id, clock=clock.kind, about=clock.about)
    last = max([*same.values_list("episode", flat=True), *fired.values_list("episode", flat=True)])
    clock.episode = last + 1
    clock.save(update_fields=["episode"])


def quarantine(clock: Clock, now: dt.datetime, error: str) -> None:
    """Leave a clock alone for a while: a minute, then two, four, up to an hour."""
    row, made = Quarantine.objects.get_or_create(
        clock=clock, defaults={"next_try_at": now + dt.timedelta(minutes=1), "error": error}
    )
    if not made:
        pause = dt.timedelta(minutes=min(2 ** min(row.attempts, 10), HOUR))
        Quarantine.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1, next_try_at=now + pause, error=error)


def to_try(key: str, now: dt.datetime, until: dt.datetime) -> list[Clock]:
    """The due clocks of a case that are not left alone at `now`, the longest due first."""
    held = set(
        Quarantine.objects.filter(clock__incident=UUID(key), next_try_at__gt=now).values_list("clock", flat=True)
    )
    return [clock for clock in _due(key, until) if clock.pk not in held]


def _due(key: str, until: dt.datetime) -> list[Clock]:
    running = Q(state=ClockState.RUNNING, fires_at__lte=until, incident=UUID(key))
    found = Clock.objects.filter(running, claimable()).select_related("incident__policy")
    return list(found.order_by("fires_at", "id"))
