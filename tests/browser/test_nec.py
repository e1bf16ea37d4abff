"""The NEC's desk in a real browser: deciding alone and together, taking back, and a notice from draft to the public."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from incidents import actions
from incidents.models import Incident, PublicNotice
from tests.browser.conftest import DESK, PHONE
from tests.browser.rules import hold


@pytest.fixture
def cases(live_server: Any, cast: Any, make_incident: Callable[..., Incident]) -> list[Incident]:
    """A critical case, three small ones of which police propose something for one, and a verified flood."""
    now = timezone.now() - dt.timedelta(minutes=5)
    made = [make_incident(now=now, severity="critical"), *(make_incident(now=now) for _ in range(3))]
    actions.propose(
        made[1], by=cast.duty_commander, version=None, now=now, classification="ordinary", note="A quarrel at home."
    )
    flood = make_incident(now=now, category="HAZ-01", severity="high")
    actions.verify(flood, by=cast.provincial, version=None, now=now, verification="verified", note="Seen by two posts.")
    actions.classify(flood, by=cast.nec_second, version=None, now=now, classification="hazard")
    return [*made, flood]


def waiting(page: Any) -> int:
    return int(page.locator(".nec-case").count())


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_decided_together_taken_back_and_decided_alone(
    cast: Any, cases: list[Incident], browse: Any, size: str, language: str
) -> None:
    page = browse(cast.nec, screen=PHONE if size == "phone" else DESK, language=language)
    page.goto("/nec/")
    assert waiting(page) == 4
    assert page.locator(".nec-case__tick").count() == 3
    assert page.locator(".nec-bulk").is_hidden()
    page.locator("[data-choose-all]").check()
    page.locator(".nec-case__tick input").last.uncheck()
    page.locator('.nec-bulk button[value="ordinary"]').click()
    page.locator(".nec-undo").wait_for()
    card, words = page.locator(".nec-undo").bounding_box(), page.locator(".nec-undo summary b").bounding_box()
    assert card["y"] + card["height"] - words["y"] - words["height"] >= 10
    assert waiting(page) == 2
    page.locator(".nec-undo summary").click()
    page.locator(".nec-undo input[type=checkbox]").first.check()
    page.locator(".nec-undo button").click()
    page.locator(".nec-case").nth(2).wait_for()
    critical = page.locator(f"#case-{cases[0].pk}")
    critical.locator(".nec-grounds summary").click()
    critical.locator('button[name="ground"]').first.click()
    critical.wait_for(state="detached")
    assert waiting(page) == 2
    cases[0].refresh_from_db()
    assert cases[0].classification == "electoral"
    # Nothing of the police's own work has moved.
    assert cases[0].state == "reported"


def test_as_police_propose_and_again_with_a_reason(cast: Any, cases: list[Incident], browse: Any) -> None:
    page = browse(cast.nec)
    page.goto("/nec/?only=proposed")
    assert waiting(page) == 1
    page.locator(".nec-case__tick input").check()
    page.get_by_role("button", name="As police propose").click()
    page.locator(".nec-undo").wait_for()
    page.goto("/nec/decided/")
    row = page.locator("tbody tr", has_text=cases[1].reference)
    assert "As police proposed" in row.inner_text()
    row.locator(".nec-again > summary").click()
    row.locator("textarea").fill("The house is the polling station.")
    row.locator(".nec-grounds summary").click()
    row.get_by_role("button", name="The place or the time").click()
    page.locator("tbody tr", has_text="The house is the polling station.").wait_for()
    cases[1].refresh_from_db()
    assert cases[1].classification == "electoral"


def test_a_notice_from_a_case_to_the_public_and_back(cast: Any, cases: list[Incident], browse: Any) -> None:
    page = browse(cast.nec)
    page.goto("/nec/notices/")
    page.locator("li", has_text=cases[-1].reference).get_by_role("link", name="Draft a notice").click()
    for name, words in (
        ("event_km", "ទឹកជំនន់"), ("headline_km", "ផ្លូវត្រូវទឹកជន់លិច"), ("instruction_km", "សូមប្រើផ្លូវជាតិ។"),
        ("event_en", "Flood"), ("headline_en", "The road is under water"), ("instruction_en", "Use the national road."),
    ):  # fmt: skip
        page.locator(f"[name={name}]").fill(words)
    page.locator(".actbar .btn--primary").click()
    page.wait_for_url("**/nec/notices/*/")
    assert page.get_by_role("button", name="Approve and issue").count() == 0
    second = browse(cast.nec_second)
    second.goto(page.url)
    second.get_by_role("button", name="Approve and issue").click()
    second.locator("text=The message that went out").wait_for()
    notice = PublicNotice.objects.get()
    public = browse(None)
    message = public.request.get(f"/nec/notices/{notice.pk}.cap.xml")
    assert message.ok
    assert "The road is under water" in message.text()
    second.locator("[name=reason]").fill("The water has gone.")
    second.get_by_role("button", name="Cancel the notice").click()
    second.locator(".nec-side__mark", has_text="Cancelled").first.wait_for()
    assert "<msgType>Cancel</msgType>" in public.request.get(f"/nec/notices/{notice.pk}.cap.xml").text()


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_the_pages_keep_the_rules_of_the_design(
    cast: Any, cases: list[Incident], browse: Any, size: str, language: str
) -> None:
    phone = size == "phone"
    page = browse(cast.nec, screen=PHONE if phone else DESK, language=language)
    actions.classify(cases[3], by=cast.nec, version=None, now=timezone.now(), classification="ordinary")
    page.goto("/nec/")
    page.locator(".nec-undo summary").click()
    page.locator(".nec-grounds summary").first.click()
    page.locator(".nec-case__tick input").first.check()
    hold(page, phone=phone)
    page.goto("/nec/decided/")
    page.locator(".nec-again > summary").first.click()
    hold(page, phone=phone)
    for address in ("/nec/?only=late", "/nec/notices/", f"/nec/cases/{cases[-1].pk}/notice/"):
        page.goto(address)
        hold(page, phone=phone)
