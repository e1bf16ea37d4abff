"""What went up the ladder in a period and why, and whether the engine that sends it was on time.

Read from the steps as they were kept when they fired, which nothing changes afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from django.db.models import Count, F, QuerySet

from commands.choices import RUNG
from incidents.dashboards.question import Question
from incidents.escalation.lateness import FIELDS, Fired, could_fire, explains, is_late, patience
from incidents.models import Escalation, EscalationKind, Outage

#: Why a case went up, beside the kinds of clock that ran out: a person sent it, or it became critical.
BY_HAND, AT_ONCE = "by_hand", "critical"
#: Position of a body beside the ladder.
BESIDE = -1
#: So many outages of a period are listed, the last ones; all are counted.
LISTED = 20
_CHUNK = 5_000
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
    latest, n = dt.timedelta(), 0
    after = [0] * len(outages)
    late = steps.filter(part=0, fired_at__gt=F("due_at") + patience()).exclude(clock="")
    rows = map(Fired._make, late.values_list(*FIELDS).iterator(chunk_size=_CHUNK))
    while some := list(islice(rows, _CHUNK)):
        for step, since in zip(some, could_fire(some), strict=True):
            if not is_late(since, step.fired_at):
                continue
            n, latest = n + 1, max(latest, step.fired_at - since)
            # As the timeline says it.
            explained = (at for at, (start, end) in enumerate(outages) if explains(start, end, since, step.fired_at))
            if (number := next(explained, None)) is not None:
                after[number] += 1
    return n, _minutes(latest) if n else None, after


def _minutes(span: dt.timedelta) -> float:
    return round(span.total_seconds() / 60, 1)


def _whole(span: dt.timedelta) -> int:
    """Minutes that are over, as every length of time on a page is told."""
    return int(span.total_seconds() // 60)
