"""Every number, once: its name, what it counts in one sentence, its unit, and the one query that answers it.

Pages, API and reports ask here, so a number on the screen, in an answer and on paper is one number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Count, F, Min, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commands.choices import BodyKind, Role
from commands.models import User
from incidents.choices import OPEN, Classification, ClockKind, Severity, State, Verification
from incidents.dashboards.conduct import SEALED_ROLES, sealed_cases
from incidents.dashboards.past import late_at, open_at, values_at
from incidents.dashboards.question import Period, Question
from incidents.dashboards.waits import Spans, minutes_between, shares_in_time
from incidents.filters import CaseFilter
from incidents.models import Clock, ClockState, Escalation, EscalationKind
from incidents.querysets import IncidentQuerySet, unit_codes
from incidents.tallies import NOT_COUNTED

Value = int | float | None
CASES, PERCENT, MINUTES, PEOPLE = "cases", "percent", "minutes", "people"
NOW, PERIOD = "now", "period"
_MOVES_UP = (EscalationKind.OWNER_MOVED, EscalationKind.MANUAL)


@dataclass(frozen=True)
class Measure:
    """One number. `timing` says whether it is of a moment or of a period; `cases` are the filters that list it."""

    name: str
    title: str | Promise
    definition: str | Promise
    unit: str
    timing: str
    query: Callable[[Question], Value]
    #: Filter values that list exactly the cases counted, or None where no list does.
    cases: dict[str, Any] | None = None
    roles: tuple[Role, ...] = ()

    def is_for(self, user: User) -> bool:
        return not self.roles or user.has_role(*self.roles)


@dataclass(frozen=True)
class Answer:
    """A measure's value, with everything that must stand beside it."""

    measure: Measure
    value: Value
    as_of: dt.datetime
    period: Period | None


def answer(name: str, question: Question) -> Answer:
    """The answer to `question`; KeyError where there is no such measure, or none for this person."""
    measure = MEASURES[name]
    if not measure.is_for(question.user):
        raise KeyError(name)
    # A number of some roles only may depend on the body its reader belongs to, beyond the places they see.
    bodies = sorted(unit_codes(question.user.current_postings)) if measure.roles else ""
    value = question.remembered(f"measure {name} {bodies}", lambda: [measure.query(question)])[0]
    return Answer(measure, value, question.now, question.span if measure.timing == PERIOD else None)


def measures_for(user: User) -> list[Measure]:
    return [m for m in MEASURES.values() if m.is_for(user)]


# ---- Now ----


def standing(question: Question, **where: Any) -> int:
    """Cases that stand so now, from the tallies where they can tell."""
    cells = question.here()
    if cells is not None:
        return int(cells.filter(**where).aggregate(n=Sum("count"))["n"] or 0)
    return question.cases().filter(**where).count()


def open_now(question: Question) -> int:
    return standing(question, state__in=OPEN)


def open_critical(question: Question) -> int:
    return standing(question, state__in=OPEN, severity=Severity.CRITICAL)


def open_high(question: Question) -> int:
    return standing(question, state__in=OPEN, severity=Severity.HIGH)


def to_classify(question: Question) -> int:
    return standing(question, state__in=OPEN, classification="undetermined")


def late(question: Question) -> int:
    return late_since(question)[0]


def late_since(question: Question) -> tuple[int, dt.datetime | None]:
    """How many cases are late, and since when the oldest is."""
    row = question.cases().overdue(question.now).aggregate(n=Count("*"), first=Min("next_due_at"))
    return row["n"], row["first"]


def with_psc(question: Question) -> int:
    return question.cases().open().filter(owner__kind=BodyKind.PSC).count()


def new_today(question: Question) -> int:
    return reported(question.over(Period.last_days(1, question.now)))


# ---- In a period ----


#: The counter of the days that is the measure.
COUNTERS = {
    "reported": "reports", "incidents": "count", "confirmed": "confirmed", "duplicates": "duplicates",
    "late_entries": "late_entries", "undetermined": "undetermined",
}  # fmt: skip


def _of_days(question: Question, name: str, cases: Callable[[], IncidentQuerySet]) -> int:
    """A counter of the days of the period, or the cases counted where the days cannot tell."""
    days = question.days()
    if days is not None:
        return int(days.aggregate(n=Sum(COUNTERS[name]))["n"] or 0)
    return cases().count()


def of_period(question: Question, *names: str) -> dict[str, int]:
    """Several measures of the period at once: from the days they are one reading."""
    days = question.days()
    if days is None:
        return {name: cast(int, MEASURES[name].query(question)) for name in names}
    found = days.aggregate(**{name: Sum(COUNTERS[name]) for name in names})
    return {name: found[name] or 0 for name in names}


def _incidents(question: Question) -> IncidentQuerySet:
    return question.reported().exclude(state__in=NOT_COUNTED)


def reported(question: Question) -> int:
    return _of_days(question, "reported", question.reported)


def incidents(question: Question) -> int:
    return _of_days(question, "incidents", lambda: _incidents(question))


def confirmed(question: Question) -> int:
    return _of_days(question, "confirmed", lambda: _incidents(question).filter(verification=Verification.VERIFIED))


def refuted(question: Question) -> int:
    return question.reported().filter(verification=Verification.REFUTED).count()


def duplicates(question: Question) -> int:
    return _of_days(question, "duplicates", lambda: question.reported().filter(state=State.MERGED))


def late_entries(question: Question) -> int:
    after_a_day = F("occurred_at") + dt.timedelta(hours=24)
    return _of_days(question, "late_entries", lambda: question.reported().filter(reported_at__gt=after_a_day))


def undetermined(question: Question) -> int:
    return _of_days(
        question, "undetermined", lambda: _incidents(question).filter(classification=Classification.UNDETERMINED)
    )


def _escalations(question: Question) -> Any:
    return Escalation.objects.filter(
        kind__in=_MOVES_UP,
        fired_at__gte=question.span.start,
        fired_at__lt=question.span.end,
        incident__in=question.cases(),
    )


def escalated(question: Question) -> int:
    return int(_escalations(question).values("incident").distinct().count())


def reached_psc(question: Question) -> int:
    found = _escalations(question).filter(to_command__kind=BodyKind.PSC)
    return int(found.values("incident").distinct().count())


def _end(question: Question) -> dt.datetime:
    return min(question.span.end, question.now)


def open_at_end(question: Question) -> int:
    return open_at(question.cases(), _end(question)).count()


def late_at_end(question: Question) -> int:
    if question.span.end >= question.now:
        return late(question)
    return late_at(question.cases(), _end(question)).count()


_KNOWN = ("state", "verification", "classification", "killed", "injured")


def _known_at_end(question: Question) -> list[tuple[dict[str, Any], int]]:
    """The incidents of the period as they stood when it ended: values of `_KNOWN`, and how many had them."""
    found = question.remembered("known at end", lambda: values_at(question.reported(), _KNOWN, _end(question)))
    rows = [(dict(zip(_KNOWN, values, strict=True)), n) for values, n in found.items()]
    return [(known, n) for known, n in rows if known["state"] not in NOT_COUNTED]


def incidents_at_end(question: Question) -> int:
    return sum(n for _known, n in _known_at_end(question))


def confirmed_at_end(question: Question) -> int:
    return sum(n for known, n in _known_at_end(question) if known["verification"] == Verification.VERIFIED)


def electoral_at_end(question: Question) -> int:
    return sum(n for known, n in _known_at_end(question) if known["classification"] == Classification.ELECTORAL)


def undetermined_at_end(question: Question) -> int:
    return sum(n for known, n in _known_at_end(question) if known["classification"] == Classification.UNDETERMINED)


def killed_at_end(question: Question) -> int:
    return sum(n * int(known["killed"]) for known, n in _known_at_end(question))


def injured_at_end(question: Question) -> int:
    return sum(n * int(known["injured"]) for known, n in _known_at_end(question))


def within_target(question: Question) -> float | None:
    return shares_in_time(question, question.span)[0]


def _acknowledged(question: Question) -> Spans:
    return minutes_between(_incidents(question), "reported_at", "acknowledged_at")


def acknowledge_median(question: Question) -> float | None:
    spans = _acknowledged(question)
    return spans.median if spans.count else None


def acknowledge_p90(question: Question) -> float | None:
    spans = _acknowledged(question)
    return spans.p90 if spans.count else None


def contain_median(question: Question) -> float | None:
    spans = minutes_between(_incidents(question), "reported_at", "contained_at")
    return spans.median if spans.count else None


def contain_p90(question: Question) -> float | None:
    spans = minutes_between(_incidents(question), "reported_at", "contained_at")
    return spans.p90 if spans.count else None


def contain_paused(question: Question) -> float | None:
    """Minutes all contained incidents of the period stood paused before they were contained; None where none was."""
    contained = _incidents(question).filter(contained_at__isnull=False)
    stood = Clock.objects.filter(incident__in=contained, kind=ClockKind.CONTAIN).exclude(state=ClockState.CANCELLED)
    seconds = stood.aggregate(seconds=Sum("paused_seconds"))["seconds"]
    return None if seconds is None else round(seconds / 60, 1)


def sealed(question: Question) -> int | None:
    """One number for the country, of the period; None where narrowed."""
    found = sealed_cases(question)
    return None if found is None else found.count()


_ALL: tuple[Measure, ...] = (
    Measure(
        "open", _("Open"), _("Cases reported and neither resolved nor ended otherwise."), CASES, NOW, open_now,
        {"state": ("open",)},
    ),
    Measure(
        "open_critical", _("Open, critical"), _("Open cases whose severity is critical now."), CASES, NOW,
        open_critical, {"state": ("open",), "severity": ("critical",)},
    ),
    Measure(
        "open_high", _("Open, high"), _("Open cases whose severity is high now."), CASES, NOW, open_high,
        {"state": ("open",), "severity": ("high",)},
    ),
    Measure(
        "late", _("Late"), _("Open cases whose next deadline has passed."), CASES, NOW, late,
        {"state": ("late",)},
    ),
    Measure(
        "with_psc", _("With the PSC"), _("Open cases that the Permanent Security Command owns now."), CASES, NOW,
        with_psc, {"state": ("open",), "owner": "PSC"},
    ),
    Measure(
        "to_classify", _("Not classified"), _("Open cases that NEC has not classified yet."), CASES, NOW, to_classify,
        {"state": ("open",), "classification": "undetermined"},
    ),
    Measure(
        "new_today", _("New today"), _("Reports received since midnight, duplicates included."), CASES, NOW, new_today,
    ),
    Measure(
        "reported", _("Reports received"),
        _("Every report received in the period, duplicates and those found not to be incidents included."),
        CASES, PERIOD, reported,
    ),
    Measure(
        "incidents", _("Incidents"),
        _("Reports of the period without duplicates, withdrawn ones and those found not to be incidents."),
        CASES, PERIOD, incidents,
    ),
    Measure(
        "confirmed", _("Confirmed incidents"), _("Incidents of the period that are verified now."), CASES, PERIOD,
        confirmed,
    ),
    Measure(
        "refuted", _("Refuted reports"), _("Reports of the period that were found untrue."), CASES, PERIOD, refuted,
    ),
    Measure(
        "duplicates", _("Joined as duplicates"), _("Reports of the period that were joined to another case."), CASES,
        PERIOD, duplicates,
    ),
    Measure(
        "late_entries", _("Entered late"), _("Reports of the period entered more than 24 hours after the event."),
        CASES, PERIOD, late_entries,
    ),
    Measure(
        "undetermined", _("Not classified by NEC"), _("Incidents of the period that NEC has not classified yet."),
        CASES, PERIOD, undetermined,
    ),
    Measure(
        "escalated", _("Escalated"), _("Cases that moved up the chain of command in the period, each counted once."),
        CASES, PERIOD, escalated,
    ),
    Measure(
        "reached_psc", _("Escalated to the PSC"),
        _("Cases that moved up to the Permanent Security Command in the period, each counted once."),
        CASES, PERIOD, reached_psc,
    ),
    Measure(
        "open_at_end", _("Open at the end"), _("Cases that were open when the period ended."), CASES, PERIOD,
        open_at_end,
    ),
    Measure(
        "late_at_end", _("Late at the end"), _("Cases that were open and past a deadline when the period ended."),
        CASES, PERIOD, late_at_end,
    ),
    Measure(
        "incidents_at_end", _("Incidents at the end"),
        _("Reports of the period that, when it ended, were not joined to another case, withdrawn or found not to be an"
          " incident."),
        CASES, PERIOD, incidents_at_end,
    ),
    Measure(
        "confirmed_at_end", _("Confirmed at the end"), _("Incidents of the period that were verified when it ended."),
        CASES, PERIOD, confirmed_at_end,
    ),
    Measure(
        "electoral_at_end", _("Electoral at the end"),
        _("Incidents of the period that NEC had classified as electoral when it ended."), CASES, PERIOD,
        electoral_at_end,
    ),
    Measure(
        "undetermined_at_end", _("Not classified at the end"),
        _("Incidents of the period that NEC had not classified when it ended."), CASES, PERIOD, undetermined_at_end,
    ),
    Measure(
        "killed_at_end", _("Killed"), _("People killed in the incidents of the period, as known when it ended."),
        PEOPLE, PERIOD, killed_at_end,
    ),
    Measure(
        "injured_at_end", _("Injured"), _("People injured in the incidents of the period, as known when it ended."),
        PEOPLE, PERIOD, injured_at_end,
    ),
    Measure(
        "within_target", _("Acknowledged in time"),
        _("Share of the incidents of the period acknowledged within their target, of those whose time is over or used."
          " Not given for fewer than 20."),
        PERCENT, PERIOD, within_target,
    ),
    Measure(
        "acknowledge_median", _("Half acknowledged within"),
        _("Minutes from report to acknowledgement: half of the acknowledged incidents of the period needed no more."),
        MINUTES, PERIOD, acknowledge_median,
    ),
    Measure(
        "acknowledge_p90", _("Nine of ten acknowledged within"),
        _("Minutes from report to acknowledgement: nine of ten acknowledged incidents of the period needed no more."),
        MINUTES, PERIOD, acknowledge_p90,
    ),
    Measure(
        "contain_median", _("Half contained within"),
        _("Minutes from report to containment, paused time included: half of the contained incidents of the period"
          " needed no more."),
        MINUTES, PERIOD, contain_median,
    ),
    Measure(
        "contain_p90", _("Nine of ten contained within"),
        _("Minutes from report to containment, paused time included: nine of ten contained incidents of the period"
          " needed no more."),
        MINUTES, PERIOD, contain_p90,
    ),
    Measure(
        "contain_paused", _("Of which paused"),
        _("Minutes for which the deadlines of the contained incidents of the period stood paused before they were"
          " contained, all together."),
        MINUTES, PERIOD, contain_paused,
    ),
    Measure(
        "sealed", _("Sealed cases"),
        _("Reports of the period about the conduct of a unit, sealed from it; one number for the whole country."
          " Counted up to the last midnight; those about your own body are not counted here, and it is not given to who"
          " serves in the chain of command."),
        CASES, PERIOD, sealed, roles=SEALED_ROLES,
    ),
)  # fmt: skip
MEASURES: dict[str, Measure] = {m.name: m for m in _ALL}


def cases_filter(name: str, asked: CaseFilter) -> str | None:
    """The query string that lists exactly the cases a measure counts under the filters `asked`."""
    cases = MEASURES[name].cases
    return None if cases is None else asked.query_string(**cases)
