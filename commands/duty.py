"""Who is on duty when: worked out of weekly shifts and covers. Pure: plain rows in, plain spans out, no clock.

A span is half open: whoever is on duty until 08:00 is not on duty at 08:00. Shifts are wall time of `zone`; everything
that comes out is UTC.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

DAY = dt.timedelta(days=1)
#: A shift is at most this long, so one that still runs began at most this long ago.
LONGEST_SHIFT = dt.timedelta(days=1)


@dataclass(frozen=True)
class Pattern:
    """A weekly shift: on `weekday` (0 Monday) from `starts` for `minutes`, on the days from `first` to `last`."""

    person: int
    weekday: int
    starts: dt.time
    minutes: int
    first: dt.date
    last: dt.date | None = None


@dataclass(frozen=True)
class Substitute:
    """A cover. While it runs `person` stands in whenever `replaces` would be on duty; with no `replaces`, always.

    With no `person`, `replaces` is off duty. Later ones, in the order given, come before earlier ones.
    """

    person: int | None
    replaces: int | None
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True)
class Span:
    """From a moment to a moment the same people, by key."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    people: frozenset[int] = field(default_factory=frozenset)


#: When each person answers at the command (or acts for it): from, and until where that is known.
Held = Mapping[int, Sequence[tuple[dt.datetime, dt.datetime | None]]]


def on_duty(
    shifts: Iterable[Pattern],
    covers: Iterable[Substitute],
    at: dt.datetime,
    zone: dt.tzinfo,
    held: Held | None = None,
) -> set[int]:
    """Keys of those on duty at `at`. Where `held` is given, only who answers there at that moment counts."""
    running = [o for s in shifts for o in occurrences(s, at, at + dt.timedelta(microseconds=1), zone)]
    return _people(at, running, list(covers), held)


def hours(
    shifts: Sequence[Pattern],
    covers: Sequence[Substitute],
    start: dt.datetime,
    end: dt.datetime,
    zone: dt.tzinfo,
    held: Held | None = None,
) -> list[Span]:
    """All of [start, end) in spans, in order; neighbours differ in their people. Empty where end is not after start."""
    return _joined(_pieces(shifts, covers, start, end, zone, held))


def gaps(
    shifts: Sequence[Pattern],
    covers: Sequence[Substitute],
    start: dt.datetime,
    end: dt.datetime,
    zone: dt.tzinfo,
    held: Held | None = None,
) -> list[Span]:
    """The spans of [start, end) in which nobody is on duty."""
    return [span for span in hours(shifts, covers, start, end, zone, held) if not span.people]


def duties(
    person: int,
    shifts: Sequence[Pattern],
    covers: Sequence[Substitute],
    start: dt.datetime,
    end: dt.datetime,
    zone: dt.tzinfo,
    held: Held | None = None,
) -> list[Span]:
    """The hours of one person that touch [start, end), each whole and as one shift or cover of theirs gives it.

    One that began before `start` keeps its true beginning, so that a calendar read tomorrow names it the same.
    """
    covers = list(covers)
    touching = [c.starts_at for c in covers if c.starts_at < end and c.ends_at > start]
    since = min([start - 2 * LONGEST_SHIFT, *touching])
    own = {o.starts_at for s in shifts if s.person == person for o in occurrences(s, since, end + DAY, zone)}
    own |= {c.starts_at for c in covers if c.person == person}
    found: list[Span] = []
    for piece in _pieces(shifts, covers, since, end + DAY, zone, held):
        if person not in piece.people:
            continue
        if found and found[-1].ends_at == piece.starts_at and piece.starts_at not in own:
            found[-1] = Span(found[-1].starts_at, piece.ends_at, piece.people)
        else:
            found.append(piece)
    return [s for s in found if s.ends_at > start and s.starts_at < end]


def clash(one: Pattern, other: Pattern, zone: dt.tzinfo) -> dt.datetime | None:
    """The first moment at which both patterns hold at once; None where they never do.

    Weekly patterns that meet at all meet in the week after both began, so nine days are enough to look at.
    """
    began = dt.datetime.combine(max(one.first, other.first), dt.time(), zone).astimezone(dt.UTC)
    start, end = began - 2 * DAY, began + 9 * DAY
    mine, theirs = list(occurrences(one, start, end, zone)), list(occurrences(other, start, end, zone))
    meets = [max(a.starts_at, b.starts_at) for a in mine for b in theirs if _overlap(a, b)]
    return min(meets, default=None)


def occurrences(shift: Pattern, start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> Iterator[Span]:
    """The times this pattern gives that touch [start, end), whole."""
    day = start.astimezone(zone).date() - 2 * DAY
    day += dt.timedelta(days=(shift.weekday - day.weekday()) % 7)
    last = min(end.astimezone(zone).date(), shift.last or dt.date.max)
    while day <= last:
        if day >= shift.first:
            begins = dt.datetime.combine(day, shift.starts, zone).astimezone(dt.UTC)
            ends = begins + dt.timedelta(minutes=shift.minutes)
            if begins < end and ends > start:
                yield Span(begins, ends, frozenset({shift.person}))
        day += dt.timedelta(days=7)


def _overlap(one: Span, other: Span) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _people(at: dt.datetime, running: Iterable[Span], covers: Iterable[Substitute], held: Held | None) -> set[int]:
    found = {p for o in running if o.starts_at <= at < o.ends_at for p in o.people}
    for cover in covers:
        if not cover.starts_at <= at < cover.ends_at:
            continue
        if cover.replaces is None:
            found |= {cover.person} if cover.person is not None else set()
        elif cover.replaces in found:
            found.discard(cover.replaces)
            found |= {cover.person} if cover.person is not None else set()
    if held is None:
        return found
    return {p for p in found if any(a <= at and (b is None or at < b) for a, b in held.get(p, ()))}


def _pieces(
    shifts: Sequence[Pattern],
    covers: Sequence[Substitute],
    start: dt.datetime,
    end: dt.datetime,
    zone: dt.tzinfo,
    held: Held | None,
) -> list[Span]:
    """[start, end) cut wherever a shift, a cover or a posting begins or ends."""
    start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    if end <= start:
        return []
    running = [o for s in shifts for o in occurrences(s, start, end, zone)]
    near = [c for c in covers if c.starts_at < end and c.ends_at > start]
    cuts = {start, end}
    cuts |= {m for o in running for m in (o.starts_at, o.ends_at)}
    cuts |= {m for c in near for m in (c.starts_at, c.ends_at)}
    cuts |= {m for spans in (held or {}).values() for span in spans for m in span if m is not None}
    at = sorted(m.astimezone(dt.UTC) for m in cuts if start <= m <= end)
    # Each piece looks at the shifts and covers that run then: with all of them, a crowded roster takes their square.
    coming, live = deque(sorted(running, key=lambda o: o.starts_at)), list[Span]()
    # Covers keep their number: in which order they were made decides which of them wins.
    ahead, standing = deque(sorted(enumerate(near), key=lambda c: c[1].starts_at)), list[tuple[int, Substitute]]()
    found = []
    for here, there in itertools.pairwise(at):
        while coming and coming[0].starts_at <= here:
            live.append(coming.popleft())
        while ahead and ahead[0][1].starts_at <= here:
            bisect.insort(standing, ahead.popleft(), key=lambda c: c[0])
        live = [o for o in live if o.ends_at > here]
        standing = [c for c in standing if c[1].ends_at > here]
        found.append(Span(here, there, frozenset(_people(here, live, [c for _n, c in standing], held))))
    return found


def _joined(pieces: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for piece in pieces:
        if found and found[-1].people == piece.people:
            found[-1] = Span(found[-1].starts_at, piece.ends_at, piece.people)
        else:
            found.append(piece)
    return found
