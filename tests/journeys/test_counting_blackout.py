"""S10: the power fails where votes are counted, an update is missed, and later a party complains of the results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from incidents.choices import Act
from incidents.models import Incident
from tests.cast import COMMUNE, PHNOM_PENH
from tests.journeys.day import Day

pytestmark = pytest.mark.django_db
T0 = dt.datetime(2027, 6, 6, 18, 40, tzinfo=PHNOM_PENH)
EVERYBODY = {"duty_commander", "provincial", "psc", "nec", "nec_second"}


def until_the_first_update(day: Day) -> Incident:
    case = day.report(
        "officer", category="HAZ-04", place=COMMUNE, voters_affected=120, severity="high",
        narrative="The power failed at the counting office; people wait outside.",
    )  # fmt: skip
    assert case.phase == "counting"
    day.until(3)
    day.do("officer", Act.RAISE_SEVERITY, case, severity="critical", reason="Counting has stopped, boxes are sealed.")
    heard = day.told(case, entry=day.last(case, Act.RAISE_SEVERITY))
    assert heard == EVERYBODY, "every rung and the NEC hear of it in that act"
    assert day.owner(case) == day.code("provincial")
    linked = day.report(
        "officer", category="PRC-05", place=COMMUNE, minutes_stopped=3, severity="critical",
        narrative="Counting was stopped in the dark; the boxes are sealed.",
    )  # fmt: skip
    assert day.told(linked, kind="report") | day.told(linked, kind="informed") == EVERYBODY
    day.do("provincial", Act.MERGE, linked, survivor=str(case.pk))
    day.until(5)
    day.do("provincial", Act.ACKNOWLEDGE, case, note="A generator is on its way.")
    assert day.due(case, "first_update") == 15
    assert day.due(case, "contain") == 100
    day.until(14).reach(15)
    day.do("provincial", Act.UPDATE, case, note="The boxes are guarded by all agents.")
    assert day.due(case, "update") == 45
    return case


def test_a_missed_update_is_told_of_at_its_minute_and_an_update_in_time_keeps_the_owner(
    day: Callable[[dt.datetime], Day],
) -> None:
    evening = day(T0)
    case = until_the_first_update(evening)
    evening.until(44)
    assert not evening.told(case, kind="inform")
    evening.until(45)
    assert evening.told(case, kind="inform") == {"psc"}
    informed = evening.last(case, Act.INFORM)
    assert (informed.at, informed.after["clock"]) == (evening.at(45), "update")
    page = evening.get("provincial", f"incidents/{case.pk}/").json()
    assert page["owner"]["code"] == evening.code("provincial")
    evening.until(70)
    evening.do("provincial", Act.UPDATE, case, note="The generator is here.")
    assert evening.due(case, "update") == 75, "a late update moves no later one"
    evening.until(75)
    evening.do("provincial", Act.CONTAIN, case, note="Counting goes on.", minutes_stopped=72)
    contain = case.clocks.filter(kind="contain").latest("episode")
    assert (contain.state, contain.stopped_at) == ("met", evening.at(75))
    assert contain.stopped_at is not None
    assert contain.stopped_at < contain.deadline_at == evening.at(100)
    evening.until(120)
    assert evening.owner(case) == evening.code("provincial")


def test_still_missing_at_twice_its_time_the_psc_owns_it(day: Callable[[dt.datetime], Day]) -> None:
    evening = day(T0)
    case = until_the_first_update(evening)
    evening.until(74)
    assert evening.owner(case) == evening.code("provincial")
    evening.until(75)
    assert evening.owner(case) == evening.code("psc")
    moved = case.escalations.get(clock="update", kind="owner_moved")
    assert (moved.due_at, moved.fired_at) == (evening.at(75), evening.at(75))
    made = evening.until(76).weekly("nec")["escalation"]
    breach = next(h for h in made["handovers"] if h["reason"] == "update")
    assert (breach["rung"], breach["reached"]) == (2, {"3": 1}), "the province let it run out, the PSC has it"
    assert (made["told"]["value"], made["late"]["value"]) == (1, 0)


def test_the_crowd_was_smaller_and_the_case_waits_for_each_body(day: Callable[[dt.datetime], Day]) -> None:
    evening = day(T0)
    case = until_the_first_update(evening)
    evening.until(70)
    evening.do("provincial", Act.UPDATE, case, note="The generator is here.")
    evening.until(75)
    evening.do("provincial", Act.CONTAIN, case, note="Counting goes on.")
    evening.until(600, every=5)
    summary = evening.weekly_csv("ministry", weeks_ago=1)
    assert evening.weekly("ministry", weeks_ago=1)["escalation"]["vacant"]["value"] == 0
    reason = "Counted again on the pictures."
    evening.do("duty_commander", Act.CORRECT, case, fields={"voters_affected": 40}, reason=reason)
    corrected = evening.last(case, Act.CORRECT)
    assert (corrected.before["voters_affected"], corrected.after["voters_affected"]) == (120, 40)
    evening.until(601)
    assert evening.weekly_csv("ministry", weeks_ago=1) == summary, "the summary of the week stays as it was"
    corrections = evening.weekly("ministry")["corrections"]
    assert corrections["cases"]["value"] == 1
    assert [(f["name"], f["value"]) for f in corrections["by_field"]] == [("voters_affected", 1)]
    evening.until(900, every=5)
    assert evening.owner(case) == evening.code("psc"), "late to resolve, it went up meanwhile"
    evening.do("nec", Act.CLASSIFY, case, classification="hazard")
    for number, (body, days) in enumerate((("cec", 2), ("pec", 3), ("nec", 2)), start=1):
        sent = evening.now.isoformat()
        shown = evening.do("psc", Act.REFER, case, body=body, document=f"{number}/27", sent_at=sent)
        due = dt.datetime.fromisoformat(shown["referrals"][-1]["due_at"])
        assert due == evening.now + dt.timedelta(days=days)
    assert evening.get("provincial", f"incidents/{case.pk}/").json()["referrals"][0]["outcome"] == ""

    # A critical case ends with the NEC's word.
    evening.do("psc", Act.RESOLVE, case, outcome="hazard_removed", verification="verified")
    evening.do("nec", Act.COUNTERSIGN, case)
    assert case.state == "resolved"
    for number in (1, 2, 3):
        refused = evening.try_to("nec_second", Act.CLOSE, case)
        assert refused.status_code == 409
        assert "waits for" in refused.json()["detail"]
        if number == 2:
            # The second body lets its time pass: the owner is told, while the case is resolved.
            evening.until(900 + 3 * 1440 + 1, every=60)
            assert evening.last(case, Act.INFORM).after["clock"] == "legal"
        evening.do("nec", Act.CONCLUDE_REFERRAL, case, referral=number, outcome="rejected")
    evening.do("nec_second", Act.CLOSE, case)
    assert case.state == "closed"
    assert evening.weekly_csv("ministry", weeks_ago=1) == summary, "to the last byte, whatever came after"
