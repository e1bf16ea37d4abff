"""A roster as it is looked at: a week of days, who is on now and next, and how a command stands among others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import ngettext

from commands.duty import DAY, Span
from commands.models import Cover, Delegation, Shift, User
from commands.rosters import AHEAD, Plan, name_of

#: What the overview looks ahead.
SOON = dt.timedelta(days=7)
MIDNIGHT = dt.time()
#: Shifts and covers are listed for so long from the Monday shown.
LISTED = dt.timedelta(days=28)
#: Lines of one list at once.
LINES = 20
#: Names in one stretch of hours; more are counted.
NAMES = 3


@dataclass(frozen=True)
class Block:
    """Some hours of one day: minutes of the day for drawing, words for reading."""

    left: int
    width: int
    text: str
    names: str = ""

    @property
    def is_gap(self) -> bool:
        return not self.names


@dataclass
class Day:
    date: dt.date
    is_today: bool
    is_past: bool
    blocks: list[Block]


@dataclass
class Row:
    """One person of the week, a cell of blocks for each day."""

    person: User
    cells: list[list[Block]]


@dataclass
class Week:
    monday: dt.date
    days: list[Day]
    rows: list[Row]

    @property
    def sunday(self) -> dt.date:
        return self.monday + 6 * DAY

    @property
    def before(self) -> str:
        return _iso(self.monday - 7 * DAY)

    @property
    def after(self) -> str:
        return _iso(self.monday + 7 * DAY)


def monday_of(asked: str, now: dt.datetime) -> dt.date:
    """The Monday of an ISO week like "2027-W21"; of the present one where that is none, or years away."""
    today = timezone.localdate(now)
    try:
        monday = dt.date.fromisoformat(f"{asked}-1")
    except ValueError:
        monday = today
    monday = monday if abs((monday - today).days) < 800 else today
    return monday - monday.weekday() * DAY


def bounds(monday: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The week as moments, local midnight to local midnight."""
    zone = timezone.get_default_timezone()
    return dt.datetime.combine(monday, MIDNIGHT, zone), dt.datetime.combine(monday + 7 * DAY, MIDNIGHT, zone)


def window(monday: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """What the page reads of a roster: the weeks whose shifts and covers are listed."""
    start = bounds(monday)[0]
    return start, dt.datetime.combine(monday + LISTED, MIDNIGHT, timezone.get_default_timezone())


@dataclass
class Lines:
    """One page of a list of the roster, and the addresses of the pages beside it; "" where there is none."""

    page: Page[Any]
    before: str
    after: str


def lines_of(items: Sequence[Any], asked: QueryDict, name: str) -> Lines:
    """The lines that the parameter `name` of the address asks for; nonsense is the first page."""
    page = Paginator(items, LINES).get_page(asked.get(name))

    def address(number: int) -> str:
        query = asked.copy()
        query[name] = str(number)
        return f"?{query.urlencode()}#h-{name}"

    return Lines(
        page,
        address(page.previous_page_number()) if page.has_previous() else "",
        address(page.next_page_number()) if page.has_next() else "",
    )


def week_of(plan: Plan, monday: dt.date, now: dt.datetime) -> Week:
    """The week day by day, for everybody and for each person of it."""
    today = timezone.localdate(now)
    days, people = [], []
    cut = []
    for number in range(7):
        date = monday + number * DAY
        start = dt.datetime.combine(date, MIDNIGHT, plan.zone)
        end = dt.datetime.combine(date + DAY, MIDNIGHT, plan.zone)
        spans = plan.hours(start, end)
        cut.append((start, spans))
        blocks = [_block(s, start, _names(plan, s)) for s in spans]
        days.append(Day(date, date == today, date < today, blocks))
        people += [key for s in spans for key in s.people]
    rows = [Row(person, [_merged(person, start, spans) for start, spans in cut]) for person in plan.named(set(people))]
    return Week(monday, days, rows)


def _names(plan: Plan, span: Span) -> str:
    names = [name_of(u) for u in plan.named(span.people)]
    left = len(names) - NAMES
    if left <= 1:
        return ", ".join(names)
    more = ngettext("and %(n)s more", "and %(n)s more", left) % {"n": left}
    return f"{', '.join(names[:NAMES])} {more}"


def _merged(person: User, start: dt.datetime, spans: list[Span]) -> list[Block]:
    """The hours of one person in a day; what touches is one."""
    found: list[Span] = []
    for span in spans:
        if person.pk not in span.people:
            continue
        if found and found[-1].ends_at == span.starts_at:
            found[-1] = Span(found[-1].starts_at, span.ends_at, span.people)
        else:
            found.append(span)
    return [_block(s, start, name_of(person)) for s in found]


def _block(span: Span, start: dt.datetime, names: str) -> Block:
    left = round((span.starts_at - start).total_seconds() / 60)
    right = round((span.ends_at - start).total_seconds() / 60)
    return Block(left, right - left, f"{_hour(left)}\u2013{_hour(right)}", names)


def _hour(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _iso(day: dt.date) -> str:
    year, week, _day = day.isocalendar()
    return f"{year}-W{week:02}"


# ---- Now and next ----


@dataclass
class Watch:
    """Who is on duty now, until when, who comes next, and the gaps of the next fourteen days."""

    people: list[User]
    until: dt.datetime | None
    next_people: list[User]
    next_at: dt.datetime | None
    gaps: list[Span]
    acting: Delegation | None

    @property
    def is_unattended(self) -> bool:
        """Nobody is on duty by the roster, and nobody acts."""
        return not self.people and self.acting is None


def watch_of(plan: Plan, now: dt.datetime) -> Watch:
    spans = plan.hours(now, now + AHEAD)
    here, later = spans[0], next((s for s in spans[1:] if s.people), None)
    running = [d for d in plan.delegations if d.starts_at <= now < d.ends_at]
    return Watch(
        people=plan.named(here.people),
        until=here.ends_at if len(spans) > 1 else None,
        next_people=plan.named(later.people) if later else [],
        next_at=later.starts_at if later else None,
        gaps=plan.gaps(now, now + AHEAD),
        acting=running[0] if running else None,
    )


# ---- The overview ----


@dataclass
class Standing:
    """How one command stands: `key` is "unattended", "vacant", "gap", "none" or "ok", the worst first."""

    plan: Plan
    key: str
    people: list[User] = field(default_factory=list)
    gap: Span | None = None
    acting: Delegation | None = None


ORDER = ("unattended", "vacant", "gap", "none", "ok")
URGENT = ORDER[:3]


def standing_of(plan: Plan, now: dt.datetime) -> Standing:
    acting = next((d for d in plan.delegations if d.starts_at <= now < d.ends_at), None)
    posted = [k for k, spans in plan.held.items() if any(a <= now and (b is None or now < b) for a, b in spans)]
    if not posted:
        return Standing(plan, "vacant", acting=acting)
    if not plan.is_on:
        return Standing(plan, "none", acting=acting)
    gaps = plan.gaps(now, now + SOON)
    key = "ok" if not gaps else "unattended" if gaps[0].starts_at <= now else "gap"
    return Standing(plan, key, plan.on_duty(now), gaps[0] if gaps else None, acting)


@dataclass
class Group:
    """Shifts of one person with the same hours and days of validity, on some weekdays."""

    shifts: list[Shift]

    @property
    def person(self) -> User:
        return self.shifts[0].person

    @property
    def hours(self) -> str:
        return self.shifts[0].hours

    @property
    def first(self) -> dt.date:
        return self.shifts[0].valid_from

    @property
    def last(self) -> dt.date | None:
        return self.shifts[0].valid_to


def shifts_from(plan: Plan, monday: dt.date, today: dt.date) -> list[Group]:
    """The shifts that hold in the weeks shown and are not over, those alike together, by hour and person."""
    first, last = max(monday, today), monday + LISTED - DAY
    groups: dict[tuple[object, ...], list[Shift]] = {}
    live = [s for s in plan.shifts if s.valid_from <= last and (s.valid_to is None or s.valid_to >= first)]
    for s in sorted(live, key=lambda s: (s.starts, name_of(s.person), s.valid_from, s.weekday)):
        groups.setdefault((s.person_id, s.starts, s.minutes, s.valid_from, s.valid_to), []).append(s)
    return [Group(shifts) for shifts in groups.values()]


def is_planned(plan: Plan, today: dt.date) -> bool:
    """Whether anybody is on the roster from today on, however far ahead. At most two queries."""
    if plan.shifts or plan.covers:
        return True
    if plan.roster is None:
        return False
    shifts = plan.roster.shifts.filter(Q(valid_to=None) | Q(valid_to__gte=today))
    return shifts.exists() or plan.roster.covers.filter(ends_at__date__gte=today).exists()


def covers_from(plan: Plan, monday: dt.date, now: dt.datetime) -> list[Cover]:
    """The covers of the weeks shown that are not over."""
    since, until = window(monday)
    found = (c for c in plan.covers if c.ends_at > max(since, now) and c.starts_at < until)
    return sorted(found, key=lambda c: c.starts_at)
