"""Logging an incident in a real browser: with a script and without, with a link and without, on phone and desk."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from incidents.models import Incident
from tests.browser.conftest import DESK, PHONE
from tests.cast import COMMUNE

LOG = "/incidents/new/"
WORDS = "A motorbike was taken from the market while its owner bought rice."
#: The first load of this page may weigh so much over the air, fonts left out (architecture, section 8).
BUDGET = 60_000
CASE = re.compile(r"/incidents/[0-9a-f-]{36}/$")


@pytest.fixture
def officer(live_server: Any, cast: Any) -> Any:
    return cast.officer


@pytest.fixture
def liaison(live_server: Any, cast: Any) -> Any:
    return cast.demo_liaison


@pytest.fixture
def cases() -> Callable[[], list[Incident]]:
    """Cases in the database, oldest first."""
    return lambda: list(Incident.objects.order_by("reported_at"))


def fill(page: Any, words: str = WORDS) -> None:
    page.goto(LOG)
    page.fill("[data-search] input", "thief")
    page.locator(".choice:visible", has_text="CRM-06").click()
    page.select_option("#f-commune", COMMUNE)
    page.fill("#f-narrative", words)


def value_is(page: Any, field: str, value: Any) -> None:
    """Wait for it; the page's policy does not let Playwright evaluate conditions."""
    from playwright.sync_api import expect

    expect(page.locator(field)).to_have_value(value)


def faults(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    return [f"{v['id']}: {v['nodes'][0]['html']}" for v in Axe().run(page).response["violations"]]


def test_a_theft_in_a_few_presses(officer: Any, browse: Any, screen: dict[str, int], cases: Any) -> None:
    page = browse(officer, screen=screen)
    fill(page)
    assert page.locator("[data-sev=low] input").is_checked()
    page.wait_for_selector("text=Who will own this, and by when")
    page.click("[data-send]")
    page.wait_for_url(CASE)
    (case,) = cases()
    assert (case.category_id, case.place_id, case.severity, case.narrative) == ("CRM-06", COMMUNE, "low", WORDS)


def test_without_a_script_press_by_press(officer: Any, browse: Any, language: str, cases: Any) -> None:
    page = browse(officer, screen=PHONE, language=language, java_script_enabled=False)
    page.goto(LOG)
    page.locator("details[data-group=CRM] > summary").click()
    page.locator(".choice", has_text="CRM-06").click()
    page.select_option("#f-commune", COMMUNE)
    page.fill("#f-narrative", WORDS)
    page.locator("button[value=places]").click()
    assert page.locator("#f-village option").count() > 1
    assert page.input_value("#f-narrative") == WORDS
    page.locator("button[value=check]").click()
    page.wait_for_selector("#h-own")
    assert page.locator("input[value=CRM-06]").is_checked()
    page.locator("button[value=send]").click()
    page.wait_for_url(CASE)
    assert len(cases()) == 1


def test_what_is_wrong_is_shown_and_the_photo_stays(officer: Any, browse: Any) -> None:
    page = browse(officer, screen=PHONE)
    fill(page, "short")
    page.set_input_files("input[name=files]", {"name": "scene.txt", "mimeType": "text/plain", "buffer": b"seen"})
    page.click("[data-send]")
    page.wait_for_selector("text=Write a little more")
    assert page.evaluate("document.activeElement.id") == "f-narrative"
    assert page.locator(".file__name").inner_text() == "scene.txt"
    page.fill("#f-narrative", WORDS)
    page.click("[data-send]")
    page.wait_for_url(CASE)
    assert page.locator("text=scene.txt").count() >= 1


def test_no_connection_loses_nothing_and_sends_by_itself_once(officer: Any, browse: Any, cases: Any) -> None:
    page = browse(officer, screen=PHONE)
    fill(page)
    page.context.set_offline(True)
    page.click("[data-send]")
    page.wait_for_selector("text=The report is saved on the phone and sends by itself")
    assert cases() == []
    page.context.set_offline(False)
    page.wait_for_url(CASE)
    assert [c.narrative for c in cases()] == [WORDS]


def test_a_report_that_waits_is_sent_from_any_page(officer: Any, browse: Any, cases: Any) -> None:
    page = browse(officer, screen=PHONE)
    fill(page)
    page.context.set_offline(True)
    page.click("[data-send]")
    page.wait_for_selector("text=The report is saved on the phone and sends by itself")
    other = page.context.new_page()
    page.close()
    other.context.set_offline(False)
    other.goto(reverse("start"))
    other.wait_for_selector("text=Sent from this phone")
    assert len(cases()) == 1


def test_an_answer_that_is_lost_makes_no_second_case(officer: Any, browse: Any, cases: Any) -> None:
    """The report arrives, the line breaks before the answer does; the retry finds its own case."""
    page = browse(officer, screen=PHONE)
    fill(page)
    lost: list[int] = []

    def lose(route: Any) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(f"**{LOG}", lose)
    page.click("[data-send]")
    page.wait_for_selector("text=The report is saved on the phone and sends by itself")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(CASE)
    assert lost == [200]
    assert len(cases()) == 1


def test_a_draft_waits_on_the_phone_for_its_writer_alone(officer: Any, liaison: Any, browse: Any) -> None:
    page = browse(officer, screen=PHONE)
    fill(page, "Half of a sent")
    page.click("#f-injured + button")
    page.click("[data-save-draft]")
    page.wait_for_url("**/")
    page.wait_for_selector("text=On this phone, not sent yet")
    page.locator("[data-drafts-list] a").click()
    value_is(page, "#f-narrative", "Half of a sent")
    assert page.input_value("#f-injured") == "1"
    assert page.locator("input[value=CRM-06]").is_checked()
    value_is(page, "#f-commune", COMMUNE)
    # Another person at the same phone.
    kept = page.evaluate("import('/static/js/drafts.js').then((m) => m.list('999999')).then((all) => all.length)")
    assert kept == 0


def test_signing_out_asks_and_forgets(officer: Any, browse: Any) -> None:
    page = browse(officer)
    fill(page, "Half of a sent")
    page.click("[data-save-draft]")
    page.wait_for_selector("text=On this phone, not sent yet")
    asked: list[str] = []

    def agree(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.accept()

    page.on("dialog", agree)
    page.locator(".menu--who > summary").click()
    page.locator("form[data-forget] button").click()
    page.wait_for_url("**/sign-in/**")
    assert "not sent" in asked[0]
    databases = "import('/static/js/drafts.js').then((m) => m.list('{}')).then((all) => all.length)"
    assert page.evaluate(databases.format(officer.pk)) == 0


def test_the_point_proposes_the_commune_and_a_wrong_one_is_only_a_hint(officer: Any, browse: Any, cases: Any) -> None:
    page = browse(
        officer, screen=PHONE, permissions=["geolocation"], geolocation={"latitude": 10.99, "longitude": 104.785}
    )
    page.goto(LOG)
    page.click("[data-here]")
    value_is(page, "#f-commune", re.compile(".+"))
    proposed = page.input_value("#f-commune")
    options = [o.get_attribute("value") for o in page.locator("#f-commune option").all()]
    other = next(code for code in options if code and code != proposed)
    page.select_option("#f-commune", other)
    page.wait_for_selector("text=The point lies in")
    page.click("[data-move]")
    value_is(page, "#f-commune", proposed)
    page.select_option("#f-commune", other)
    page.click("[data-keep]")
    assert not page.locator("[data-point-warning]").is_visible()
    page.fill("[data-search] input", "flood")
    page.locator(".choice:visible", has_text="HAZ-01").click()
    page.fill("#f-narrative", WORDS)
    page.click("[data-send]")
    page.wait_for_url(CASE)
    (case,) = cases()
    assert (case.place_id, round(case.lat or 0, 2)) == (other, 10.99)


def test_a_tap_on_the_map_sets_the_point(officer: Any, browse: Any) -> None:
    page = browse(officer, screen=PHONE)
    page.goto(LOG)
    assert page.evaluate("typeof window.L") == "undefined"
    page.click("[data-open-map]")
    page.wait_for_selector(".map--pick .area")
    page.locator("[data-map]").click(position={"x": 160, "y": 130})
    value_is(page, "[name=lat]", re.compile(".+"))
    value_is(page, "#f-commune", re.compile(".+"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_for_axe_to_find(liaison: Any, browse: Any, language: str, theme: str) -> None:
    page = browse(liaison, screen=PHONE, language=language, color_scheme=theme)
    page.goto(LOG)
    page.locator("[data-chip=HAZ]").click()
    page.locator("input[value=HAZ-01]").check()
    page.locator("#more > summary").click()
    page.locator("#concern > summary").click()
    page.locator("input[name=concerns][value=command]").check()
    page.click("[data-send]")
    page.wait_for_selector("#e-narrative:not([hidden])")
    for size in (PHONE, DESK, {"width": 320, "height": 640}):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert faults(page) == []


def test_the_first_load_keeps_its_budget(officer: Any, browse: Any, language: str) -> None:
    page, weight = browse(officer, screen=PHONE, language=language), {}

    def weigh(response: Any) -> None:
        if "woff2" not in response.url and response.status == 200:
            weight[response.url] = len(gzip.compress(response.body(), 6))

    page.on("response", weigh)
    page.goto(LOG, wait_until="networkidle")
    assert sum(weight.values()) < BUDGET, weight
    assert not [url for url in weight if "leaflet" in url]
