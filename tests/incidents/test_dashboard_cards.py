"""The key figures beside how the same cases stood 24 hours ago."""

import datetime as dt
from typing import Any

import pytest

from incidents import actions
from incidents.choices import Severity
from incidents.dashboards.cards import Tile, tiles
from incidents.dashboards.question import Question
from incidents.filters import CaseFilter
from tests.cast import NOW

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def cards(user: Any, **asked: Any) -> dict[str, Tile]:
    question = Question(user, NOW, CaseFilter(**asked))
    severities: dict[str, int] = {}
    for severity in Severity:
        severities[severity] = question.cases().open().filter(severity=severity).count()
    return {tile.name: tile for tile in tiles(question, severities)}


def test_more_than_yesterday(cast: Any, make_incident: Any) -> None:
    make_incident(now=NOW - 40 * HOUR)
    make_incident(now=NOW - 2 * HOUR)
    make_incident(now=NOW - HOUR)
    found = cards(cast.nec)
    assert (found["open"].value, found["open"].note) == (3, "2 more than yesterday at this time")
    assert (found["new_today"].value, found["new_today"].note) == (2, "2 more than yesterday at this time")


def test_fewer_and_as_many(cast: Any, make_incident: Any) -> None:
    case = make_incident(now=NOW - 30 * HOUR)
    make_incident(now=NOW - 30 * HOUR)
    actions.withdraw(case, by=cast.officer, version=None, now=NOW - HOUR, reason="It was found again at home.")
    found = cards(cast.nec)
    assert (found["open"].value, found["open"].note) == (1, "1 fewer than yesterday at this time")
    assert found["serious"].note == "as many as yesterday at this time"


def test_severity_is_that_of_yesterday(cast: Any, make_incident: Any) -> None:
    case = make_incident(now=NOW - 30 * HOUR, severity="low")
    actions.raise_severity(
        case, by=cast.duty_commander, version=None, now=NOW - HOUR, severity="high", reason="A weapon was seen."
    )
    found = cards(cast.nec)
    assert found["open"].note == "as many as yesterday at this time"
    assert (found["serious"].value, found["serious"].note) == (1, "1 more than yesterday at this time")


def test_a_list_narrowed_to_a_state_of_now_is_not_compared(cast: Any, make_incident: Any) -> None:
    make_incident(now=NOW - 30 * HOUR)
    assert cards(cast.nec, state=("reported",))["open"].note == ""


def test_a_share_of_few_cases_is_not_given(cast: Any, make_incident: Any) -> None:
    make_incident(now=NOW - HOUR)
    share = cards(cast.nec)["within_target"]
    assert share.value is None
    assert share.note == "too few cases to say, last 7 days"
