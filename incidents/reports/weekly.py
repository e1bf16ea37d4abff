"""What the weekly summary says, as values with their names: no layout, no file format, no number of its own.

Every number is asked of `dashboards.measures` and `dashboards.breakdowns`, as of the cut-off of the week.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from django.db.models import Q
from django.utils.translation import gettext as _

from commands.authority import judge_file, may_file
from commands.models import Posting, User
from elections.choices import Level
from elections.models import Election, Jurisdiction
from incidents.choices import Severity
from incidents.dashboards.breakdowns import InPlaceOver, by_category_and_severity, over_by_place
from incidents.dashboards.measures import MEASURES, Measure, Value, answer
from incidents.dashboards.question import DISTRICT, PROVINCE, Period, Question
from incidents.models import Category
from incidents.querysets import whole_places
from incidents.reports import sections
from incidents.reports.asked import Asked
from incidents.reports.figures import Figure
from incidents.reports.sections import Sections
from incidents.reports.week import Week

#: The measures of the scorecard, in order.
TOTALS = (
    "reported", "incidents_at_end", "confirmed_at_end", "electoral_at_end", "undetermined_at_end", "killed_at_end",
    "injured_at_end", "open_at_end", "late_at_end", "escalated", "reached_psc", "sealed",
)  # fmt: skip
#: The measures of each place; the names are those of `InPlaceOver`.
IN_PLACE = ("reported", "open_at_end", "late_at_end", "escalated")
#: How long the numbers of a past period are remembered, in seconds.
OVER_SECONDS = 120
SEVERITIES = tuple(Severity)
RATED = tuple(s for s in SEVERITIES if s != Severity.UNRATED)


@dataclass(frozen=True)
class Total:
    measure: Measure
    figure: Figure


@dataclass(frozen=True)
class Kind:
    """Reports of one category, or of a whole group of categories, or of all."""

    code: str
    name: str
    severities: dict[Severity, int]
    figure: Figure
    categories: list[Kind] = field(default_factory=list)
    #: The levels a table shows, in order: "not rated" only where something of the week is.
    shown: tuple[Severity, ...] = RATED

    @property
    def counts(self) -> list[int]:
        """Reports by the levels shown."""
        return [self.severities[level] for level in self.shown]


@dataclass(frozen=True)
class Place:
    """What the week left in one province or district."""

    pcode: str
    name: str
    figures: dict[str, Figure]
    districts: list[Place] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        return all(figure.is_nothing for figure in self.figures.values())


@dataclass(frozen=True)
class Weekly:
    """The whole summary. `counted` ends at the cut-off; `compared` is what the change is against."""

    election: Election
    week: Week
    counted: Period
    compared: Period
    is_running: bool
    made_at: dt.datetime
    posting: Posting
    scope: str
    totals: list[Total]
    groups: list[Kind]
    all_kinds: Kind
    provinces: list[Place]
    sections: Sections

    @property
    def cut_off(self) -> dt.datetime:
        return self.counted.end

    @property
    def is_empty(self) -> bool:
        return all(total.figure.is_nothing for total in self.totals) and self.sections.is_nothing

    @property
    def severities(self) -> tuple[Severity, ...]:
        return self.all_kinds.shown


def is_for(user: User) -> bool:
    """Whether one of the person's postings has the weekly summary."""
    return may_file("weekly", user.current_postings)


@dataclass(frozen=True)
class _Numbers:
    """What was counted of one period, before it has names."""

    totals: dict[str, Value]
    kinds: Counter[tuple[str, str]]
    places: dict[str, InPlaceOver]
    read: sections.Read


def form_of(kind: Any) -> str:
    """The names of all fields of a dataclass and of those within it: what was remembered in another form is not read.

    A server that is updated finds what the version before it remembered.
    """
    parts, within = [], get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        parts = [f"{kind.__name__}({','.join(f.name for f in fields(kind))})"]
        within = tuple(get_type_hints(kind).values())
    return " ".join([*parts, *filter(None, map(form_of, within))])


_FORM = form_of(_Numbers)


def build(asked: Asked) -> Weekly:
    """The summary of a week; names in the active language. PermissionDenied where `is_for` is not."""
    question = asked.question
    before = question.over(asked.week.compared(asked.now))
    is_running = asked.week.is_running(asked.now)
    now, then = _numbers(question, is_over=not is_running), _numbers(before, is_over=True)
    groups = _kinds(now.kinds, then.kinds)
    return Weekly(
        election=asked.election,
        week=asked.week,
        counted=question.span,
        compared=before.span,
        is_running=is_running,
        made_at=asked.now,
        posting=judge_file("weekly", asked.user.current_postings),
        scope=scope_of(asked.user),
        totals=[
            Total(MEASURES[name], Figure(_value(name, question, now), _value(name, before, then)))
            for name in TOTALS
            if MEASURES[name].is_for(asked.user)
        ],
        groups=groups,
        all_kinds=_together("", _("All categories"), groups),
        provinces=_places(question, now.places, then.places),
        sections=sections.build(question, before, now.read, then.read),
    )


def _numbers(question: Question, *, is_over: bool) -> _Numbers:
    """Counted once for the page and the files that are taken from it: a week that is over hardly changes any more."""

    def count() -> _Numbers:
        totals = {name: answer(name, question).value for name in TOTALS if not MEASURES[name].roles}
        kinds, places = by_category_and_severity(question), over_by_place(question, DISTRICT)
        return _Numbers(totals, kinds, places, sections.read(question))

    return question.remembered(f"week {_FORM}", count, seconds=OVER_SECONDS if is_over else 0)


def _value(name: str, question: Question, numbers: _Numbers) -> Value:
    """A measure that is for some roles only is asked for each person: what is remembered is shared by place."""
    return numbers.totals[name] if name in numbers.totals else answer(name, question).value


def scope_of(user: User) -> str:
    """In words, the places whose cases are counted for this person."""
    places = whole_places(user)
    if places is None:
        return _("the cases open to you")
    if "" in places:
        return _("the whole country")
    return ", ".join(place.full_name for place in Jurisdiction.objects.filter(pk__in=places).order_by("pk"))


# ---- Category by severity ----


def _kinds(now: Counter[tuple[str, str]], before: Counter[tuple[str, str]]) -> list[Kind]:
    """Groups with their categories that had a report in either period, in the order of the codes."""
    codes = {code for code, _severity in (*now, *before)}
    unrated = any(n for (_code, level), n in now.items() if level == Severity.UNRATED)
    shown = SEVERITIES if unrated else RATED
    groups: dict[str, list[Kind]] = {}
    names: dict[str, str] = {}
    for category in Category.objects.filter(pk__in=codes):
        severities = {s: now[category.code, s] for s in SEVERITIES}
        earlier = sum(before[category.code, s] for s in SEVERITIES)
        kind = Kind(category.code, category.name, severities, Figure(sum(severities.values()), earlier), [], shown)
        groups.setdefault(category.group_code, []).append(kind)
        names[category.group_code] = category.group
    return [_together(code, names[code], kinds, keep=True) for code, kinds in groups.items()]


def _together(code: str, name: str, kinds: list[Kind], *, keep: bool = False) -> Kind:
    severities = {s: sum(kind.severities[s] for kind in kinds) for s in SEVERITIES}
    shown = kinds[0].shown if kinds else RATED
    return Kind(code, name, severities, _sum(kind.figure for kind in kinds), kinds if keep else [], shown)


def _sum(figures: Iterable[Figure]) -> Figure:
    rows = list(figures)
    return Figure(sum(f.value or 0 for f in rows), sum(f.before or 0 for f in rows))


# ---- Places ----


def _places(question: Question, now: dict[str, InPlaceOver], before: dict[str, InPlaceOver]) -> list[Place]:
    """Every province and district in view with its figures, zeros too: a province that is silent is news.

    By the place each case is known to have happened at now. A province is the sum of its districts.
    """
    nothing = InPlaceOver()
    found: dict[str, list[Place]] = {}
    names = _names(question, {*now, *before})
    for code in sorted(c for c in names if len(c) > PROVINCE):
        here, earlier = now.get(code, nothing), before.get(code, nothing)
        figures = {name: Figure(getattr(here, name), getattr(earlier, name)) for name in IN_PLACE}
        found.setdefault(code[:PROVINCE], []).append(Place(code, names[code], figures))
    return [
        Place(code, names.get(code, code), {n: _sum(d.figures[n] for d in districts) for n in IN_PLACE}, districts)
        for code, districts in found.items()
    ]


def _names(question: Question, seen: set[str]) -> dict[str, str]:
    """Names by P-code of the districts in view that exist now or are in `seen`, and of their provinces."""
    wanted = Q(pk__in=seen)
    for place in question.places or ():
        wanted |= Q(pk__startswith=place[:DISTRICT], valid_to=None)
    areas = Jurisdiction.objects.filter(level__in=[Level.PROVINCE, Level.DISTRICT])
    districts = {a.pk: a.name for a in areas.filter(wanted) if len(a.pk) == DISTRICT}
    missing = {code: code for code in seen if code not in districts}
    provinces = areas.filter(pk__in={code[:PROVINCE] for code in (*districts, *missing)})
    return missing | districts | {p.pk: p.name for p in provinces}
