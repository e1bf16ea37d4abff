"""How fast serious cases are acknowledged: the headline, its bars and the tile say one thing, and no share of few."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from incidents import actions
from incidents.dashboards.cards import tiles
from incidents.dashboards.question import Question
from incidents.dashboards.side import response
from incidents.filters import CaseFilter
from tests.cast import NOW

pytestmark = pytest.mark.django_db
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
BEFORE = NOW - 30 * HOUR


@pytest.fixture
def report(cast: Any, make_incident: Any) -> Any:
    """So many cases of a severity, some of them acknowledged a minute later."""

    def make(n: int, answered: int, severity: str = "high", at: dt.datetime = BEFORE) -> None:
        for number in range(n):
            case = make_incident(now=at, severity=severity)
            if number < answered:
                actions.acknowledge(case, by=cast.duty_commander, version=None, now=at + MINUTE, note="")

    return make


def asked(cast: Any) -> tuple[str, list[Any], int | None]:
    question = Question(cast.nec, NOW, CaseFilter())
    found = response(question)
    share = next(t.value for t in tiles(question, {}) if t.name == "within_target")
    return found["title"], found["bullets"], share


def test_one_case_makes_no_share(cast: Any, report: Any) -> None:
    report(1, 1)
    title, (bar,), share = asked(cast)
    assert title == "Too few critical and high cases to say how fast they are acknowledged"
    assert share is None
    assert (bar.base, bar.in_time, bar.is_enough, bar.is_late) == (1, 1, False, False)


def test_what_nobody_acknowledged_is_not_in_time_and_took_as_long_as_it_waits(cast: Any, report: Any) -> None:
    report(20, 17)
    title, (bar,), share = asked(cast)
    assert title == "More than one in ten high cases were not acknowledged in time"
    assert (bar.base, bar.in_time, bar.is_late, share) == (20, 17, True, 85)
    assert bar.most == 30 * 60
    assert bar.half == 1


def test_nine_of_ten(cast: Any, report: Any) -> None:
    report(20, 18)
    title, (bar,), share = asked(cast)
    assert title == "At least nine of ten high cases were acknowledged in time"
    assert (bar.is_late, share) == (False, 90)


def test_few_critical_cases_are_counted_and_not_in_the_headline(cast: Any, report: Any) -> None:
    report(20, 20)
    report(2, 0, "critical")
    title, bars, _share = asked(cast)
    assert title == "At least nine of ten high cases were acknowledged in time"
    assert {b.code: (b.in_time, b.base, b.is_enough) for b in bars} == {
        "critical": (0, 2, False), "high": (20, 20, True)
    }  # fmt: skip


def test_a_case_whose_time_is_not_over_is_not_counted(cast: Any, make_incident: Any) -> None:
    make_incident(now=NOW - MINUTE, severity="high")
    title, bars, share = asked(cast)
    assert title == "No critical or high case was due to be acknowledged in the last 7 days"
    assert (bars, share) == ([], None)


def test_the_page_gives_counts_and_no_bar_of_few(cast: Any, report: Any, signed_in: Any) -> None:
    report(2, 1, at=timezone.now() - 30 * HOUR)
    page = signed_in(cast.nec).get("/dashboard/").content.decode()
    card = page[page.index("dash__late") : page.index("dash__trust")]
    assert "1 of 2 in time" in card
    assert "range-2" not in card
