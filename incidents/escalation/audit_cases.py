"""Checks of the audit about cases: their deadlines, their pauses, and who holds them. One statement each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import Lag

from incidents.choices import OPEN, ClockKind, State
from incidents.deadlines import due_at, fires_at
from incidents.escalation import watchdog
from incidents.models import LIVE, STANDING, Clock, ClockState, Custody, Incident, Policy, Referral
from incidents.policies import Rules, rules_of
from incidents.timekeeping import in_turn

#: Rows in memory at a time.
PAGE = 2000
#: What a step may be late before it is a finding and not a tick.
LATE = dt.timedelta(minutes=15)
#: Microseconds are lost where a database keeps fewer.
EXACT = dt.timedelta(seconds=1)


def _cases() -> QuerySet[Any]:
    return Incident._base_manager.all()


def named(rows: QuerySet[Any], *columns: str) -> Iterator[str]:
    """Each row as words: its columns, those that are empty left out; a page in memory at a time."""
    for row in rows.order_by().values_list(*columns).iterator(chunk_size=PAGE):
        yield " ".join(str(value) for value in row if value not in ("", None))


# ---- Deadlines ----


def open_without_clock(now: dt.datetime) -> Iterable[str]:
    live = Clock.objects.filter(incident=OuterRef("pk"), state__in=LIVE)
    return named(_cases().filter(~Exists(live), state__in=OPEN), "reference", "state")


def ended_with_clock(now: dt.datetime) -> Iterable[str]:
    standing = Clock.objects.filter(state__in=[ClockState.RUNNING, ClockState.PAUSED])
    # A body decides by law also about what is resolved.
    by_law = Q(kind=ClockKind.LEGAL, incident__state=State.RESOLVED)
    found = standing.exclude(incident__state__in=OPEN).exclude(by_law)
    return named(found, "incident__reference", "incident__state", "kind")


def clock_off_policy(now: dt.datetime) -> Iterator[str]:
    rules: dict[int, Rules] = {policy.pk: rules_of(policy) for policy in Policy.objects.all()}
    running = Clock.objects.filter(state=ClockState.RUNNING).order_by()
    columns = ("incident__reference", "incident__policy", "kind", "step", "anchor_at", "target_minutes", "deadline_at")
    for reference, policy, *clock, fires in running.values_list(*columns, "fires_at").iterator(chunk_size=PAGE):
        if wrong := _off(rules[policy], fires, *clock):
            yield f"{reference} {clock[0]} {clock[1]}: {wrong}"


def _off(
    rules: Rules, fires: dt.datetime, kind: str, step: int, anchor: dt.datetime, minutes: int, deadline: dt.datetime
) -> str:
    try:
        steps = rules.steps(kind)
    except ValidationError:
        return "its policy has no step for it"
    if abs(deadline - due_at(anchor, minutes)) > EXACT:
        return f"deadline {deadline.isoformat()} is not {minutes} minutes after {anchor.isoformat()}"
    last = fires_at(anchor, minutes, steps, min(step, len(steps) - 1))
    if step < len(steps):
        return "" if abs(fires - last) <= EXACT else f"{fires.isoformat()}, by its policy {last.isoformat()}"
    # Behind the last step it is said again at the top, every so many minutes from when that was due.
    pause = dt.timedelta(minutes=rules.repeat_every(kind))
    over = (fires - last) % pause
    return (
        "" if fires > last and min(over, pause - over) <= EXACT else f"{fires.isoformat()} repeats {last.isoformat()}"
    )


def not_fired(now: dt.datetime) -> Iterable[str]:
    return named(watchdog.overdue(now - LATE), "incident__reference", "kind", "step", "fires_at")


def wrong_deadline(now: dt.datetime) -> Iterable[str]:
    live = in_turn(Clock.objects.filter(incident=OuterRef("pk"), state__in=LIVE))
    cases = _cases().filter(state__in=OPEN).annotate(earliest=Subquery(live.values("deadline_at")[:1]))
    return named(
        cases.exclude(earliest=None).exclude(earliest=F("next_due_at")), "reference", "next_due_at", "earliest"
    )


# ---- Pauses and referrals ----


def pause_without_end(now: dt.datetime) -> Iterator[str]:
    ends = Clock.objects.filter(kind=ClockKind.SNOOZE, state=ClockState.RUNNING)
    asleep = _cases().filter(state__in=OPEN, snoozed_until__isnull=False)
    yield from named(asleep.filter(~Exists(ends.filter(incident=OuterRef("pk")))), "reference", "snoozed_until")
    yield from named(ends.filter(incident__snoozed_until=None), "incident__reference", "fires_at")


def stopped_without_pause(now: dt.datetime) -> Iterable[str]:
    stopped = Clock.objects.filter(state=ClockState.PAUSED, incident__snoozed_until=None)
    return named(stopped, "incident__reference", "kind", "paused_at")


def referral_unwatched(now: dt.datetime) -> Iterator[str]:
    legal = Clock.objects.filter(kind=ClockKind.LEGAL)
    watched = legal.filter(incident=OuterRef("incident"), about=OuterRef("pk"), state__in=STANDING)
    running = Referral.objects.filter(outcome="", due_at__isnull=False)
    yield from named(running.filter(~Exists(watched)), "incident__reference", "body", "due_at")
    runs = Referral.objects.filter(pk=OuterRef("about"), incident=OuterRef("incident"), outcome="")
    orphans = legal.filter(~Exists(runs), state=ClockState.RUNNING)
    yield from named(orphans, "incident__reference", "kind", "deadline_at")


# ---- Custody ----


def _last_custody(column: str) -> Subquery:
    return Subquery(Custody.objects.filter(incident=OuterRef("pk")).order_by("-pk").values(column)[:1])


def owner_unexplained(now: dt.datetime) -> Iterable[str]:
    cases = _cases().exclude(state=State.DRAFT).annotate(holder=_last_custody("command__code"))
    unlike = cases.filter(Q(holder=None) | ~Q(holder=F("owner__code")))
    return named(unlike, "reference", "owner__code", "holder")


def custody_broken(now: dt.datetime) -> Iterator[str]:
    before = Window(Lag("command"), partition_by=["incident"], order_by=["pk"])
    rows = Custody.objects.annotate(holder=before).exclude(holder=None)
    unlike = rows.filter(Q(from_command=None) | ~Q(from_command=F("holder")))
    for reference, sender, to in unlike.order_by().values_list(
        "incident__reference", "from_command__code", "command__code"
    ).iterator(chunk_size=PAGE):  # fmt: skip
        yield f"{reference} from {sender or 'nobody'} to {to}"


def acceptance_unlike(now: dt.datetime) -> Iterable[str]:
    cases = _cases().filter(state__in=OPEN).annotate(accepted=_last_custody("accepted_at"))
    unlike = cases.filter(Q(is_accepted=True, accepted=None) | Q(is_accepted=False, accepted__isnull=False))
    return named(unlike, "reference", "owner__code")
