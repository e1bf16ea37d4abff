"""How things stood at a past moment, from the journal and the clocks: what was open, what was late, what was known."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import (
    Count,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Least

from incidents.choices import OPEN, ClockKind, State
from incidents.models import Clock, ClockState, Entry, Incident
from incidents.querysets import IncidentQuerySet

#: Up to so many changed cases are named one by one: beside a subquery no index serves the other conditions, and all
#: cases there are would be read (0.6 s at a million).
FEW = 5_000


#: What tells that a case was open at a moment: for those open now, and for those that ended since.
WasOpen = tuple[Q, Q]


def open_at(cases: IncidentQuerySet, moment: dt.datetime, was: WasOpen | None = None) -> IncidentQuerySet:
    """Those of `cases` that were open at `moment`; `was` spares the reading of `was_open(moment)`.

    A case whose state did not change since is as it is now; any other was what its first change since says it was
    before. Only what was written after the moment is read, so last week costs little however long the record is.
    """
    still, ended = was or was_open(moment)
    return cases.filter(reported_at__lt=moment).filter(still | ended)


def open_parts_at(
    cases: IncidentQuerySet, moment: dt.datetime, was: WasOpen | None = None
) -> tuple[IncidentQuerySet, IncidentQuerySet]:
    """`open_at` in two parts that share no case: what is open still, and what ended since.

    For counting: each is answered from an index alone, both at once are not (0.1 s against 0.02 at a million cases).
    """
    still, ended = was or was_open(moment)
    before = cases.filter(reported_at__lt=moment)
    return before.filter(still), before.filter(ended)


def was_open(moment: dt.datetime) -> WasOpen:
    """What tells that a case was open at `moment`; one query."""
    changes = Entry.objects.filter(at__gte=moment, before__has_key="state", incident__isnull=False)
    first = changes.order_by().values("incident").annotate(first=Min("pk")).values("first")
    told = list(Entry.objects.filter(pk__in=first).order_by().values_list("incident", "before__state")[: FEW + 1])
    opened: Any = [pk for pk, state in told if state in OPEN]
    ended: Any = [pk for pk, state in told if state not in OPEN]
    if len(told) > FEW:
        opened = Entry.objects.filter(pk__in=first, before__state__in=OPEN).values("incident")
        ended = Entry.objects.filter(pk__in=first).exclude(before__state__in=OPEN).values("incident")
    ended_since = Q(state__in=[State.RESOLVED, State.CLOSED], reopened_count=0, resolved_at__gte=moment)
    return Q(state__in=OPEN) & ~Q(pk__in=ended), ended_since | (~Q(state__in=OPEN) & Q(pk__in=opened))


def late_at(cases: IncidentQuerySet, moment: dt.datetime, was: WasOpen | None = None) -> IncidentQuerySet:
    """Those of `cases` that were open at `moment` with a deadline past that was still to be met."""
    live = Q(state__in=[ClockState.RUNNING, ClockState.EXHAUSTED]) | Q(stopped_at__gte=moment)
    live |= Q(state=ClockState.PAUSED, paused_at__gte=moment)
    # A pause that came after the moment and is over moved the deadline on: it was earlier then.
    past = Q(anchor_at__lt=moment, deadline_at__lt=moment) | Q(paused_seconds__gt=0, was_due__lt=moment)
    late = Clock.objects.alias(was_due=_due_before_pauses(moment)).filter(live, past, incident=OuterRef("pk"))
    # A new severity gives a new deadline from the old anchor: one that came after the moment says nothing of it.
    set_later = Clock.objects.filter(
        incident=OuterRef("incident"),
        kind__in=[OuterRef("kind"), ClockKind.REVIEW],
        anchor_at=OuterRef("anchor_at"),
        pk__lt=OuterRef("pk"),
        stopped_at__gte=moment,
    )
    return open_at(cases, moment, was).filter(Exists(late.exclude(Exists(set_later))))


def _due_before_pauses(moment: dt.datetime) -> ExpressionWrapper[CombinedExpression]:
    """When a clock was due before the pauses that its case had since `moment`; to the minute, as pauses are kept."""
    pauses = Clock.objects.filter(
        incident=OuterRef("incident"), kind=ClockKind.SNOOZE, anchor_at__gte=moment, stopped_at__isnull=False
    )
    length = Least("stopped_at", "deadline_at") - F("anchor_at")
    stood = pauses.order_by().values("incident").annotate(all=Sum(length, output_field=DurationField())).values("all")
    zero = Value(dt.timedelta(), output_field=DurationField())
    return ExpressionWrapper(F("deadline_at") - Coalesce(Subquery(stood), zero), output_field=DateTimeField())


def values_at(
    cases: QuerySet[Incident, Incident], fields: Sequence[str], moment: dt.datetime, *, fixed: Sequence[str] = ()
) -> Counter[tuple[Any, ...]]:
    """How many of `cases` had which values of `fields` at `moment`, then of `fixed`.

    `fields` are those the journal tracks, as it stores them; `fixed` are written once, with the report. Counted as they
    stand now, then put right by what was changed since, so last week costs little.
    """
    names = (*fields, *fixed)
    rows = cases.order_by().values_list(*names).annotate(n=Count("*"))
    found = Counter({row[:-1]: row[-1] for row in rows})
    keys = cases.order_by().values("pk")
    if earlier := changed_since(keys, fields, moment):
        changed = cases.filter(pk__in=_changes(keys, fields, moment).values("incident"))
        for pk, *values in changed.order_by().values_list("pk", *names):
            found[tuple(values)] -= 1
            found[tuple(earlier[pk].get(name, value) for name, value in zip(names, values, strict=True))] += 1
    return +found


def changed_since(
    keys: Iterable[UUID] | QuerySet[Any, Any], fields: Sequence[str], moment: dt.datetime
) -> dict[UUID, dict[str, Any]]:
    """For each case of `keys` changed at or after `moment`: the stored values that the changed `fields` had before."""
    found: dict[UUID, dict[str, Any]] = {}
    for pk, before in _changes(keys, fields, moment).order_by("pk").values_list("incident_id", "before"):
        if pk is not None:
            # Of several changes the first tells what was there; a later one must not write over it.
            found[pk] = {name: before[name] for name in fields if name in before} | found.get(pk, {})
    return found


def _changes(
    keys: Iterable[UUID] | QuerySet[Any, Any], fields: Sequence[str], moment: dt.datetime
) -> QuerySet[Entry, Entry]:
    # One condition a field: those are what the indexes of the journal are made of.
    any_of = Q()
    for name in fields:
        any_of |= Q(before__has_key=name)
    return Entry.objects.filter(any_of, at__gte=moment, incident__in=keys)
