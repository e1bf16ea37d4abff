"""Silent districts: nothing reported is told apart from nothing open, and never tells of a sealed case."""

import datetime as dt
from typing import Any

import pytest

from incidents.choices import State
from incidents.dashboards.map import area_counts
from incidents.dashboards.question import Question
from incidents.dashboards.silence import silence
from incidents.filters import CaseFilter
from tests.cast import DISTRICT, NEIGHBOUR, NOW, OTHER_PROVINCE, TAKEO
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def told(user: Any, place: str = TAKEO, **asked: Any) -> dict[str, tuple[int, int]]:
    return silence(Question(user, NOW, CaseFilter(**asked)), place)


def test_a_district_that_reported_anything_is_not_silent_though_nothing_is_open(cast: Any) -> None:
    plain_case(state=State.CLOSED, reported_at=NOW - DAY)
    found = told(cast.nec)
    assert found[DISTRICT] == (0, 1)
    assert found[NEIGHBOUR] == (1, 1)


@pytest.mark.parametrize(("days", "silent"), [(0, 0), (6, 0), (7, 1), (30, 1)])
def test_silence_begins_after_seven_local_days(cast: Any, days: int, silent: int) -> None:
    plain_case(reported_at=NOW - days * DAY)
    assert told(cast.nec)[DISTRICT] == (silent, 1)


def test_filters_do_not_make_a_district_silent(cast: Any) -> None:
    plain_case(reported_at=NOW - DAY)
    assert told(cast.nec, category=("HAZ",), severity=("critical",), place=TAKEO)[DISTRICT] == (0, 1)


def test_provinces_count_their_silent_districts(cast: Any) -> None:
    plain_case(reported_at=NOW - DAY)
    provinces = told(cast.nec, "KH")
    silent, districts = provinces[TAKEO]
    assert districts > 5
    assert silent == districts - 1
    areas = {area["code"]: area for area in area_counts(Question(cast.nec, NOW), "KH")["areas"]}
    assert not areas[TAKEO]["silent"]
    assert areas[OTHER_PROVINCE]["silent"]


def test_communes_are_not_expected_to_report_every_week(cast: Any) -> None:
    assert told(cast.nec, DISTRICT) == {}
    areas = area_counts(Question(cast.duty_commander, NOW), DISTRICT)["areas"]
    assert {area["silent"] for area in areas} == {False}
    assert {area["districts"] for area in areas} == {None}


def test_who_sees_cases_and_not_places_is_told_nothing(cast: Any) -> None:
    for name in ("officer", "liaison", "nec_integrity"):
        assert told(getattr(cast, name), "KH") == {}


def test_a_sealed_case_does_not_end_a_silence(cast: Any) -> None:
    """Else the unit complained of would learn of the complaint from the hatching."""
    plain_case(reported_at=NOW - DAY, is_sealed=True)
    for name in ("nec", "psc", "provincial", "duty_commander"):
        assert told(getattr(cast, name))[DISTRICT] == (1, 1)
