"""The same numbers split: by place, by category and severity, by day, by what NEC says, by whether it is true."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Sum, Value
from django.db.models.functions import Coalesce, Substr, TruncDate
from django.utils import timezone

from incidents.choices import OPEN, Severity
from incidents.dashboards.past import late_at, open_at, values_at
from incidents.dashboards.question import DISTRICT, Question
from incidents.dashboards.waits import IN_TIME, due_to_acknowledge, minutes_by
from incidents.models import Escalation, EscalationKind
from incidents.tallies import NOT_COUNTED


@dataclass
class InPlace:
    """Open cases of one place."""

    open: int = 0
    late: int = 0
    critical: int = 0
    high: int = 0


@dataclass
class InPlaceOver:
    """What a period left in one place."""

    reported: int = 0
    open_at_end: int = 0
    late_at_end: int = 0
    escalated: int = 0


def open_by_place(question: Question, length: int) -> dict[str, InPlace]:
    """Open cases by the first `length` characters of the place: 4 province, 6 district, 8 commune.

    A case that is placed no closer than the level above stands under that shorter code.
    """
    found: dict[str, InPlace] = {}
    for code, severity, n in _open_by_code_and_severity(question, length):
        here = found.setdefault(code, InPlace())
        here.open += n
        here.critical += n if severity == Severity.CRITICAL else 0
        here.high += n if severity == Severity.HIGH else 0
    overdue = question.cases().overdue(question.now).annotate(code=Substr("place", 1, length))
    for code, n in overdue.values_list("code").annotate(n=Count("*")).order_by():
        found.setdefault(code, InPlace()).late += n
    return {code: here for code, here in found.items() if here.open or here.late}


def _open_by_code_and_severity(question: Question, length: int) -> Iterable[tuple[str, str, int]]:
    cells = question.here() if length <= DISTRICT else None
    if cells is None:
        cases = question.cases().open().annotate(code=Substr("place", 1, length))
        return cases.values_list("code", "severity").annotate(n=Count("*")).order_by()
    tallied = cells.filter(state__in=OPEN).annotate(code=Substr("district_code", 1, length))
    return tallied.values_list("code", "severity").annotate(n=Sum("count")).order_by()


def over_by_place(question: Question, length: int) -> dict[str, InPlaceOver]:
    """The period by place, for reports."""
    found: dict[str, InPlaceOver] = {}
    end = min(question.span.end, question.now)
    cases = question.cases()
    at_end = cases.overdue(question.now) if question.span.end >= question.now else late_at(cases, end)
    for name, counted in (
        ("reported", question.reported()),
        ("open_at_end", open_at(cases, end)),
        ("late_at_end", at_end),
    ):
        rows = counted.annotate(code=Substr("place", 1, length)).values_list("code").annotate(n=Count("*")).order_by()
        for code, n in rows:
            setattr(found.setdefault(code, InPlaceOver()), name, n)
    moved = Escalation.objects.filter(
        kind__in=(EscalationKind.OWNER_MOVED, EscalationKind.MANUAL),
        fired_at__gte=question.span.start,
        fired_at__lt=question.span.end,
        incident__in=cases,
    ).annotate(code=Substr("incident__place", 1, length))
    for code, n in moved.values_list("code").annotate(n=Count("incident", distinct=True)).order_by():
        found.setdefault(code, InPlaceOver()).escalated = n
    return found


def by_category_and_severity(question: Question) -> Counter[tuple[str, str]]:
    """Reports of the period by (category, severity), as they were when it ended."""
    end = min(question.span.end, question.now)
    found = values_at(question.reported(), ("category", "severity"), end)
    return Counter({(category, severity): n for (category, severity), n in found.items()})


def open_by_category(question: Question) -> list[tuple[str, int]]:
    """Open cases by category code, most first."""
    cells = question.here()
    if cells is not None:
        rows = list(cells.filter(state__in=OPEN).values_list("category").annotate(n=Sum("count")).order_by())
    else:
        rows = list(question.cases().open().values_list("category").annotate(n=Count("*")).order_by())
    return sorted(((code, n) for code, n in rows if n), key=lambda row: (-row[1], row[0]))


def open_by_severity(question: Question) -> Counter[str]:
    cells = question.here()
    if cells is not None:
        rows = cells.filter(state__in=OPEN).values_list("severity").annotate(n=Sum("count")).order_by()
        return Counter(dict(rows))
    return Counter(dict(question.cases().open().values_list("severity").annotate(n=Count("*")).order_by()))


def by_verification(question: Question) -> Counter[str]:
    """Open cases by whether they are true."""
    return Counter(dict(question.cases().open().values_list("verification").annotate(n=Count("*")).order_by()))


def by_classification(question: Question) -> Counter[str]:
    """Incidents of the period by what NEC says they are."""
    rows = question.reported().exclude(state__in=NOT_COUNTED).values_list("classification")
    return Counter(dict(rows.annotate(n=Count("*")).order_by()))


def by_day(question: Question) -> Counter[tuple[str, dt.date]]:
    """Incidents of the period by (category group, local day of the report)."""
    cells = question.days()
    if cells is not None:
        rows = cells.values_list("group_code", "day").annotate(n=Sum("count")).order_by()
        return Counter({(group, day): n for group, day, n in rows})
    cases = question.reported().exclude(state__in=NOT_COUNTED)
    local = cases.annotate(day=TruncDate("reported_at", tzinfo=timezone.get_default_timezone()))
    found = local.values_list("category__group_code", "day").annotate(n=Count("*")).order_by()
    return Counter({(group, day): n for group, day, n in found})


def without_point(question: Question) -> int:
    """Open cases that have no point of their own and are counted in their area only."""
    return question.cases().open().filter(lat__isnull=True).count()


@dataclass(frozen=True)
class Answered:
    """Cases due to be acknowledged, those that were in time, and minutes for half and for nine of ten of them all."""

    base: int
    in_time: int
    half: float
    most: float


def acknowledge_times(question: Question) -> dict[str, Answered]:
    """Critical and high incidents of the period whose time to be acknowledged is used or over, by severity.

    One that still waits counts as long as it has waited: left out, the slowest would make the figure better.
    """
    due = due_to_acknowledge(question).filter(severity__in=(Severity.CRITICAL, Severity.HIGH))
    counted = due.values_list("severity").annotate(n=Count("pk"), met=Count("pk", filter=IN_TIME)).order_by()
    waited = due.annotate(until=Coalesce("acknowledged_at", Value(question.now)))
    spans = minutes_by("severity", waited, "reported_at", "until")
    return {
        severity: Answered(n, met, spans[severity].median, spans[severity].p90)
        for severity, n, met in counted
        if severity in spans
    }
