"""Pages of officers and commanders, held to the rules of the design: phone and desk, both languages, both themes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents import actions
from incidents.escalation.engine import tick
from incidents.models import Incident
from tests.browser.acting import press
from tests.browser.conftest import DESK, PHONE
from tests.browser.rules import broken, hold

WORDS = {
    "km": "មនុស្សពីរនាក់បានវាយតប់គ្នានៅមុខហាង។ នគរបាលបានទៅដល់ ហើយបានសាកសួរស្ត្រីម្នាក់។",
    "en": "Two people fought in front of a shop. The police came and heard a witness there.",
}


@pytest.fixture
def cases(live_server: Any, cast: Any, make_incident: Callable[..., Incident]) -> list[Incident]:
    """One late and moved by rule, one at work with everything in its timeline, one new."""
    now = timezone.now()
    late = make_incident(now=now - dt.timedelta(days=3), severity="high", narrative=WORDS["km"], title="វាយតប់គ្នានៅហាង")
    busy = make_incident(now=now - dt.timedelta(hours=1), severity="medium", narrative=WORDS["en"], injured=2)
    for act, data in (
        ("acknowledge", {"not_concerned": True, "note": WORDS["km"]}),
        ("raise_severity", {"severity": "high", "reason": "A knife was shown."}),
        ("correct", {"fields": {"injured": 3}, "reason": "Counted twice."}),
        ("escalate", {"to": "", "reason": WORDS["en"]}),
    ):
        actions.perform(act, busy, by=cast.duty_commander, version=None, now=now, **data)
    tick(now)
    return [late, busy, make_incident(now=now)]


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_pages_keep_the_rules_of_the_design(
    cast: Any, cases: list[Incident], browse: Any, size: str, language: str
) -> None:
    phone = size == "phone"
    page = browse(cast.provincial, screen=PHONE if phone else DESK, language=language)
    late, busy, _new = cases
    for address in (
        reverse("start"),
        reverse("incidents:list"),
        reverse("incidents:list") + "?state=all&severity=high&severity=low&category=CRM&panel=1",
        reverse("incidents:list") + "?q=nothing-like-this",
        late.get_absolute_url(),
        busy.get_absolute_url(),
        reverse("incidents:inbox"),
    ):
        page.goto(address)
        assert page.get_attribute("html", "lang") == language
        hold(page, phone=phone)
    page.goto(busy.get_absolute_url())
    press(page, "contain")
    hold(page, phone=phone)


@pytest.mark.parametrize("name", ["officer", "duty_commander", "psc", "nec", "ministry"])
def test_each_role_reads_a_start_page_and_a_case_on_a_phone(
    cast: Any, cases: list[Incident], browse: Any, name: str
) -> None:
    page = browse(getattr(cast, name), screen=PHONE, language="km")
    for address in (reverse("start"), cases[1].get_absolute_url()):
        assert page.goto(address).status == 200
        assert broken(page, phone=True) == [], page.url


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_pages_of_nobody_keep_them_too(browse: Any, live_server: Any, size: str, language: str) -> None:
    page = browse(screen=PHONE if size == "phone" else DESK, language=language)
    page.goto(reverse("account:sign_in"))
    hold(page, phone=size == "phone")


def test_the_header_says_election_and_days_in_full(
    cast: Any, cases: list[Incident], browse: Any, language: str
) -> None:
    page = browse(cast.duty_commander, screen=DESK, language=language)
    page.goto(reverse("start"))
    assert page.locator(".context__days").is_visible()
    wide, room = page.locator(".context").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert wide <= room


def test_typed_khmer_keeps_its_height_in_an_english_page(cast: Any, cases: list[Incident], browse: Any) -> None:
    page = browse(cast.duty_commander, screen=PHONE)
    page.goto(cases[0].get_absolute_url())
    for part in ("h1", ".narrative p"):
        height, size = page.locator(part).first.evaluate(
            "e => [getComputedStyle(e).lineHeight, getComputedStyle(e).fontSize].map(parseFloat)"
        )
        assert height / size >= 1.69, part
