"""How long incidents of a period waited for each answer, by severity, as known when the period ended.

One that still waits counts for as long as it has waited (Kaplan and Meier 1958): left out, the slowest would make the
figure better, and counted as answered, the latest would.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import FilteredRelation, Q

from incidents.choices import ClockKind, Severity
from incidents.dashboards.past import changed_since
from incidents.dashboards.question import Question
from incidents.dashboards.waits import SMALLEST_BASE
from incidents.tallies import NOT_COUNTED

#: What is waited for, in order.
ACKNOWLEDGE, FIRST_UPDATE, CONTAIN = "acknowledge", "first_update", "contain"
AWAITED = (ACKNOWLEDGE, FIRST_UPDATE, CONTAIN)
#: Half or nine of ten of fewer cases than this say nothing.
FEWEST = 5
_CHUNK = 5_000

_MOMENTS = ("acknowledged_at", "first_update_at", "contained_at", "resolved_at")
_FIELDS = ("severity", "state", *_MOMENTS)


@dataclass(frozen=True)
class Waits:
    """Incidents that waited for one answer, how many of them still did, and minutes for half and nine of ten of them.

    None where there are fewer than FEWEST, or where so many still waited that the minutes cannot be said.
    """

    cases: int = 0
    waiting: int = 0
    half: float | None = None
    most: float | None = None

    @property
    def are_few(self) -> bool:
        return self.cases < FEWEST


@dataclass(frozen=True)
class InTime:
    """Incidents whose time to be acknowledged was used or over, and those acknowledged within it."""

    cases: int = 0
    met: int = 0

    @property
    def share(self) -> float | None:
        """Per cent; None of fewer than SMALLEST_BASE."""
        return round(100 * self.met / self.cases, 1) if self.cases >= SMALLEST_BASE else None


@dataclass(frozen=True)
class Response:
    """Of one severity, or of all."""

    waits: dict[str, Waits] = field(default_factory=lambda: dict.fromkeys(AWAITED, Waits()))
    in_time: InTime = field(default_factory=InTime)


#: Response to the incidents of all severities.
ALL = ""


def response_at(question: Question) -> dict[str, Response]:
    """By severity as it was when the period ended, and under ALL of them all; a severity without a case has none."""
    end = min(question.span.end, question.now)
    spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
    in_time: dict[str, list[bool]] = defaultdict(list)
    for reported_at, deadline_at, known in _incidents_at(question, end):
        severity = str(known["severity"])
        answered = _answered(known)
        for awaited in AWAITED:
            span = _span(reported_at, answered[awaited], known["resolved_at"], end)
            spans[severity, awaited].append(span)
            spans[ALL, awaited].append(span)
        done = answered[ACKNOWLEDGE]
        if deadline_at is not None and (done or deadline_at < end):
            in_time[severity].append(bool(done and done <= deadline_at))
            in_time[ALL].append(bool(done and done <= deadline_at))
    severities = {severity for severity, _awaited in spans}
    return {
        severity: Response(
            {awaited: _waits(spans[severity, awaited]) for awaited in AWAITED},
            InTime(len(in_time[severity]), sum(in_time[severity])),
        )
        for severity in (*(str(s) for s in Severity if s in severities), *([ALL] if severities else []))
    }


def _incidents_at(
    question: Question, end: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.datetime | None, dict[str, Any]]]:
    """When each incident was reported, until when it was to be acknowledged, and what was known of it at `end`."""
    cases = question.reported()
    changed = changed_since(cases.values("pk"), _FIELDS, end)
    # The first clock keeps its deadline: it is met or given up before it could be paused, and a later one is another.
    first = FilteredRelation("clocks", condition=Q(clocks__kind=ClockKind.ACKNOWLEDGE, clocks__episode=1))
    rows = cases.annotate(first_clock=first).values_list("pk", "reported_at", "first_clock__deadline_at", *_FIELDS)
    for pk, reported_at, deadline_at, *values in rows.iterator(chunk_size=_CHUNK):
        known = dict(zip(_FIELDS, values, strict=True))
        for name, value in changed.get(pk, {}).items():
            known[name] = dt.datetime.fromisoformat(value) if value and name in _MOMENTS else value
        if known["state"] not in NOT_COUNTED:
            yield reported_at, deadline_at, known


def _answered(known: dict[str, Any]) -> dict[str, dt.datetime | None]:
    """When each answer came. Containment is news: it ends the wait for a first update as well."""
    news = [at for at in (known["first_update_at"], known["contained_at"]) if at]
    return {
        ACKNOWLEDGE: known["acknowledged_at"],
        FIRST_UPDATE: min(news, default=None),
        CONTAIN: known["contained_at"],
    }


# ---- Half and nine of ten, of answered and waiting ones together ----


class Span(NamedTuple):
    """Seconds waited, whether the answer came, and whether it is still waited for (a case may end without)."""

    seconds: float
    done: bool
    waits: bool = False


def _span(start: dt.datetime, answered: dt.datetime | None, ended: dt.datetime | None, until: dt.datetime) -> Span:
    seconds = ((answered or ended or until) - start).total_seconds()
    return Span(max(seconds, 0), answered is not None, answered is None and ended is None)


def _waits(spans: list[Span]) -> Waits:
    waiting = sum(span.waits for span in spans)
    if len(spans) < FEWEST:
        return Waits(len(spans), waiting)
    half, most = quantiles(spans, 0.5, 0.9)
    return Waits(len(spans), waiting, half, most)


def quantiles(spans: Iterable[Span], *shares: float) -> list[float | None]:
    """Minutes after which each share (rising) had its answer; None where so many still wait that it cannot be said."""
    # Of answers and ends of waiting in one second the answers come first.
    ordered = sorted(spans, key=lambda span: (span.seconds, not span.done))
    found: list[float | None] = []
    left, without = len(ordered), 1.0
    for seconds, done, _waits in ordered:
        if done:
            without *= 1 - 1 / left
            # What whole cases make exact is not exact in binary fractions.
            while len(found) < len(shares) and without <= 1 - shares[len(found)] + 1e-9:
                found.append(round(seconds / 60, 1))
        left -= 1
    return [*found, *[None] * (len(shares) - len(found))]
