"""S7: on the evening before polling, word goes round that voting was moved to Monday."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from incidents import notices
from incidents.choices import Act
from incidents.dashboards import measures
from incidents.dashboards.question import Period, Question
from incidents.models import Incident
from tests.cast import COMMUNE, DEMO_COMMUNE, PHNOM_PENH
from tests.journeys.day import Day

pytestmark = pytest.mark.django_db
T0 = dt.datetime(2027, 6, 5, 19, 0, tzinfo=PHNOM_PENH)
MIDNIGHT = 300


def rumours(day: Day) -> list[Incident]:
    """One told by a liaison, two posts that officers read."""
    words = "A message says that voting was moved to Monday."
    told = day.report("liaison", category="INF-02", place=COMMUNE, narrative=words)
    posts = [
        day.report(name, category="INF-02", place=place, narrative=f"{words} Seen as a post.", means="online")
        for name, place in (("officer", COMMUNE), ("demo_officer", DEMO_COMMUNE))
    ]
    return [told, *posts]


def number(day: Day, name: str) -> Any:
    period = Period(day.t0 - dt.timedelta(hours=1), day.now + dt.timedelta(minutes=1))
    return measures.answer(name, Question(user=day.cast.nec, now=day.now, period=period)).value


def test_unverified_it_is_a_report_and_no_confirmed_incident(day: Callable[[dt.datetime], Day]) -> None:
    evening = day(T0)
    cases = rumours(evening)
    assert {case.verification for case in cases} == {"unverified"}
    assert [evening.due(case, "verify") for case in cases] == [24 * 60] * 3
    assert number(evening, "reported") == 3
    assert number(evening, "confirmed") == 0


def test_at_midnight_the_time_to_verify_is_two_hours_and_a_person_alone_settles_it(
    day: Callable[[dt.datetime], Day],
) -> None:
    evening = day(T0)
    told, refuted, left = rumours(evening)
    evening.until(10)
    evening.do("demo_duty", Act.ACKNOWLEDGE, left)
    evening.do("demo_duty", Act.UPDATE, left, note="We ask where it comes from.")
    evening.until(35)
    evening.do("nec", Act.VERIFY, refuted, verification="refuted", note="Voting is tomorrow, as announced.")
    assert evening.due(refuted, "verify") is None
    evening.until(MIDNIGHT - 1, every=10)
    assert evening.due(left, "verify") == 24 * 60
    evening.until(MIDNIGHT)
    left.refresh_from_db()
    assert (left.phase, left.clock_phase) == ("silence", "polling")
    assert evening.due(left, "verify") == MIDNIGHT + 120, "recomputed when the phase begins"
    assert evening.last(left, Act.RETIME).by is None
    assert evening.due(told, "verify") == MIDNIGHT + 120
    evening.until(MIDNIGHT + 119)
    assert not left.escalations.filter(clock="verify", kind="next_told").exists()
    evening.until(MIDNIGHT + 120)
    late = left.escalations.get(clock="verify", kind="next_told")
    assert late.to_command == evening.cast.command("demo_provincial")
    evening.until(MIDNIGHT + 600, every=30)
    left.refresh_from_db()
    assert left.verification == "unverified", "a clock says who is late, never what is true"


def test_the_recomputed_time_does_not_depend_on_when_the_engine_looked(day: Callable[[dt.datetime], Day]) -> None:
    evening = day(T0)
    left = rumours(evening)[2]
    evening.until(MIDNIGHT - 10, every=10)
    evening.until(MIDNIGHT + 37, every=47)
    assert evening.due(left, "verify") == MIDNIGHT + 120


def test_the_nec_says_it_is_false_and_tells_the_public_with_two_people(day: Callable[[dt.datetime], Day]) -> None:
    evening = day(T0)
    told, *posts = rumours(evening)
    evening.until(10)
    evening.do("duty_commander", Act.ACKNOWLEDGE, told)
    evening.until(35)
    for post in posts:
        evening.do("nec", Act.VERIFY, post, verification="refuted", note="Voting is tomorrow, as announced.")
    # What is said is false; that it is being said is true, and is the incident.
    evening.do("nec", Act.VERIFY, told, verification="verified", note="The message is real, and false.")
    assert number(evening, "confirmed") == 1
    evening.do("nec", Act.ESCALATE, told, to="PSC", reason="It is passed on in several provinces.")
    assert evening.owner(told) == "PSC"
    assert {"psc"} <= evening.told(told, kind="escalate")
    assert "provincial" in evening.told(told, kind="informed"), "the rung left out stays informed"

    expires = dt.datetime(2027, 6, 6, 15, 0, tzinfo=PHNOM_PENH)
    draft = notices.draft(told, by=evening.cast.nec, now=evening.at(45), **words(told, expires))
    with pytest.raises(PermissionDenied, match="somebody else must approve"):
        notices.issue(draft, by=evening.cast.nec, now=evening.at(49))
    issued = notices.issue(draft, by=evening.cast.nec_second, now=evening.at(50))
    assert "<expires>2027-06-06T15:00:00+07:00</expires>" in issued.alert_xml
    for person in ("liaison", "officer", "cast-"):
        assert person not in issued.alert_xml, "no author is named"


def words(case: Incident, expires_at: dt.datetime) -> dict[str, Any]:
    return {
        "area": case.place_id[:6],
        "category": "Other",
        "event_km": "ព័ត៌មានមិនពិត",
        "event_en": "False information",
        "headline_km": "ការបោះឆ្នោតគឺនៅថ្ងៃអាទិត្យ",
        "headline_en": "Voting is on Sunday, as announced",
        "instruction_km": "សូមទៅបោះឆ្នោតនៅថ្ងៃអាទិត្យ។",
        "instruction_en": "Please go and vote on Sunday.",
        "expires_at": expires_at,
    }
