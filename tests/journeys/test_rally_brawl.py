"""S6: seven reports of one brawl at a rally become one case, a machete makes it critical, and calm gives it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from incidents import duplicates
from incidents.choices import Act
from incidents.models import Incident
from tests.cast import DEMO_COMMUNE, PHNOM_PENH
from tests.journeys.day import Day

pytestmark = pytest.mark.django_db
T0 = dt.datetime(2027, 5, 29, 15, 0, tzinfo=PHNOM_PENH)
#: minute, by, category, what, injured
REPORTS = (
    (0, "demo_officer", "CAM-03", "Supporters of two groups argue where their marches meet.", 0),
    (3, "demo_duty", "ORD-01", "A fight has begun at the crossroads by the market.", 0),
    (6, "demo_liaison", "CAM-03", "People of a march were pushed and hit at the crossroads.", 3),
    (8, "demo_officer", "CRM-02", "Three people are bleeding after blows with sticks.", 3),
    (11, "demo_liaison", "CAM-03", "Observers see about twenty people fighting.", 0),
    (14, "demo_provincial", "ORD-01", "Callers speak of a crowd fighting at the market.", 3),
    (18, "demo_officer", "CRM-02", "Somebody in the crowd is holding a machete.", 0),
)


def seven_reports(day: Day) -> list[Incident]:
    cases: list[Incident] = []
    for minute, by, category, narrative, injured in REPORTS:
        day.until(minute)
        if cases:
            near = duplicates.candidates(
                day.cast.demo_provincial, group=category[:3], place=DEMO_COMMUNE, occurred_at=day.now
            )
            assert near, "the earlier ones are suggested"
            assert {case.pk for case in near} <= {case.pk for case in cases}
        cases.append(
            day.report(
                by, category=category, place=DEMO_COMMUNE, narrative=narrative, injured=injured, severity="medium",
                **({"means": "blade"} if "machete" in narrative else {}),
            )
        )  # fmt: skip
        if minute == 3:
            day.do("demo_duty", Act.ACKNOWLEDGE, cases[0])
    return cases


def made_one(day: Day) -> Incident:
    """Critical at minute 18, joined by minute 30, contained at minute 300."""
    first, *others = seven_reports(day)
    day.do("demo_officer", Act.RAISE_SEVERITY, first, severity="critical", reason="A machete is seen.")
    raised = day.last(first, Act.RAISE_SEVERITY)
    heard = day.told(first, entry=raised)
    assert {"demo_duty", "demo_provincial", "psc", "nec", "nec_second"} <= heard, "in that act, minute 18"
    assert raised.at == day.at(18)
    assert day.owner(first) == day.code("demo_provincial")
    day.until(20)
    day.do("demo_provincial", Act.ACCEPT, first)
    for number, other in enumerate(others):
        day.until(22 + number)
        day.do("demo_provincial", Act.MERGE, other, survivor=str(first.pk))
    for minute in (29, 140, 250):
        day.until(minute)
        day.do("demo_provincial", Act.UPDATE, first, note="Both groups are led apart.")
    day.until(300)
    day.do("demo_provincial", Act.CONTAIN, first, injured=3, note="All have gone home.")
    return first


def test_seven_reports_are_one_case_whose_clock_began_with_the_first(
    day: Callable[[dt.datetime], Day], signed_in: Callable[..., Client]
) -> None:
    rally = day(T0)
    case = made_one(rally)
    assert case.merged.count() == 6
    assert case.injured == 3, "entered once, and not added up"
    contain = case.clocks.filter(kind="contain").latest("episode")
    assert contain.anchor_at == rally.at(0), "the clock of the first report"
    assert Incident.objects.counted().filter(place=DEMO_COMMUNE).count() == 1
    for name in ("demo_officer", "demo_liaison"):
        for report in Incident.objects.filter(reporter=getattr(rally.cast, name)):
            seen = signed_in(getattr(rally.cast, name)).get(report.get_absolute_url())
            assert seen.status_code == 200, "whoever reported sees what became of it"


def test_it_goes_back_to_the_district_after_twelve_quiet_hours_and_not_before(
    day: Callable[[dt.datetime], Day], signed_in: Callable[..., Client]
) -> None:
    rally = day(T0)
    case = made_one(rally)
    for minute in (301, 600, 1019):
        rally.until(minute, every=30)
        refused = rally.try_to("demo_provincial", Act.HAND_BACK, case, reason="It is quiet.")
        assert refused.status_code == 409
        assert "12 quiet hours" in refused.json()["detail"]
        assert rally.owner(case) == rally.code("demo_provincial")
    rally.until(1020)
    rally.do("demo_provincial", Act.HAND_BACK, case, reason="It is quiet.")
    assert rally.owner(case) == rally.code("demo_duty")
    assert {"nec", "nec_second"} <= rally.told(case, kind="stood_down")
    page = signed_in(rally.cast.demo_duty).get(reverse("incidents:detail", args=[case.pk])).content.decode()
    assert "Watched by" in page
    rally.until(1025)
    rally.do("demo_duty", Act.ACCEPT, case)
    assert case.is_accepted
    rally.until(1080)
    assert rally.owner(case) == rally.code("demo_duty")


def test_not_accepted_below_it_comes_up_again(day: Callable[[dt.datetime], Day]) -> None:
    rally = day(T0)
    case = made_one(rally)
    rally.until(1020, every=30)
    rally.do("demo_provincial", Act.HAND_BACK, case, reason="It is quiet.")
    due = rally.due(case, "accept")
    assert due is not None
    rally.until(due - 1)
    assert rally.owner(case) == rally.code("demo_duty")
    rally.until(due)
    assert rally.owner(case) == rally.code("demo_provincial")


def test_the_lesser_report_is_not_joined_away_over_the_graver_one(day: Callable[[dt.datetime], Day]) -> None:
    rally = day(T0)
    first, second, *_others = seven_reports(rally)
    rally.do("demo_officer", Act.RAISE_SEVERITY, first, severity="critical", reason="A machete is seen.")
    refused = rally.try_to("demo_provincial", Act.MERGE, first, survivor=str(second.pk))
    assert refused.status_code == 400
    with pytest.raises(ValidationError):
        from incidents import actions

        actions.merge(first, by=rally.cast.demo_provincial, survivor=second.pk, version=first.version, now=rally.now)
