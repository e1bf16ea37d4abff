"""Logging an incident in a real browser: with a script and without, with a link and without, on phone and desk."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from incidents.models import Incident
from tests.browser.conftest import DESK, PHONE
from tests.browser.reporting import CASE, LOG, WORDS, fill, value_is
from tests.browser.rules import axe, broken, in_the_dark
from tests.cast import COMMUNE

#: The first load of this page may weigh so much over the air, fonts left out (architecture, section 8).
BUDGET = 60_000


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


def test_nothing_for_axe_to_find(liaison: Any, browse: Any, language: str) -> None:
    page = browse(liaison, screen=PHONE, language=language)
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
        assert axe(page) == []
    in_the_dark(page)


def test_the_first_load_keeps_its_budget(officer: Any, browse: Any, language: str) -> None:
    page, weight = browse(officer, screen=PHONE, language=language), {}

    def weigh(response: Any) -> None:
        if "woff2" not in response.url and response.status == 200:
            weight[response.url] = len(gzip.compress(response.body(), 6))

    page.on("response", weigh)
    page.goto(LOG, wait_until="networkidle")
    assert sum(weight.values()) < BUDGET, weight
    assert not [url for url in weight if "leaflet" in url]


def test_a_theft_takes_two_presses_and_one_sentence(officer: Any, browse: Any, language: str, cases: Any) -> None:
    """What a person under way must do, everything else being the default: the kind, the words, send."""
    page = browse(officer, screen=PHONE, language=language)
    page.goto(LOG)
    page.locator(".choice:visible", has_text="CRM-06").tap()
    page.fill("#f-narrative", WORDS)
    page.locator("[data-send]").tap()
    page.wait_for_url(CASE)
    (case,) = cases()
    assert (case.category_id, case.severity, case.place_id) == ("CRM-06", "low", "KH2108")
    assert case.reported_at - case.occurred_at < dt.timedelta(minutes=2)


def test_two_presses_on_send_are_one_case(officer: Any, browse: Any, screen: dict[str, int], cases: Any) -> None:
    page = browse(officer, screen=screen)
    fill(page)
    page.locator("[data-send]").dblclick()
    page.wait_for_url(CASE)
    assert len(cases()) == 1


def test_two_presses_without_a_script_are_one_case(officer: Any, browse: Any, cases: Any) -> None:
    page = browse(officer, screen=PHONE, java_script_enabled=False)
    page.goto(LOG)
    page.locator("details[data-group=CRM] > summary").click()
    page.locator(".choice", has_text="CRM-06").click()
    page.fill("#f-narrative", WORDS)
    page.locator("button[value=send]").click()
    page.wait_for_url(CASE)
    first = page.url
    page.go_back()
    page.locator("button[value=send]").click()
    page.wait_for_url(CASE)
    assert page.url == first
    assert len(cases()) == 1


def test_back_from_a_sent_report_begins_a_new_one(
    officer: Any, browse: Any, screen: dict[str, int], cases: Any
) -> None:
    page = browse(officer, screen=screen)
    fill(page)
    page.click("[data-send]")
    page.wait_for_url(CASE)
    page.go_back()
    value_is(page, "#f-narrative", "")
    assert page.locator("input[name=category]:checked").count() == 0
    assert len(cases()) == 1


def test_what_will_happen_is_shown_before_it_is_sent(cast: Any, officer: Any, browse: Any, language: str) -> None:
    page = browse(officer, screen=PHONE, language=language)
    fill(page)
    ahead = page.locator("[data-ahead] .ladder__step")
    ahead.nth(2).wait_for()
    names = [cast.command(n) for n in ("duty_commander", "provincial", "psc")]
    shown = [step.inner_text() for step in ahead.all()]
    for step, command in zip(shown, names, strict=True):
        assert (command.name_km if language == "km" else command.name_en) in step
        assert re.search(r"\d\d:\d\d", step)


def test_a_case_that_may_be_the_same_is_offered(
    officer: Any, browse: Any, make_incident: Callable[..., Incident], cases: Any
) -> None:
    make_incident(now=timezone.now(), by=officer, narrative="A motorbike was taken, seen from the other side.")
    page = browse(officer, screen=PHONE)
    fill(page)
    same = page.locator("[data-ahead] .list a").first
    same.click()
    page.wait_for_url(CASE)
    assert len(cases()) == 1


def test_photos_go_with_the_report(officer: Any, browse: Any, cases: Any) -> None:
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (320, 240), "#345").save(picture, "JPEG")
    page = browse(officer, screen=PHONE)
    fill(page)
    page.set_input_files(
        "input[name=files]",
        [
            {"name": f"scene-{n}.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue() + bytes([n])}
            for n in (1, 2)
        ],
    )
    page.click("[data-send]")
    page.wait_for_url(CASE)
    (case,) = cases()
    assert sorted(case.attachments.values_list("name", flat=True)) == ["scene-1.jpg", "scene-2.jpg"]
    assert page.locator("#files img").count() == 2


@pytest.mark.parametrize("language", ["km", "en"])
def test_the_form_keeps_the_rules_of_the_design(
    officer: Any, browse: Any, screen: dict[str, int], language: str
) -> None:
    page = browse(officer, screen=screen, language=language)
    page.goto(LOG)
    assert broken(page, phone=screen == PHONE) == []
    page.click("[data-send]")
    page.wait_for_selector("#e-narrative:not([hidden])")
    assert broken(page, phone=screen == PHONE) == []
    fill(page)
    page.wait_for_selector("[data-ahead] .ladder")
    assert broken(page, phone=screen == PHONE) == []
    assert page.locator("[data-send]").is_visible()


def between_the_bars(page: Any, selector: str) -> bool:
    """Whether all of it is seen, below the header and above the bar with the buttons."""
    page.wait_for_timeout(400)
    box = page.locator(selector).bounding_box()
    header, bar = page.locator(".header").bounding_box(), page.locator(".actbar").bounding_box()
    return bool(header["y"] + header["height"] <= box["y"] and box["y"] + box["height"] <= bar["y"])


@pytest.mark.parametrize("has_script", [True, False])
def test_the_first_message_of_a_refused_form_is_seen_whole(officer: Any, browse: Any, has_script: bool) -> None:
    # What a browser's own bars leave of a small phone.
    page = browse(officer, screen={"width": 360, "height": 560})
    page.goto(LOG)
    if has_script:
        page.click("[data-send]")
    else:
        # As the server answers the plain form.
        page.evaluate("HTMLFormElement.prototype.submit.call(document.querySelector('form[data-report]'))")
        page.wait_for_load_state()
    page.wait_for_selector("#e-category:not([hidden])")
    assert between_the_bars(page, "#e-category")


def test_a_point_outside_the_posting_is_asked_about_where_it_is_seen(officer: Any, browse: Any) -> None:
    page = browse(
        officer, screen=PHONE, permissions=["geolocation"], geolocation={"latitude": 11.55, "longitude": 104.92}
    )
    page.goto(LOG)
    # As far down as it goes with the button still above the bar.
    page.evaluate("document.querySelector('[data-here]').scrollIntoView({ block: 'end' })")
    page.click("[data-here]")
    page.wait_for_selector("text=outside the area of your posting")
    assert between_the_bars(page, "[data-point-warning]")
    page.click("text=Keep point and place as they are")
    assert not page.locator("[data-point-warning]").is_visible()
