"""What went up the ladder in a period and why, and whether the engine that sends it was on time.

Read from the steps as they were kept when they fired, which nothing changes afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce, Greatest

from commands.choices import RUNG
from incidents.choices import Act, ClockKind
from incidents.dashboards.question import Question
from incidents.lifecycle import ENGINE_ACTS, TIMES_ANEW
from incidents.models import Entry, Escalation, EscalationKind, Outage

#: Why a case went up, beside the kinds of clock that ran out: a person sent it, or it became critical.
BY_HAND, AT_ONCE = "by_hand", "critical"
#: Position of a body beside the ladder.
BESIDE = -1
#: So many outages of a period are listed, the last ones; all are counted.
LISTED = 20
_CHUNK = 5_000
#: Acts of people after which a deadline of the ladder may lie in the past.
_SET_ANEW = tuple(TIMES_ANEW - ENGINE_ACTS - {Act.REFER})
K = EscalationKind


@dataclass(frozen=True)
class Away:
    """A time in which the engine did not run, and the steps in view that fired late after it."""

    started_at: dt.datetime
    ended_at: dt.datetime
    steps: int

    @property
    def minutes(self) -> int:
        return _whole(self.ended_at - self.started_at)


@dataclass(frozen=True)
class Handovers:
    """A period. `moved`: hand-overs upwards by (reason, rung that had the case, rung that got it).

    A command that a case only passed after an outage got it too.
    """

    moved: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    told: int = 0
    exhausted: int = 0
    stood_down: int = 0
    vacant: int = 0
    fired: int = 0
    late: int = 0
    #: Minutes by which the latest step was late; None where none was.
    latest: float | None = None
    outages: int = 0
    #: The sum of the whole minutes of each, so that what is listed adds up to it.
    outage_minutes: int = 0
    listed: list[Away] = field(default_factory=list)


def patience() -> dt.timedelta:
    """A step that fires within this after its moment is in time: the engine looks every quarter of a minute."""
    return dt.timedelta(seconds=settings.ENGINE_STALE_SECONDS)


def handovers_over(question: Question) -> Handovers:
    """The steps of the period of the cases in view. A few queries, however many steps."""
    steps = Escalation.objects.filter(
        fired_at__gte=question.span.start, fired_at__lt=question.span.end, incident__in=question.cases()
    ).order_by()
    rows = steps.values_list("kind", "clock", "from_command__kind", "to_command__kind", "part").annotate(n=Count("pk"))
    moved: Counter[tuple[str, int, int]] = Counter()
    counts: Counter[str] = Counter()
    for kind, clock, sender, target, part, n in rows:
        rungs = RUNG.get(sender, BESIDE), RUNG.get(target, BESIDE)
        match kind:
            # The record names whom a case passed where it moved there; of what was only to be told there it names none.
            case K.OWNER_MOVED | K.MANUAL | K.PASSED if kind != K.PASSED or target:
                reason = BY_HAND if kind == K.MANUAL else clock or AT_ONCE
                moved[reason, *rungs] += n
            case K.HAND_BACK:
                # A first rating gives the ladder a case that nobody of it had: no stand-down.
                counts[kind] += n if rungs[0] > rungs[1] else 0
            case K.VACANT:
                counts[kind] += n if part == 1 else 0
            case _:
                counts[kind] += n
        counts["fired"] += n if clock and part == 0 else 0
    outages = _outages(question)
    late, latest, after = _late(steps, outages[:LISTED])
    return Handovers(
        moved=moved,
        told=counts[K.NEXT_TOLD],
        exhausted=counts[K.EXHAUSTED],
        stood_down=counts[K.HAND_BACK],
        vacant=counts[K.VACANT],
        fired=counts["fired"],
        late=late,
        latest=latest,
        outages=len(outages),
        outage_minutes=sum(_whole(end - start) for start, end in outages),
        listed=[Away(start, end, n) for (start, end), n in zip(outages[:LISTED], after, strict=True)][::-1],
    )


def _outages(question: Question) -> list[tuple[dt.datetime, dt.datetime]]:
    """Beginning and end of each that ended in the period, the last first: until it ends nobody knows of its length."""
    ended = Outage.objects.filter(ended_at__gte=question.span.start, ended_at__lt=question.span.end)
    return list(ended.order_by("-ended_at").values_list("started_at", "ended_at"))


def _late(
    steps: QuerySet[Escalation], outages: list[tuple[dt.datetime, dt.datetime]]
) -> tuple[int, float | None, list[int]]:
    """Steps of a rule that fired late, minutes of the latest of them, and how many of them each outage explains."""
    slack, latest, n = patience(), dt.timedelta(), 0
    after = [0] * len(outages)
    late = steps.filter(part=0, fired_at__gt=F("due_at") + slack).exclude(clock="")
    # Row by row: in the database each outage would work out `_since` anew for every step.
    for since, fired_at in late.annotate(since=_since()).values_list("since", "fired_at").iterator(chunk_size=_CHUNK):
        if fired_at <= since + slack:
            continue
        n, latest = n + 1, max(latest, fired_at - since)
        # As the timeline says it: to be fired while the engine was away, fired once it was back.
        for number, (started_at, ended_at) in enumerate(outages):
            if started_at - slack <= since < ended_at <= fired_at:
                after[number] += 1
                break
    return n, _minutes(latest) if n else None, after


def _since() -> Greatest:
    """Since when a step could fire: not before somebody set the deadline that had passed, as the timeline has it.

    A severity raised puts deadlines into the past, another version of the policy too; a referral sets the time that a
    body has by law, and no other.
    """
    acts = Entry.objects.filter(incident=OuterRef("incident"), at__lte=OuterRef("fired_at")).order_by("-at")
    referred = Subquery(acts.filter(act=Act.REFER).values("at")[:1])
    anew = Subquery(acts.filter(act__in=_SET_ANEW).values("at")[:1])
    last = Case(When(clock=ClockKind.LEGAL, then=referred), default=anew, output_field=DateTimeField())
    return Greatest("due_at", Coalesce(last, "due_at"))


def _minutes(span: dt.timedelta) -> float:
    return round(span.total_seconds() / 60, 1)


def _whole(span: dt.timedelta) -> int:
    return round(span.total_seconds() / 60)
