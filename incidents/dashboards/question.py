"""One question about cases: who asks, at what moment, narrowed how, over which period.

Every number starts at `cases()`, which is `visible_to(user)`. Where all that a person sees is places (a country, a
province, a district) and the filters are ones the tallies know, `here()` and `days()` answer the same from the tallies;
else they are None and the caller counts `cases()`. Both ways give one number (tests/incidents/test_measures.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, TypeVar, cast

from django.core.cache import cache
from django.db.models import Max, Q
from django.db.models.query import QuerySet
from django.utils import timezone

from commands.models import User
from elections.calendar import election_at
from elections.models import Election
from incidents.choices import OPEN, State
from incidents.filters import ALL, ENDED, LATE, OPEN_GROUP, CaseFilter
from incidents.models import Category, DayTally, Entry, Incident, Tally
from incidents.querysets import IncidentQuerySet, whole_places
from incidents.tallies import local_day

T = TypeVar("T")
#: Filters the tallies can answer.
_HERE = {"election", "place", "category", "severity", "state", "classification"}
_DAYS = {"election", "place", "category", "severity", "state", "reported_from", "reported_to"}
DISTRICT, PROVINCE = 6, 4
#: A cached answer holds while nothing was written, and no longer than this: "late" depends on the clock.
FRESH_SECONDS = 20


def midnight(day: dt.date) -> dt.datetime:
    """The local moment a day begins."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=timezone.get_default_timezone())


@dataclass(frozen=True)
class Period:
    """From `start` up to, not including, `end`; aware."""

    start: dt.datetime
    end: dt.datetime

    @classmethod
    def of_days(cls, first: dt.date, last: dt.date) -> Period:
        """Whole local days, both included."""
        return cls(midnight(first), midnight(last + dt.timedelta(days=1)))

    @classmethod
    def last_days(cls, count: int, now: dt.datetime) -> Period:
        """`count` local days, today the last."""
        today = local_day(now)
        return cls.of_days(today - dt.timedelta(days=count - 1), today)

    @property
    def days(self) -> list[dt.date]:
        """The local days touched, in order."""
        first, last = local_day(self.start), local_day(self.end - dt.timedelta(microseconds=1))
        return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]

    @property
    def is_of_whole_days(self) -> bool:
        return self.start == midnight(local_day(self.start)) and self.end == midnight(local_day(self.end))


@dataclass(frozen=True)
class Question:
    user: User
    now: dt.datetime
    asked: CaseFilter = field(default_factory=CaseFilter)
    period: Period | None = None
    #: What was read for one page, shared by every question made from the first: see `once`.
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def over(self, period: Period) -> Question:
        return replace(self, period=period)

    def but(self, **filters: Any) -> Question:
        """The same question with other values of some filters."""
        return replace(self, asked=replace(self.asked, **filters))

    @property
    def span(self) -> Period:
        """The period asked for; seven local days up to today where none is."""
        return self.period or Period.last_days(7, self.now)

    # ---- From the cases ----

    def cases(self) -> IncidentQuerySet:
        """The cases in view and asked for."""
        visible = Incident.objects.visible_to(self.user)
        return self.asked.apply(visible, self.user, self.now).order_by()

    def reported(self) -> IncidentQuerySet:
        """Those of them that were reported in the period."""
        return self.cases().filter(reported_at__gte=self.span.start, reported_at__lt=self.span.end)

    # ---- From the tallies ----

    @cached_property
    def places(self) -> tuple[str, ...] | None:
        """Codes of all that is in view within the place asked for ("" is the country); None where it is not places."""
        whole, asked = self._whole, self.asked.place
        if whole is None:
            return None
        wanted = "" if len(asked) <= 2 else asked
        within = [wanted if wanted.startswith(c) else c for c in whole if wanted.startswith(c) or c.startswith(wanted)]
        return tuple(dict.fromkeys(within))

    @property
    def _whole(self) -> tuple[str, ...] | None:
        return self.once("whole places", lambda: whole_places(self.user))

    def here(self) -> QuerySet[Tally] | None:
        """Tally cells that add up to `cases()`."""
        states = self._states()
        if not self._only(_HERE) or not self._coarse(DISTRICT) or states is None:
            return None
        cells = Tally.objects.filter(self._in_places("district_code", DISTRICT), self._common())
        if self.asked.classification:
            cells = cells.filter(classification=self.asked.classification)
        if self.asked.category:
            wanted = Q(category__in=self.asked.category)
            for group in self.asked.category:
                wanted |= Q(category__group_code=group)
            cells = cells.filter(wanted)
        return cells.filter(state__in=states) if states else cells

    def days(self) -> QuerySet[DayTally] | None:
        """Day cells of the period that add up to `reported()`."""
        groups = all(len(code) == 3 for code in self.asked.category)
        no_state = not self.asked.state or ALL in self.asked.state
        if not (self._only(_DAYS) and self._coarse(PROVINCE) and groups and no_state and self.span.is_of_whole_days):
            return None
        cells = DayTally.objects.filter(self._in_places("province_code", PROVINCE), self._common())
        cells = cells.filter(day__gte=local_day(self.span.start), day__lt=local_day(self.span.end))
        if self.asked.reported_from:
            cells = cells.filter(day__gte=self.asked.reported_from)
        if self.asked.reported_to:
            cells = cells.filter(day__lte=self.asked.reported_to)
        return cells.filter(group_code__in=self.asked.category) if self.asked.category else cells

    def _only(self, known: set[str]) -> bool:
        return all(f.name in known or not getattr(self.asked, f.name) for f in fields(self.asked))

    def _coarse(self, length: int) -> bool:
        return self.places is not None and all(len(code) <= length for code in self.places)

    def _states(self) -> set[str] | None:
        """States asked for, empty for all; None where the tallies cannot tell (late)."""
        asked = self.asked.state
        if LATE in asked:
            return None
        if ALL in asked:
            return set()
        groups = {OPEN_GROUP: set(OPEN), ENDED: {s for s in State if s not in OPEN}}
        return {str(s) for name in asked for s in groups.get(name, {name})}

    def _common(self) -> Q:
        where = Q()
        if self.asked.election:
            where &= Q(election__code=self.asked.election)
        if self.asked.severity:
            where &= Q(severity__in=self.asked.severity)
        return where

    def _in_places(self, column: str, length: int) -> Q:
        """A range for each place: codes of one level are of one length, so a subtree is a range an index serves."""
        if not self.places:
            return Q(pk__in=[])
        where = Q()
        for code in self.places:
            if not code:
                return Q()
            where |= Q(**{f"{column}__range": (code.ljust(length, "0"), code.ljust(length, "9"))})
        return where

    # ---- Short memory ----

    def remembered(self, part: str, build: Callable[[], T], *, seconds: int = 0) -> T:
        """The answer of `build` from the cache where nothing was written since, at most FRESH_SECONDS old.

        With `seconds` the answer may be that old whatever was written since: for what changes slowly and is shown with
        the moment it was counted at. `build` returns plain values that hold no translated text.
        """
        key = self.key(part, stamped=not seconds)
        kept = cache.get(key)
        if kept is None:
            kept = build()
            cache.set(key, kept, seconds or FRESH_SECONDS)
        return cast(T, kept)

    def once(self, name: str, read: Callable[[], T]) -> T:
        """The answer of `read`, asked for once for this question and all made from it: what no filter changes."""
        if name not in self.memory:
            self.memory[name] = read()
        return cast(T, self.memory[name])

    @property
    def stamp(self) -> str:
        """What tells two states of the record apart: the last act. A later act has a higher number."""
        return self.once("stamp", lambda: str(Entry.objects.aggregate(last=Max("pk"))["last"] or 0))

    @property
    def categories(self) -> list[Category]:
        """Every category, by code."""
        return self.once("categories", lambda: list(Category.objects.order_by("code")))

    @property
    def election(self) -> Election | None:
        """The election that is on now."""
        return self.once("election", lambda: election_at(self.now))

    def key(self, part: str, *, stamped: bool = True) -> str:
        """The name of an answer: never one for two scopes, filters, periods or, `stamped`, states of the record."""
        whole = self._whole
        # People who see the same places see the same cases; everybody else is alone.
        scope = f"user {self.user.pk}" if whole is None or self.asked.mine or self.asked.q else f"places {whole}"
        parts = [part, scope, self.asked.query_string(), str(self.period), str(local_day(self.now))]
        return "dashboard:" + hashlib.sha256("\n".join([*parts, self.stamp if stamped else ""]).encode()).hexdigest()
