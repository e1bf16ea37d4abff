"""With no Celery at all, a page somebody leaves open moves what is due; the board and the engine's pages are sound."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.models import EngineState, Incident
from tests.browser.conftest import DESK, PHONE
from tests.browser.rules import axe
from tests.factories import make_incident

Browse = Callable[..., Any]


@pytest.fixture
def overdue(live_server: Any, cast: Any) -> Incident:
    """A low case that nobody acknowledged for three days, while the engine has not run for ten minutes."""
    now = timezone.now()
    away = now - dt.timedelta(minutes=10)
    EngineState.objects.update_or_create(pk=1, defaults={"last_ok_at": away, "last_started_at": away})
    return make_incident(now=now - dt.timedelta(days=3))


def test_an_open_page_moves_the_case_and_says_so(overdue: Incident, cast: Any, browse: Browse) -> None:
    page = browse(cast.psc)
    page.goto(reverse("incidents:list"))
    assert page.locator("[data-engine] form").count() == 1
    page.locator("[data-engine-did]").filter(has_text="in your cases").wait_for()
    overdue.refresh_from_db()
    assert overdue.owner != cast.command("duty_commander")
    assert page.locator("[data-engine]").is_visible(), "the engine itself still does not run"


def test_without_a_script_the_button_does_the_same(overdue: Incident, cast: Any, browse: Browse) -> None:
    page = browse(cast.duty_commander, screen=PHONE, java_script_enabled=False)
    page.goto(reverse("escalation:board") + "?show=overdue")
    assert overdue.reference in page.locator("main").inner_text()
    page.locator("[data-engine] form button").click()
    assert "in your cases" in page.locator("main").inner_text()
    assert overdue.reference not in page.locator(".board").all_inner_texts()
    overdue.refresh_from_db()
    assert overdue.owner != cast.command("duty_commander")


@pytest.mark.parametrize("name", ["escalation:board", "escalation:engine", "escalation:held"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_the_pages_fit_and_axe_finds_nothing(
    name: str, screen: dict[str, int], overdue: Incident, cast: Any, browse: Browse, language: str
) -> None:
    EngineState.objects.update(held_at=timezone.now(), held_count=60, last_ok_at=timezone.now())
    page = browse(cast.psc, screen=screen, language=language)
    page.goto(reverse(name))
    assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]
    assert axe(page) == []
