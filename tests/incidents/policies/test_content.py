"""Times as people type them, and where two versions differ."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as some

from incidents.policy_content import Content, differences, minutes_of, written
from tests.incidents.policies.drafts import even, with_target


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("90 m", 90), ("90m", 90), (" 2 h ", 120), ("3 d", 4320), ("1 h 30 m", 90), ("1h30m", 90), ("1.5 h", 90),
        ("0,5 d", 720), ("45 min", 45), ("2 hours", 120), ("1 DAY", 1440), ("៩០ នាទី", 90), ("២ ម៉ោង", 120),
        ("3 ថ្ងៃ", 4320), ("1 ម៉ោង 30 នាទី", 90), ("0 m", 0),
    ],
)  # fmt: skip
def test_a_time_is_read(typed: str, minutes: int) -> None:
    assert minutes_of(typed) == minutes


@pytest.mark.parametrize(
    "typed", ["", " ", "90", "two hours", "-5 m", "5 m -", "h", "1 w", "0.3 m", "1e3 m", "5 m 3", "٣ m", "1 h x"]
)
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        minutes_of(typed)


@given(minutes=some.integers(0, 200_000), language=some.sampled_from(["en", "km"]))
def test_what_is_written_is_read_back_exactly(minutes: int, language: str) -> None:
    with translation.override(language):
        assert minutes_of(written(minutes)) == minutes


def test_times_are_written_short() -> None:
    assert [written(m) for m in (5, 60, 90, 100, 150, 1440, 1500, 10_080)] == [
        *("5 m", "1 h", "90 m", "100 m", "2 h 30 m", "1 d", "1 d 1 h", "7 d"),
    ]


def plain() -> Content:
    return Content(note="", tight_from_hour=18, tight_medium=30, repeat=60, targets=even(10, 30, 240), steps={})


def test_two_versions_differ_where_a_value_does() -> None:
    new = with_target("campaign", "high", acknowledge=7, update_every=60)(plain())
    assert differences(plain(), new) == {
        "campaign.high.acknowledge": (10, 7),
        "campaign.high.update_every": (None, 60),
    }
    assert differences(new, new) == {}


def test_a_mark_follows_every_value_and_the_note() -> None:
    marks = {plain().mark(), with_target("after", "low", verify=1)(plain()).mark()}
    marks.add(Content(**{**plain().__dict__, "note": "why"}).mark())
    assert len(marks) == 3
    assert plain().mark() == plain().mark()
