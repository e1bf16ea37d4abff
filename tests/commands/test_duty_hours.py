"""Who is on duty when: shifts over midnight, days of validity, covers, and properties that hold for any roster."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.duty import Held, Pattern, Span, Substitute, clash, duties, gaps, hours, occurrences, on_duty

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")
#: Clocks change there, so that nothing leans on a day having 24 hours.
BERLIN = ZoneInfo("Europe/Berlin")
#: A Monday.
MONDAY = dt.date(2027, 5, 24)
ANN, BEN, CHI = 1, 2, 3


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    """`day` days after the Monday, local time."""
    return dt.datetime.combine(MONDAY + dt.timedelta(days=day), dt.time(hour, minute), PHNOM_PENH)


def weekly(
    person: int, weekday: int, hour: int, length: int, first: dt.date = MONDAY, last: dt.date | None = None
) -> Pattern:
    return Pattern(person, weekday, dt.time(hour), length * 60, first, last)


def test_a_shift_holds_from_its_first_minute_and_not_in_the_minute_it_ends() -> None:
    shifts = [weekly(ANN, 0, 8, 8)]
    assert on_duty(shifts, [], at(0, 8), PHNOM_PENH) == {ANN}
    assert on_duty(shifts, [], at(0, 15, 59), PHNOM_PENH) == {ANN}
    assert on_duty(shifts, [], at(0, 16), PHNOM_PENH) == set()
    assert on_duty(shifts, [], at(7, 8), PHNOM_PENH) == {ANN}


def test_a_night_shift_belongs_to_the_day_it_began_on() -> None:
    night = [weekly(ANN, 6, 20, 12, last=MONDAY + dt.timedelta(days=6))]
    assert on_duty(night, [], at(7, 7, 59), PHNOM_PENH) == {ANN}
    assert on_duty(night, [], at(7, 8), PHNOM_PENH) == set()
    assert on_duty(night, [], at(13, 21), PHNOM_PENH) == set()


def test_nobody_is_on_duty_before_the_first_day_of_a_shift() -> None:
    shifts = [weekly(ANN, 0, 8, 8, first=MONDAY + dt.timedelta(days=1))]
    assert on_duty(shifts, [], at(0, 9), PHNOM_PENH) == set()
    assert on_duty(shifts, [], at(7, 9), PHNOM_PENH) == {ANN}


def test_a_cover_stands_in_only_when_the_other_would_be_on_duty() -> None:
    shifts = [weekly(ANN, 0, 8, 8), weekly(BEN, 0, 16, 8)]
    week = [Substitute(CHI, ANN, at(0, 0), at(7, 0))]
    assert on_duty(shifts, week, at(0, 9), PHNOM_PENH) == {CHI}
    assert on_duty(shifts, week, at(0, 17), PHNOM_PENH) == {BEN}


def test_an_extra_person_stands_beside_whoever_is_on_duty() -> None:
    extra = [Substitute(CHI, None, at(0, 10), at(0, 20))]
    assert on_duty([weekly(ANN, 0, 8, 8)], extra, at(0, 11), PHNOM_PENH) == {ANN, CHI}
    assert on_duty([weekly(ANN, 0, 8, 8)], extra, at(0, 18), PHNOM_PENH) == {CHI}


def test_the_later_cover_wins() -> None:
    shifts = [weekly(ANN, 0, 8, 8)]
    first, second = Substitute(BEN, ANN, at(0, 8), at(0, 16)), Substitute(CHI, BEN, at(0, 12), at(0, 16))
    assert on_duty(shifts, [first, second], at(0, 11), PHNOM_PENH) == {BEN}
    assert on_duty(shifts, [first, second], at(0, 13), PHNOM_PENH) == {CHI}
    assert on_duty(shifts, [second, first], at(0, 13), PHNOM_PENH) == {BEN}


def test_somebody_taken_off_duty_leaves_a_gap() -> None:
    off = [Substitute(None, ANN, at(0, 12), at(0, 13))]
    assert gaps([weekly(ANN, 0, 8, 8)], off, at(0, 8), at(0, 16), PHNOM_PENH) == [Span(at(0, 12), at(0, 13))]


def test_whose_posting_has_ended_is_not_on_duty() -> None:
    shifts = [weekly(ANN, 0, 8, 8), weekly(BEN, 0, 8, 8)]
    held: Held = {ANN: [(at(-30, 0), at(0, 12))], BEN: [(at(0, 10), None)]}
    assert hours(shifts, [], at(0, 8), at(0, 16), PHNOM_PENH, held) == [
        Span(at(0, 8), at(0, 10), frozenset({ANN})),
        Span(at(0, 10), at(0, 12), frozenset({ANN, BEN})),
        Span(at(0, 12), at(0, 16), frozenset({BEN})),
    ]


def test_each_duty_of_a_person_is_a_span_of_its_own_and_whole() -> None:
    around_the_clock = [weekly(ANN, day, 8, 24) for day in range(7)]
    found = duties(ANN, around_the_clock, [], at(7, 12), at(9, 12), PHNOM_PENH)
    assert found == [Span(at(d, 8), at(d + 1, 8), frozenset({ANN})) for d in (7, 8, 9)]
    cut = [Substitute(BEN, ANN, at(8, 8), at(8, 12))]
    assert duties(ANN, around_the_clock, cut, at(8, 9), at(8, 20), PHNOM_PENH)[-1].starts_at == at(8, 12)


def test_patterns_that_meet_only_over_midnight_clash() -> None:
    night, morning = weekly(ANN, 6, 20, 12), weekly(ANN, 0, 6, 4, first=MONDAY + dt.timedelta(days=7))
    assert clash(night, morning, PHNOM_PENH) == at(7, 6)
    assert clash(night, weekly(ANN, 0, 8, 4), PHNOM_PENH) is None


# ---- For any roster ----

zones = st.sampled_from([PHNOM_PENH, BERLIN])
#: Around the day on which Berlin's clocks go back, and within two weeks of it.
days = st.dates(dt.date(2027, 10, 25), dt.date(2027, 11, 7))
BEGINNING = dt.datetime(2027, 10, 25, tzinfo=dt.UTC)
moments = st.integers(0, 16 * 1440).map(lambda minutes: BEGINNING + dt.timedelta(minutes=minutes))
patterns = st.builds(
    Pattern,
    person=st.integers(1, 4),
    weekday=st.integers(0, 6),
    starts=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    minutes=st.integers(30, 1440),
    first=days,
    last=st.none() | days,
)
anybody = st.none() | st.integers(1, 4)
covering = st.builds(
    lambda person, replaces, start, length: Substitute(person, replaces, start, start + dt.timedelta(minutes=length)),
    anybody, anybody, moments, st.integers(1, 6000),
)  # fmt: skip
holding = st.none() | st.dictionaries(
    st.integers(1, 4), st.lists(st.tuples(moments, st.none() | moments), max_size=2), max_size=4
)
rosters = st.tuples(st.lists(patterns, max_size=8), st.lists(covering, max_size=4))


@settings(max_examples=200, deadline=None)
@given(rosters, moments, st.integers(0, 14 * 1440), zones, holding)
def test_hours_cut_the_time_into_pieces_that_touch_and_differ(
    roster: Any, start: dt.datetime, length: int, zone: ZoneInfo, held: Any
) -> None:
    end = start + dt.timedelta(minutes=length)
    spans = hours(roster[0], roster[1], start, end, zone, held)
    if length == 0:
        assert spans == []
        return
    assert (spans[0].starts_at, spans[-1].ends_at) == (start, end)
    for here, there in itertools.pairwise(spans):
        assert here.ends_at == there.starts_at and here.people != there.people
    assert all(s.starts_at < s.ends_at for s in spans)
    assert gaps(roster[0], roster[1], start, end, zone, held) == [s for s in spans if not s.people]


@settings(max_examples=200, deadline=None)
@given(rosters, moments, st.integers(1, 5 * 1440), st.integers(0, 10**6), zones, holding)
def test_whoever_is_on_duty_at_a_moment_is_in_the_span_of_that_moment(
    roster: Any, start: dt.datetime, length: int, minute: int, zone: ZoneInfo, held: Any
) -> None:
    end = start + dt.timedelta(minutes=length)
    moment = start + dt.timedelta(minutes=minute % length)
    span = next(s for s in hours(roster[0], roster[1], start, end, zone, held) if s.starts_at <= moment < s.ends_at)
    assert on_duty(roster[0], roster[1], moment, zone, held) == span.people


@settings(max_examples=100, deadline=None)
@given(rosters, moments, moments, zones, st.integers(1, 4))
def test_the_duties_of_a_person_are_the_hours_they_are_in(
    roster: Any, one: dt.datetime, other: dt.datetime, zone: ZoneInfo, person: int
) -> None:
    start, end = min(one, other), max(one, other) + dt.timedelta(minutes=1)
    found = duties(person, roster[0], roster[1], start, end, zone)
    for span in hours(roster[0], roster[1], start, end, zone):
        middle = span.starts_at + (span.ends_at - span.starts_at) / 2
        assert (person in span.people) == any(d.starts_at <= middle < d.ends_at for d in found)
    assert all(a.ends_at <= b.starts_at for a, b in itertools.pairwise(found))


@settings(max_examples=200, deadline=None)
@given(patterns, patterns, zones)
def test_patterns_clash_where_any_two_of_their_times_overlap(one: Pattern, other: Pattern, zone: ZoneInfo) -> None:
    start, end = dt.datetime(2027, 10, 20, tzinfo=dt.UTC), dt.datetime(2027, 12, 1, tzinfo=dt.UTC)
    mine, theirs = list(occurrences(one, start, end, zone)), list(occurrences(other, start, end, zone))
    meets = [
        max(a.starts_at, b.starts_at)
        for a in mine
        for b in theirs
        if a.starts_at < b.ends_at and b.starts_at < a.ends_at
    ]
    assert clash(one, other, zone) == min(meets, default=None)
