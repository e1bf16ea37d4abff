"""Drills in a browser: the pages keep the rules of the design, and one is held from the first press to the answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents import drills
from incidents.delivery.drills import answer_path
from incidents.escalation import rehearsal
from incidents.models import Drill
from tests.browser.conftest import DESK, PHONE
from tests.browser.rules import hold


@pytest.fixture
def held(live_server: Any, cast: Any) -> list[Drill]:
    """One of the country that is over, one of Takeo that runs, one that is planned."""
    now = timezone.now()
    then = now - dt.timedelta(days=2)
    over = drills.start("The whole country", ["PSC"], minutes=10, by=cast.nec, now=then)
    call = over.calls.get(command__code="KH2108")
    drills.answer(call, by=cast.duty_commander, now=then + dt.timedelta(minutes=2))
    for minutes in (10, 20, 30):
        rehearsal.advance(then + dt.timedelta(minutes=minutes))
    runs = drills.start("ពិនិត្យខេត្តតាកែវ", ["KH21"], minutes=30, by=cast.provincial, now=now)
    later = drills.start("Next week", ["KH99"], minutes=15, by=cast.psc, now=now, starts_at=now + dt.timedelta(days=6))
    return [over, runs, later]


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_pages_keep_the_rules_of_the_design(
    cast: Any, held: list[Drill], browse: Any, size: str, language: str
) -> None:
    phone = size == "phone"
    page = browse(cast.psc, screen=PHONE if phone else DESK, language=language)
    call = held[1].calls.get(command__code="KH2108")
    addresses = [reverse("escalation:drills"), reverse("escalation:drill_new")]
    addresses += [reverse("escalation:drill", args=[drill.pk]) for drill in held]
    addresses += [reverse("escalation:drill_heard", args=[call.pk])]
    for address in addresses:
        page.goto(address)
        for summary in page.locator(".drill-districts > summary").all()[:2]:
            summary.click()
        hold(page, phone=phone)


def test_a_drill_from_the_first_press_to_the_answer(cast: Any, live_server: Any, browse: Any) -> None:
    page = browse(cast.provincial, screen=PHONE)
    page.goto(reverse("escalation:drills"))
    page.locator("main .btn--primary").first.click()
    page.fill("[name=name]", "Monday morning")
    page.check("[value=KH2108]")
    page.click("[value=preview]")
    page.locator("text=3 commands would be called").wait_for()
    assert not Drill.objects.exists()
    page.click("[value=start]")
    page.wait_for_url("**/drills/*/")
    assert page.locator("h1").inner_text().startswith("Monday morning")
    other = browse(cast.duty_commander, screen=PHONE)
    other.goto(reverse("incidents:inbox"))
    other.locator("text=I am here").click()
    other.locator("text=your answer is recorded").wait_for()
    # The page that was open all the time renews itself.
    page.evaluate("dispatchEvent(new Event('online'))")
    page.locator(".drill-districts summary", has_text="answered in time").wait_for()


def test_the_link_of_a_message_needs_no_script_and_no_signing_in(cast: Any, held: list[Drill], browse: Any) -> None:
    call = held[1].calls.get(command__code="KH2108")
    page = browse(screen=PHONE, java_script_enabled=False)
    page.goto(answer_path(call.pk, cast.duty_commander.pk))
    assert the_button_is_at_hand(page)
    page.locator("main form button").click()
    page.locator("main [role=status]").wait_for()
    call.refresh_from_db()
    assert (call.answered_by, call.channel) == (cast.duty_commander, "link")


def the_button_is_at_hand(page: Any) -> bool:
    """Whether the one button is large enough and in view."""
    box = page.locator("main form button").bounding_box()
    return bool(box["height"] >= 44 and box["y"] + box["height"] <= PHONE["height"])
