"""S3: a shell in a school yard on the silence day, then a second one inside the room of tomorrow's station."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from incidents.choices import Act
from incidents.models import Incident
from tests.cast import COMMUNE, PHNOM_PENH
from tests.journeys.day import Day

pytestmark = pytest.mark.django_db
T0 = dt.datetime(2027, 6, 5, 16, 10, tzinfo=PHNOM_PENH)
POINT = {"lat": 10.9912, "lon": 104.7836, "point_precision": "exact"}


def report(day: Day) -> Incident:
    return day.report(
        "officer", category="HAZ-02", place=COMMUNE, target_type="election_site",
        narrative="A shell lies 30 m from tomorrow's station.", **POINT,
    )  # fmt: skip


def test_before_the_evening_only_its_owner_is_told_and_after_it_the_province_too(
    day: Callable[[dt.datetime], Day],
) -> None:
    afternoon = day(T0)
    case = report(afternoon)
    assert (case.phase, case.severity) == ("silence", "high"), "not one up: the station is not in use yet"
    assert afternoon.told(case) == {"duty_commander"}
    afternoon.until(109, every=20)
    assert "provincial" not in afternoon.told(report(afternoon))
    afternoon.until(110)
    evening = report(afternoon)
    assert afternoon.told(evening) == {"duty_commander", "provincial"}, "from 18:00 both rungs at once"


def test_a_second_shell_makes_it_critical_for_everybody_in_one_act(
    day: Callable[[dt.datetime], Day], signed_in: Callable[..., Client]
) -> None:
    afternoon = day(T0)
    case = report(afternoon)
    afternoon.until(6)
    afternoon.do("duty_commander", Act.ACKNOWLEDGE, case)
    afternoon.until(8)
    afternoon.do("duty_commander", Act.UPDATE, case, note="A cordon stands, nobody enters.")
    afternoon.until(15)
    sent = afternoon.now.isoformat()
    shown = afternoon.do("duty_commander", Act.REFER, case, body="demining", sent_at=sent)
    assert shown["referrals"][0]["due_at"] is None, "the law sets the demining authority no time"
    afternoon.until(50)
    assert afternoon.owner(case) == afternoon.code("duty_commander")
    afternoon.do("officer", Act.RAISE_SEVERITY, case, severity="critical", reason="A second one lies inside the room.")
    act = afternoon.last(case, Act.RAISE_SEVERITY)
    assert afternoon.told(case, entry=act) == {"duty_commander", "provincial", "psc", "nec", "nec_second"}
    assert afternoon.owner(case) == afternoon.code("provincial")
    assert afternoon.due(case, "update") == 110, "an update every hour of the silence day"
    assert afternoon.due(case, "accept") == 60, "ten minutes to take it over"

    afternoon.until(55)
    afternoon.do("provincial", Act.ACCEPT, case)
    for minute in (105, 160, 215):
        afternoon.until(minute)
        afternoon.do("provincial", Act.UPDATE, case, note="The deminers are at work.")
        assert afternoon.due(case, "update") == minute + 60
    afternoon.until(238)
    afternoon.do("provincial", Act.CONCLUDE_REFERRAL, case, referral=1, outcome="hazard_removed")
    afternoon.until(240)
    afternoon.do("provincial", Act.CONTAIN, case, note="Both shells were removed.")
    assert not case.escalations.filter(kind="next_told").exists(), "nothing was late"
    assert afternoon.due(case, "update") is None

    assert (case.initial_severity, case.severity) == ("high", "critical")
    made = afternoon.until(241).weekly("nec")
    assert made["severity_changes"] == [{"first": "high", "at_cut_off": "critical", "cases": 1}]
    (moved,) = made["escalation"]["handovers"]
    assert (moved["reason"], moved["rung"], moved["reached"]) == ("critical", 1, {"2": 1})
    answers = {row["awaited"]: row for row in made["response"] if row["severity"] == "critical"}
    assert (answers["contain"]["cases"], answers["contain"]["waiting"]) == (1, 0), "under its severity of the cut-off"
    assert answers["contain"]["half_minutes"] is None, "one case is too few"
    rows = afternoon.get("nec", f"incidents/{case.pk}/timeline/").json()["results"]
    raised = next(row for row in rows if row["act"] == "raise_severity")
    assert (raised["before"]["severity"], raised["after"]["severity"]) == ("high", "critical")

    # The exact point is for those who act on the case.
    assert "point" not in afternoon.get("ministry", f"incidents/{case.pk}/").json()
    assert Client().get(case.get_absolute_url()).status_code in (302, 401, 404)
    assert str(POINT["lat"]) not in signed_in(afternoon.cast.ministry).get(case.get_absolute_url()).content.decode()
