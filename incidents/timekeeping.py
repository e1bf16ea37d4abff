"""The deadlines of one case: start, stand still, run on, and the earliest of them for lists.

Called by `turn` and the engine inside their transaction, on a case they hold locked; what an act or a step of a policy
does with clocks is theirs to say.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Case, QuerySet, When

from elections.prepared import prepared
from incidents.choices import ClockKind
from incidents.deadlines import due_at, fires_at
from incidents.escalation.decide import run_on
from incidents.models import LIVE, STANDING, Clock, ClockState, Incident
from incidents.policies import Rules, rules_for


def start_clock(
    incident: Incident, kind: ClockKind, minutes: int, anchor: dt.datetime, now: dt.datetime, about: int = 0
) -> Clock:
    """Run a clock of `minutes` from `anchor`; a standing one of the kind is cancelled at `now`, the episode grows.

    `about` is the key of the referral for a legal deadline: each has a clock of its own.
    """
    same = incident.clocks.filter(kind=kind, about=about)
    same.filter(state__in=STANDING).update(state=ClockState.CANCELLED, stopped_at=now, paused_at=None)
    last = same.order_by("-episode").first()
    steps = rules_for(incident).steps(kind)
    return Clock.objects.create(
        incident=incident,
        kind=kind,
        about=about,
        episode=last.episode + 1 if last else 1,
        anchor_at=anchor,
        target_minutes=minutes,
        deadline_at=due_at(anchor, minutes),
        fires_at=fires_at(anchor, minutes, steps),
    )


def new_clock(incident: UUID, kind: ClockKind, minutes: int, rules: Rules, now: dt.datetime) -> Clock:
    """The first clock of its kind on a new case, not written yet; `minutes` from `now`."""
    return Clock(
        incident_id=incident,
        kind=kind,
        anchor_at=now,
        target_minutes=minutes,
        deadline_at=due_at(now, minutes),
        fires_at=fires_at(now, minutes, rules.steps(kind)),
    )


def refresh_deadline(incident: Incident) -> None:
    """Copy the deadline that counts next onto the case, for sorting; none where it is not open."""
    first = _first_deadline.first(incident.pk) if incident.is_open else None
    incident.next_due_at = first.deadline_at if first else None
    incident.next_due_kind = first.kind if first else ""


@prepared
def _first_deadline(incident: Any) -> QuerySet[Clock]:
    return in_turn(Clock.objects.filter(incident=incident, state__in=LIVE))[:1]


def in_turn(clocks: QuerySet[Clock]) -> QuerySet[Clock]:
    """The earliest deadline first, and a legal one, which is another body's to keep, behind all of the owner's own.

    A referral entered with an old date would else stand before what the owner has to do, in every list and message.
    """
    return clocks.order_by(Case(When(kind=ClockKind.LEGAL, then=1), default=0), "deadline_at")


# ---- Pauses ----

#: What a pause never stops: a body decides by law, a rumour spreads, and the end of the pause itself.
NEVER_PAUSED = (ClockKind.LEGAL, ClockKind.VERIFY, ClockKind.SNOOZE)


def pause_clocks(incident: Incident, now: dt.datetime, until: dt.datetime) -> None:
    """Stand the running clocks of a case still from `now`; a clock of the pause runs to `until`.

    What had fired all its steps already stays late: a pause forgives nothing.
    """
    running = incident.clocks.filter(state=ClockState.RUNNING).exclude(kind__in=NEVER_PAUSED)
    running.update(state=ClockState.PAUSED, paused_at=now)
    incident.snoozed_until = until
    # Clocks count whole minutes and a pause ends at any moment, so it is anchored that much before its end.
    minutes = max(1, int((until - now).total_seconds() // 60))
    start_clock(incident, ClockKind.SNOOZE, minutes, until - dt.timedelta(minutes=minutes), now)


def resume_clocks(incident: Incident, now: dt.datetime) -> bool:
    """End the pause of a case, at `now` or at its own end where that is over: a late tick lengthens no pause.

    Says whether there was one. The caller saves the case, whose `snoozed_until` is empty then.
    """
    if incident.snoozed_until is None:
        return False
    over = incident.snoozed_until <= now
    run_again(incident.clocks.all(), min(now, incident.snoozed_until))
    incident.clocks.filter(kind=ClockKind.SNOOZE, state__in=STANDING).update(
        state=ClockState.MET if over else ClockState.CANCELLED, stopped_at=now
    )
    incident.snoozed_until = None
    return True


def run_again(clocks: QuerySet[Clock], at: dt.datetime) -> None:
    """Those of `clocks` that stand paused run on from `at`."""
    for clock in clocks.filter(state=ClockState.PAUSED):
        run_on(clock, at)
        clock.save(update_fields=["state", "anchor_at", "deadline_at", "fires_at", "paused_at", "paused_seconds"])


def keep_pauses(made: Clock, like: Clock) -> None:
    """`made` takes the place of `like` on the same anchor: it stood still as long, and stands still if that did."""
    if like.paused_seconds or like.state == ClockState.PAUSED:
        made.paused_seconds, made.paused_at = like.paused_seconds, like.paused_at
        if like.state == ClockState.PAUSED:
            made.state = ClockState.PAUSED
        made.save(update_fields=["paused_seconds", "paused_at", "state"])
