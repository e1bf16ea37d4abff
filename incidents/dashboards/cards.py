"""The key figures above the map and the strip of what happens now."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incidents.choices import Severity
from incidents.dashboards import measures
from incidents.dashboards.links import listing, listing_of, listing_since
from incidents.dashboards.past import late_at, open_parts_at, values_at, was_open
from incidents.dashboards.question import Period, Question
from incidents.dashboards.waits import shares_in_time
from incidents.named import named
from incidents.querysets import OPERATIONAL_ONLY
from incidents.tallies import local_day

ALARMS = 3
SERIOUS = (Severity.CRITICAL.value, Severity.HIGH.value)
#: Figures over a week's cases, and how things stood yesterday, change slowly and cost more: they may be this old.
SLOW_SECONDS = 120
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)


@dataclass(frozen=True)
class Tile:
    """A key figure. `note` compares it; `cases` is the query string that lists exactly what it counts."""

    name: str
    title: str
    value: int | None
    aside: str
    note: str
    definition: str
    cases: str | None
    shape: str = ""
    is_percent: bool = False


def one(name: str, question: Question) -> Any:
    """The value of a measure."""
    return measures.answer(name, question).value


def tiles(question: Question, severities: dict[str, int]) -> list[Tile]:
    """The six figures, in the order of the page."""
    asked = question.asked
    opened = sum(severities.values())
    critical, high = severities.get(Severity.CRITICAL, 0), severities.get(Severity.HIGH, 0)
    late, oldest = question.remembered("late since", lambda: measures.late_since(question))
    today = one("new_today", question)
    then = _yesterday(question)
    moved = one("reached_psc", question.over(Period.last_days(1, question.now)))
    return [
        _tile("open", _("Open"), opened, "", _than_yesterday(opened, then["open"]), question),
        Tile(
            "serious",
            _("Critical or high"),
            critical + high,
            _("%(n)d critical") % {"n": critical},
            _than_yesterday(critical + high, then["serious"]),
            _("Open cases whose severity is critical or high now."),
            listing(asked, state=("open",), severity=SERIOUS),
            "critical",
        ),
        _tile(
            "late",
            _("Late"),
            late,
            _("of %(n)d") % {"n": opened},
            " · ".join(filter(None, (_since(oldest, question.now), _than_yesterday(late, then["late"])))),
            question,
        ),
        _tile(
            "with_psc",
            _("With the PSC"),
            one("with_psc", question),
            "",
            _("%(n)d moved there today") % {"n": moved},
            question,
        ),
        Tile(
            "new_today",
            _("New today"),
            today,
            "",
            _than_yesterday(today, then["new"]),
            str(measures.MEASURES["new_today"].definition),
            listing_since(asked, local_day(question.now)),
        ),
        _in_time(question),
    ]


def _tile(name: str, title: str, value: int, aside: str, note: str, question: Question) -> Tile:
    definition = str(measures.MEASURES[name].definition)
    return Tile(name, title, value, aside, note, definition, listing_of(name, question.asked))


def _in_time(question: Question) -> Tile:
    """The share acknowledged in time over seven days, beside the seven days before."""
    shares = question.remembered(
        "within target",
        lambda: shares_in_time(question, question.span, _week_before(question)),
        seconds=SLOW_SECONDS,
    )
    share, before = (None if value is None else round(value) for value in shares)
    if share is None:
        note = _("too few cases to say, last 7 days")
    elif before is None:
        note = _("of the last 7 days")
    else:
        note = _("last 7 days; %(n)d %% the week before") % {"n": before}
    definition = str(measures.MEASURES["within_target"].definition)
    return Tile("within_target", _("Acknowledged in time"), share, "", note, definition, None, is_percent=True)


def _week_before(question: Question) -> Period:
    return Period(question.span.start - WEEK, question.span.start)


# ---- The same moment yesterday ----


def _yesterday(question: Question) -> dict[str, int | None]:
    """The same figures 24 hours ago, of the cases that match the filters now; None where a filter of state is in force.

    A list narrowed to a state of now says nothing of how many were in it yesterday.
    """
    if question.asked.state:
        return dict.fromkeys(("open", "serious", "late", "new"))
    return question.remembered("yesterday", lambda: _as_it_stood(question), seconds=SLOW_SECONDS)


def _as_it_stood(question: Question) -> dict[str, int | None]:
    moment = question.now - DAY
    midnight = Period.last_days(1, moment).start
    severities: Counter[tuple[Any, ...]] = Counter()
    was = was_open(moment)
    for part in open_parts_at(question.cases(), moment, was):
        severities += values_at(part, ("severity",), moment)
    return {
        "open": sum(severities.values()),
        "serious": sum(n for (severity,), n in severities.items() if severity in SERIOUS),
        "late": late_at(question.cases(), moment, was).count(),
        "new": question.cases().filter(reported_at__gte=midnight, reported_at__lt=moment).count(),
    }


def _than_yesterday(value: int, before: int | None) -> str:
    if before is None:
        return ""
    if value > before:
        return _("%(n)d more than yesterday at this time") % {"n": value - before}
    if value < before:
        return _("%(n)d fewer than yesterday at this time") % {"n": before - value}
    return _("as many as yesterday at this time")


def _since(first: dt.datetime | None, now: dt.datetime) -> str:
    return _("oldest since %(day)s") % {"day": _moment(first, now)} if first else ""


def _moment(value: dt.datetime, now: dt.datetime) -> str:
    here, today = timezone.localtime(value), timezone.localtime(now)
    return date_format(here, "TIME_FORMAT" if here.date() == today.date() else "MONTH_DAY_FORMAT")


# ---- What happens now ----


def alarms(question: Question, severities: dict[str, int]) -> dict[str, Any]:
    """Open critical, then high cases, the soonest deadline first; the rest as a number."""
    keys: list[UUID] = []
    for severity in (Severity.CRITICAL, Severity.HIGH):
        if len(keys) < ALARMS and severities.get(severity):
            found = question.cases().open().filter(severity=severity).order_by("next_due_at", "id")
            keys += found.values_list("pk", flat=True)[: ALARMS - len(keys)]
    shown = named(keys)
    total = severities.get(Severity.CRITICAL, 0) + severities.get(Severity.HIGH, 0)
    detailed = not any(p.role in OPERATIONAL_ONLY for p in question.user.current_postings)
    return {
        "cases": [(case, (case.title if detailed else "") or case.category.name) for case in shown],
        "more": max(total - len(shown), 0),
        "all": listing(question.asked, state=("open",), severity=SERIOUS),
    }
