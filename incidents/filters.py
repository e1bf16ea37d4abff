"""The one set of filters: list, map, dashboards, API and exports read the same parameters into the same object.

A parameter or value that is not known is refused by name, never ignored: a list that quietly shows more than was
asked for is read as if it were what was asked for. Scope is not decided here: `apply` narrows a queryset that is
scoped already.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.http import QueryDict
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from commands.models import SecurityCommand
from elections.choices import Phase
from elections.khmer import search_key
from elections.models import Election, Jurisdiction
from incidents.choices import OPEN, Classification, Severity, State, Verification
from incidents.models import Category, Incident
from incidents.querysets import NOTHING, OPERATIONAL_ONLY, IncidentQuerySet, place_under

if TYPE_CHECKING:
    from commands.models import User

TEXT_LIMIT = 200
#: Groups of states beside the states themselves.
OPEN_GROUP, LATE, ENDED, ALL = "open", "late", "ended", "all"
STATE_GROUPS = (OPEN_GROUP, LATE, ENDED, ALL)
MINE_REPORTED, MINE_ASSIGNED, MINE_COMMAND = "reported", "assigned", "command"
MINE = (MINE_REPORTED, MINE_ASSIGNED, MINE_COMMAND)

_REFERENCE = re.compile(r"^[A-Z0-9]{2,12}-[A-Z0-9]{1,4}-\d{1,9}$")
_NUMBER = re.compile(r"^\d{1,9}$")
#: Characters that no eye sees and that break a search: zero-width spaces, joiners, direction marks, soft hyphens.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

#: Parameters that may be given more than once.
_MANY = ("severity", "state", "category")
_DATES = ("occurred_from", "occurred_to", "reported_from", "reported_to")


@dataclass(frozen=True)
class Chip:
    """One filter in force, for the eye: what it is called, its value, and the query string without it."""

    parameter: str
    label: str
    value: str
    without: str


@dataclass(frozen=True)
class CaseFilter:
    """What is asked for. Empty values ask for nothing; dates are local days, both ends included."""

    election: str = ""
    phase: str = ""
    place: str = ""
    #: Category codes (CRM-01) and group codes (CRM), together.
    category: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    #: States, or one of the groups open, late, ended, all.
    state: tuple[str, ...] = ()
    owner: str = ""
    classification: str = ""
    verification: str = ""
    occurred_from: dt.date | None = None
    occurred_to: dt.date | None = None
    reported_from: dt.date | None = None
    reported_to: dt.date | None = None
    q: str = ""
    #: Reported by me, assigned to me, or owned by a command I am posted at.
    mine: str = ""

    # ---- Reading ----

    @classmethod
    def from_query(cls, query: QueryDict | Mapping[str, Any], *, also: Iterable[str] = ()) -> CaseFilter:
        """Read query parameters; `also` names those that belong to the page and are not filters.

        Raises ValidationError with one message for each unknown or repeated parameter and each unknown value, under the
        parameter's own name. An empty value asks for nothing, as an untouched field of a form sends it.
        """
        errors: dict[str, str] = {}
        given = {name: values for name, values in _lists(query) if name not in set(also) and any(values)}
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, texts in given.items():
            if name not in known:
                errors[name] = _("There is no filter called «%(name)s».") % {"name": name[:60]}
            elif name not in _MANY and len(texts) > 1:
                errors[name] = _("The filter «%(name)s» may be given once only.") % {"name": name}
            else:
                try:
                    values[name] = _read(name, texts)
                except ValidationError as error:
                    errors[name] = " ".join(error.messages)
        made = cls(**values)
        for start, end in (("occurred_from", "occurred_to"), ("reported_from", "reported_to")):
            first, last = getattr(made, start), getattr(made, end)
            if first and last and last < first:
                errors[end] = _("The last day is before the first.")
        if errors:
            raise ValidationError(errors)
        return made

    # ---- Narrowing ----

    def apply(self, queryset: IncidentQuerySet, user: User, now: dt.datetime) -> IncidentQuerySet:
        """Narrow `queryset`, which must be scoped to `user` already, to what is asked for at `now`."""
        where = Q()
        if self.election:
            where &= Q(election__code=self.election)
        for name in ("phase", "classification", "verification"):
            if value := getattr(self, name):
                where &= Q(**{name: value})
        if self.place:
            where &= place_under(self.place)
        if self.category:
            where &= Q(category__in=self.category) | Q(category__group_code__in=self.category)
        if self.severity:
            where &= Q(severity__in=self.severity)
        if self.owner:
            where &= Q(owner__code=self.owner)
        where &= self._state(now) & self._days() & self._mine(user) & self._text(user)
        return queryset.filter(where)

    def _state(self, now: dt.datetime) -> Q:
        where = NOTHING
        for state in self.state:
            match state:
                case "all":
                    return Q()
                case "open":
                    where |= Q(state__in=OPEN)
                case "late":
                    where |= Q(state__in=OPEN, next_due_at__lt=now)
                case "ended":
                    where |= ~Q(state__in=OPEN)
                case _:
                    where |= Q(state=state)
        return where if self.state else Q()

    def _days(self) -> Q:
        where = Q()
        for name in ("occurred", "reported"):
            if first := getattr(self, f"{name}_from"):
                where &= Q(**{f"{name}_at__gte": _midnight(first)})
            if last := getattr(self, f"{name}_to"):
                where &= Q(**{f"{name}_at__lt": _midnight(last + dt.timedelta(days=1))})
        return where

    def _mine(self, user: User) -> Q:
        match self.mine:
            case "reported":
                return Q(reporter=user)
            case "assigned":
                return Q(assignee=user)
            case "command":
                return Q(owner__in=[p.command_id for p in user.current_postings])
            case _:
                return Q()

    def _text(self, user: User) -> Q:
        """By reference, its number alone, or words of the title and narrative where this person may read them."""
        text = _UNSEEN.sub("", self.q).strip()
        if not text:
            return Q()
        if _REFERENCE.match(text.upper()):
            return Q(reference=text.upper())
        words = search_key(text).split()
        readable = Q()
        for word in words:
            readable &= Q(search_key__contains=word)
        readable = readable & _may_read(user) if words else NOTHING
        if _NUMBER.match(text):
            return readable | Q(reference__endswith=f"-{int(text):06d}")
        return readable

    # ---- Writing ----

    def with_default_state(self, state: str) -> CaseFilter:
        """The same filter, `state` standing in where none is asked for (a queue is of open cases)."""
        return self if self.state else replace(self, state=(state,))

    @property
    def is_open_only(self) -> bool:
        """Whether every case asked for is open, and so has a deadline to sort by."""
        return bool(self.state) and all(s in (OPEN_GROUP, LATE, *OPEN) for s in self.state)

    def query_string(self, **changes: Any) -> str:
        """The filter as a query string in one fixed order, with `changes`; None or "" takes a parameter out.

        Names that are no filter (a page's own `after`) are appended.
        """
        pairs: list[tuple[str, str]] = []
        values = {name: getattr(self, name) for name in _NAMES} | changes
        for name, value in values.items():
            if not value:
                continue
            for one in value if isinstance(value, (tuple, list)) else (value,):
                text = one.isoformat() if isinstance(one, dt.date) else str(one or "")
                if text:
                    pairs.append((name, text))
        return urlencode(pairs)

    def active(self, *, leave_out: Iterable[str] = ()) -> list[Chip]:
        """The filters in force as chips, in the order of the panel; names cost at most one query a filter."""
        chips = []
        for field in fields(self):
            value = getattr(self, field.name)
            if not value or field.name in leave_out:
                continue
            words = [_words(field.name, v) for v in (value if isinstance(value, tuple) else (value,))]
            chips.append(Chip(field.name, label(field.name), ", ".join(words), self.query_string(**{field.name: ""})))
        return chips


#: The filters, in the order of a query string; a dashboard writes a hundred of them.
_NAMES = tuple(f.name for f in fields(CaseFilter))


def label(name: str) -> str:
    """What a filter is called on the pages."""
    return {
        "election": _("Election"),
        "phase": _("Phase"),
        "place": _("Place"),
        "category": _("Category"),
        "severity": _("Severity"),
        "state": _("State"),
        "owner": _("Owner"),
        "classification": _("What NEC says it is"),
        "verification": _("Is it true"),
        "occurred_from": _("Occurred since"),
        "occurred_to": _("Occurred until"),
        "reported_from": _("Reported since"),
        "reported_to": _("Reported until"),
        "q": _("Words"),
        "mine": _("Mine"),
    }[name]


def state_groups() -> list[tuple[str, str]]:
    return [
        (OPEN_GROUP, _("All open")),
        (LATE, _("Late")),
        (ENDED, _("No longer open")),
        (ALL, _("All")),
    ]


def mine_choices() -> list[tuple[str, str]]:
    return [
        (MINE_COMMAND, _("Owned by my command")),
        (MINE_ASSIGNED, _("Assigned to me")),
        (MINE_REPORTED, _("Reported by me")),
    ]


def state_label(value: str) -> str:
    return dict(state_groups()).get(value) or str(State(value).label)


_CHOICES: dict[str, type[models.TextChoices]] = {
    "phase": Phase,
    "severity": Severity,
    "classification": Classification,
    "verification": Verification,
}


def _lists(query: QueryDict | Mapping[str, Any]) -> Iterable[tuple[str, list[str]]]:
    if isinstance(query, QueryDict):
        return [(name, [str(v) for v in values if str(v).strip()]) for name, values in query.lists()]
    return [(n, [str(x) for x in (v if isinstance(v, (list, tuple)) else [v])]) for n, v in query.items()]


def _read(name: str, texts: list[str]) -> Any:
    """The typed value of one parameter; ValidationError names what is not known."""
    if name in _DATES:
        return _day(texts[0])
    if name == "q":
        return _search_text(texts[0])
    texts = list(dict.fromkeys(texts))
    unknown = [t for t in texts if t not in _known(name, texts)]
    if unknown:
        raise ValidationError(
            _("«%(value)s» is not a value of the filter «%(name)s»."),
            params={"value": "», «".join(u[:60] for u in unknown[:5]), "name": name},
        )
    return tuple(texts) if name in _MANY else texts[0]


def _known(name: str, texts: list[str]) -> set[str]:
    """Which of `texts` are values of the filter `name`; at most one query."""
    # NUL cannot be sent to PostgreSQL, and is in no code.
    texts = [t for t in texts if "\0" not in t]
    match name:
        case "state":
            return {*State.values, *STATE_GROUPS} - {State.DRAFT.value}
        case "mine":
            return set(MINE)
        case "election":
            return set(Election.objects.filter(code__in=texts).values_list("code", flat=True))
        case "place":
            return set(Jurisdiction.objects.filter(pk__in=texts).values_list("pk", flat=True))
        case "owner":
            return set(SecurityCommand.objects.filter(code__in=texts).values_list("code", flat=True))
        case "category":
            rows = Category.objects.values_list("code", "group_code")
            return {code for row in rows for code in row}
        case _:
            return set(_CHOICES[name].values)


def _day(text: str) -> dt.date:
    """A day near enough that the midnights around it exist in every time zone."""
    try:
        day = dt.date.fromisoformat(text)
        if not 1900 < day.year < 2200:
            raise ValueError
        return day
    except ValueError:
        raise ValidationError(
            _("«%(value)s» is not a day. Write it as year-month-day, like 2027-06-03."), params={"value": text[:60]}
        ) from None


def _search_text(text: str) -> str:
    text = text.replace("\0", "").strip()
    if len(text) > TEXT_LIMIT:
        raise ValidationError(
            _("That is too long to search for. At most %(limit)s characters."), params={"limit": TEXT_LIMIT}
        )
    return text


def _words(name: str, value: Any) -> str:
    """A value in words, for a chip."""
    match name:
        case "state":
            return state_label(value)
        case "mine":
            return dict(mine_choices())[value]
        case "election":
            return Election.objects.get(code=value).name
        case "place":
            return Jurisdiction.objects.get(pk=value).full_name
        case "owner":
            return SecurityCommand.objects.get(code=value).name
        case "category":
            found = Category.objects.filter(Q(code=value) | Q(group_code=value)).first()
            return (found.name if found.code == value else found.group) if found else value
        case _ if name in _DATES:
            return formats.date_format(value, "SHORT_DATE_FORMAT")
        case _ if name in _CHOICES:
            return str(_CHOICES[name](value).label)
        case _:
            return f"«{value}»"


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def _may_read(user: User) -> Q:
    """Only rows whose narrative this person may read: else a search would tell what the page does not show.

    Where no posting is limited to operational data, everything visible is readable and the subquery is spared.
    """
    if not any(p.role in OPERATIONAL_ONLY for p in user.current_postings):
        return Q()
    readable = Incident.objects.detailed_to(user)
    return Q(pk__in=readable.values("pk"))
