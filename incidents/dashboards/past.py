"""How things stood at a past moment, from the journal and the clocks: what was open then, what was late then."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, Min, OuterRef, Q

from incidents.choices import OPEN, State
from incidents.models import Clock, ClockState, Entry
from incidents.querysets import IncidentQuerySet


def open_at(cases: IncidentQuerySet, moment: dt.datetime) -> IncidentQuerySet:
    """Those of `cases` that were open at `moment`.

    A case whose state did not change since is as it is now; any other was what its first change since says it was
    before. Only what was written after the moment is read, so last week costs little however long the record is.
    """
    changes = Entry.objects.filter(at__gte=moment, before__has_key="state", incident__isnull=False)
    first = changes.order_by().values("incident").annotate(first=Min("pk")).values("first")
    was_open = Entry.objects.filter(pk__in=first, before__state__in=OPEN).values("incident")
    was_ended = Entry.objects.filter(pk__in=first).exclude(before__state__in=OPEN).values("incident")
    ended_since = Q(state__in=[State.RESOLVED, State.CLOSED], reopened_count=0, resolved_at__gte=moment)
    return cases.filter(reported_at__lt=moment).filter(
        (Q(state__in=OPEN) & ~Q(pk__in=was_ended)) | ended_since | (~Q(state__in=OPEN) & Q(pk__in=was_open))
    )


def late_at(cases: IncidentQuerySet, moment: dt.datetime) -> IncidentQuerySet:
    """Those of `cases` that were open at `moment` with a clock running past its deadline."""
    running = Clock.objects.filter(
        Q(state=ClockState.RUNNING) | Q(stopped_at__gte=moment),
        incident=OuterRef("pk"),
        anchor_at__lt=moment,
        deadline_at__lt=moment,
    )
    return open_at(cases, moment).filter(Exists(running))
