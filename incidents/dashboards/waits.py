"""How long cases waited: the share acknowledged in time, and the minutes half and nine of ten of them needed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db import connection
from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q

from incidents.choices import ClockKind
from incidents.dashboards.question import Period, Question
from incidents.querysets import IncidentQuerySet

#: A percentage of fewer cases than this says more than it knows.
SMALLEST_BASE = 20


def due_to_acknowledge(question: Question) -> IncidentQuerySet:
    """Incidents of the period whose time to be acknowledged is used or over, each with its first clock of that kind."""
    # From the cases: their clocks joined once, where `incident__in` would read the cases a second time.
    return (
        question.reported()
        .counted()
        .filter(
            Q(acknowledged_at__isnull=False) | Q(clocks__deadline_at__lt=question.now),
            clocks__kind=ClockKind.ACKNOWLEDGE,
            clocks__episode=1,
        )
    )


#: Acknowledged before the deadline of the clock that `due_to_acknowledge` joined.
IN_TIME = Q(acknowledged_at__lte=F("clocks__deadline_at"))


def decided(question: Question, *periods: Period) -> list[tuple[int, int]]:
    """Of each period: cases acknowledged in time, and all whose time to do so is over or used; one query."""
    whole = Period(min(p.start for p in periods), max(p.end for p in periods))
    first_clocks = due_to_acknowledge(question.over(whole))
    counts: dict[str, Count] = {}
    for number, period in enumerate(periods):
        within = Q(reported_at__gte=period.start, reported_at__lt=period.end)
        in_time = within & IN_TIME
        counts |= {f"met{number}": Count("clocks", filter=in_time), f"all{number}": Count("clocks", filter=within)}
    found = first_clocks.aggregate(**counts)
    return [(found[f"met{number}"], found[f"all{number}"]) for number in range(len(periods))]


def shares_in_time(question: Question, *periods: Period) -> list[float | None]:
    """Per cent acknowledged in time in each period; None of fewer than SMALLEST_BASE cases."""
    counted = decided(question, *periods)
    return [round(100 * met / base, 1) if base >= SMALLEST_BASE else None for met, base in counted]


class Percentile(Aggregate):
    template = "percentile_cont(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True)
class Spans:
    """How many cases took how long, in minutes: half of them at most `median`, nine of ten at most `p90`."""

    count: int
    median: float
    p90: float


def minutes_between(cases: IncidentQuerySet, start: str, end: str) -> Spans:
    """Minutes from column `start` to column `end` of the cases that have both; counted 0 where none has."""
    done = cases.filter(**{f"{end}__isnull": False})
    if connection.vendor == "postgresql":
        took = ExpressionWrapper(F(end) - F(start), output_field=DurationField())
        row = done.annotate(took=took).aggregate(
            n=Count("*"), half=Percentile("took", share=0.5), most=Percentile("took", share=0.9)
        )
        half, most = (span.total_seconds() / 60 if span else 0 for span in (row["half"], row["most"]))
        return Spans(row["n"], round(half, 1), round(most, 1))
    spans = sorted((b - a).total_seconds() / 60 for a, b in done.values_list(start, end))
    return Spans(len(spans), _at(spans, 0.5), _at(spans, 0.9))


def minutes_by(column: str, cases: IncidentQuerySet, start: str, end: str) -> dict[str, Spans]:
    """`minutes_between` for every value of `column` that has any, in one reading of the cases."""
    done = cases.filter(**{f"{end}__isnull": False}).order_by()
    if connection.vendor == "postgresql":
        took = ExpressionWrapper(F(end) - F(start), output_field=DurationField())
        rows = done.values_list(column).annotate(
            n=Count("*"), half=Percentile(took, share=0.5), most=Percentile(took, share=0.9)
        )
        return {
            value: Spans(n, round(half.total_seconds() / 60, 1), round(most.total_seconds() / 60, 1))
            for value, n, half, most in rows
        }
    values = done.values_list(column, flat=True).distinct()
    return {value: minutes_between(cases.filter(**{column: value}), start, end) for value in values}


def _at(spans: list[float], share: float) -> float:
    """The value below which `share` of the sorted spans lie, between two neighbours as percentile_cont does it."""
    if not spans:
        return 0
    place = share * (len(spans) - 1)
    low, high = spans[math.floor(place)], spans[math.ceil(place)]
    return round(low + (high - low) * (place - math.floor(place)), 1)
