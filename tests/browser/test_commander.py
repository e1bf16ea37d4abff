"""A commander in a real browser: find the case, act on it to its end, see what the rule did while nobody acted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.escalation.engine import tick
from incidents.models import Incident
from tests.browser.acting import CASE, do, newest, press, send
from tests.browser.conftest import DESK, PHONE

QUEUE = "/incidents/"


@pytest.fixture
def case(live_server: Any, make_incident: Callable[..., Incident]) -> Incident:
    """A theft of medium severity, reported now."""
    return make_incident(now=timezone.now(), severity="medium")


def expecting(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def test_a_case_is_worked_from_the_queue_to_its_end_and_reopened(
    cast: Any, case: Incident, make_incident: Callable[..., Incident], browse: Any, screen: dict[str, int]
) -> None:
    make_incident(now=timezone.now(), severity="low", narrative="A bicycle was taken from a yard at night.")
    page = browse(cast.duty_commander, screen=screen)
    page.goto(QUEUE)
    assert page.locator("[data-rows] tr").count() == 2
    page.locator("#filters .chip").first.click()
    page.locator("input[name=severity][value=medium]").check()
    page.locator(".panel button").click()
    page.wait_for_url("**severity=medium**")
    page.reload()
    assert page.locator("[data-rows] tr").count() == 1
    page.locator("[data-rows] .case-title").click()
    page.wait_for_url(CASE)

    do(page, "acknowledge", choose={"concerned": "no"}, note="We are on our way.")
    assert "We are on our way." in newest(page)
    assert f"Duty commander @ {cast.command('duty_commander').name}, browser" in newest(page)
    assert re.search(r"\d\d:\d\d", newest(page))
    do(page, "update", update_note="Two witnesses were heard, the street is quiet.")
    assert "Two witnesses" in newest(page)
    do(page, "assign", choose={"assignee": {"index": 1}})
    do(page, "raise_severity", choose={"raised_severity": "high"}, optional_reason="A knife was shown.")
    assert [page.locator(".timeline .entry").first.locator(tag).first.inner_text() for tag in ("del", "ins")] == [
        "Medium",
        "High",
    ]
    do(page, "escalate", reason="Three districts are concerned.")
    province = cast.command("provincial").name
    assert f"Moved up to {province}" in newest(page)
    assert "Three districts are concerned." in newest(page)

    page = browse(cast.provincial, screen=screen)
    page.goto(case.get_absolute_url())
    do(page, "accept")
    do(page, "contain", note="The seller is known and the goods are found.", injured="1")
    assert page.locator(".impact li", has_text="injured").locator("b").inner_text() == "1"
    do(
        page,
        "resolve",
        choose={"outcome": {"index": 1}, "final_verification": "verified"},
        note="The motorbike is back with its owner.",
    )
    case.refresh_from_db()
    assert (case.state, case.verification, bool(case.outcome)) == ("resolved", "verified", True)
    do(page, "reopen", reason="A second motorbike is missing.")
    case.refresh_from_db()
    assert case.reopened_count == 1
    assert "A second motorbike is missing." in newest(page)


def test_the_same_in_khmer_on_a_phone(cast: Any, case: Incident, browse: Any) -> None:
    page = browse(cast.duty_commander, screen=PHONE, language="km")
    page.goto(case.get_absolute_url())
    do(page, "acknowledge", choose={"concerned": "no"})
    do(page, "update", update_note="នគរបាលបានទៅដល់កន្លែងកើតហេតុ ហើយបានសាកសួរសាក្សី។")
    assert "នគរបាលបានទៅដល់" in newest(page)
    assert page.locator(".timeline .entry .entry__body").first.get_attribute("lang") == "km"
    assert not re.search("[A-Za-z]{4}", newest(page))


def test_on_a_phone_the_next_act_stands_under_the_thumb(cast: Any, case: Incident, browse: Any, language: str) -> None:
    page = browse(cast.duty_commander, screen=PHONE, language=language)
    page.goto(case.get_absolute_url())
    button = page.locator("a[data-act][href$='act=acknowledge'] >> visible=true")
    assert button.count() == 1
    for place in (0, 600, 10_000):
        page.evaluate(f"scrollTo(0, {place})")
        box = button.bounding_box()
        assert PHONE["height"] * 0.6 < box["y"] < PHONE["height"] - box["height"]
        top = page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).closest('a')?.href", [box["x"] + 9, box["y"] + 9]
        )
        assert str(top).endswith("act=acknowledge")


def test_what_comes_if_nobody_acts_is_said_and_the_countdown_lives(
    cast: Any, make_incident: Callable[..., Incident], browse: Any
) -> None:
    now = timezone.now()
    case = make_incident(now=now, severity="high")
    page = browse(cast.duty_commander, screen=DESK)
    page.clock.install(time=now)
    page.goto(case.get_absolute_url())
    ahead = page.locator(".ladder__step.is-planned")
    assert ahead.count() >= 2
    assert f"{cast.command('provincial').name} owns it" in ahead.first.inner_text()
    clock = page.locator(".card--act .clock")
    before = clock.locator(".clock__t").inner_text()
    page.clock.fast_forward("10:00")
    expecting(clock.locator(".clock__t")).not_to_have_text(before)
    case.refresh_from_db()
    assert case.next_due_at is not None
    page.clock.fast_forward(int((case.next_due_at - now).total_seconds()) * 1000)
    expecting(clock).to_have_class(re.compile("is-late"))
    assert "Late" in clock.inner_text()


def test_nobody_acts_and_the_province_has_it_in_its_inbox(
    cast: Any, make_incident: Callable[..., Incident], browse: Any, screen: dict[str, int]
) -> None:
    reported = timezone.now() - dt.timedelta(days=2)
    case = make_incident(now=reported, severity="high")
    case.refresh_from_db()
    assert case.next_due_at is not None
    tick(case.next_due_at + dt.timedelta(minutes=1))
    page = browse(cast.provincial, screen=screen)
    page.goto(reverse("start"))
    page.locator("a:visible", has_text="Notices").first.click()
    page.locator("button.notice", has_text="because nobody acted in time").click()
    page.wait_for_url(CASE)
    assert cast.command("provincial").name in page.locator(".axis", has_text="Who owns it").inner_text()
    assert f"Moved up to {cast.command('provincial').name}" in page.locator(".timeline").inner_text()
    assert "By rule" in page.locator(".entry--strong").inner_text()
    assert f"{cast.command('psc').name} owns it" in page.locator(".ladder__step.is-planned").last.inner_text()
    do(page, "acknowledge", choose={"concerned": "no"})
    case.refresh_from_db()
    assert (case.state, case.owner) == ("acknowledged", cast.command("provincial"))


def test_who_is_late_to_a_case_reads_what_happened_and_keeps_what_was_typed(
    cast: Any, case: Incident, browse: Any, screen: dict[str, int]
) -> None:
    slow, quick = browse(cast.duty_commander, screen=screen), browse(cast.provincial, screen=DESK)
    slow.goto(case.get_absolute_url())
    form = press(slow, "update")
    form.locator("[name=update_note]").fill("The road is open again since noon.")
    quick.goto(case.get_absolute_url())
    do(quick, "update", update_note="The province sends a second patrol.")
    form.locator("button[type=submit]").click()
    slow.wait_for_selector("text=Somebody else acted at")
    again = slow.locator("form[data-act-form]:visible")
    assert "The province sends a second patrol." in again.inner_text()
    assert again.locator("[name=update_note]").input_value() == "The road is open again since noon."
    again.locator("button[type=submit]").click()
    slow.wait_for_selector(".timeline >> text=The road is open again since noon.")


def test_an_act_without_its_reason_is_asked_for_it(cast: Any, case: Incident, browse: Any) -> None:
    page = browse(cast.duty_commander, screen=PHONE)
    page.goto(case.get_absolute_url())
    form = press(page, "escalate")
    form.evaluate("form => { form.noValidate = true; }")
    form.locator("button[type=submit]").click()
    page.wait_for_selector("text=Say why, in a few words.")
    case.refresh_from_db()
    assert case.owner == cast.command("duty_commander")


IS_SEEN = """(() => {
  const now = document.activeElement, label = now.closest("label");
  return [now, label].some((e) => e && getComputedStyle(e).outlineStyle !== "none");
})()"""


def tab_to(page: Any, selector: str, most: int = 60) -> None:
    """Press Tab until the element has the focus; every stop on the way must be seen."""
    for _press in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('a, button, input, select, textarea, summary')"):
            assert page.evaluate(IS_SEEN), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_a_case_is_taken_up_by_keyboard_alone(cast: Any, case: Incident, browse: Any) -> None:
    page = browse(cast.duty_commander, screen=DESK)
    page.goto(QUEUE)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # "Skip to content"
    tab_to(page, "[data-rows] .case-title")
    page.keyboard.press("Enter")
    page.wait_for_url(CASE)
    tab_to(page, "a[data-act][href$='act=acknowledge']")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches(\"a[data-act][href$='act=acknowledge']\")")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    tab_to(page, "dialog input[name=concerned]")
    page.keyboard.press("Space")
    tab_to(page, "dialog button[type=submit]")
    page.keyboard.press("Enter")
    page.locator(".timeline .entry").nth(1).wait_for()
    case.refresh_from_db()
    assert case.state == "acknowledged"


def test_two_presses_on_an_act_are_one_entry(cast: Any, case: Incident, browse: Any, screen: dict[str, int]) -> None:
    page = browse(cast.duty_commander, screen=screen)
    page.goto(case.get_absolute_url())
    form = press(page, "update")
    form.locator("[name=update_note]").fill("The street is quiet again.")
    form.locator("button[type=submit]").dblclick()
    page.wait_for_url(CASE)
    page.locator(".timeline .entry").nth(1).wait_for()
    assert case.entries.filter(act="update").count() == 1


def test_without_a_script_the_queue_and_the_acts_are_pages(cast: Any, case: Incident, browse: Any) -> None:
    page = browse(cast.duty_commander, screen=PHONE, java_script_enabled=False)
    page.goto(QUEUE + "?severity=medium")
    page.locator("[data-rows] .case-title").click()
    form = press(page, "acknowledge")
    form.locator("[name=concerned][value=no]").check()
    send(page, form)
    case.refresh_from_db()
    assert case.state == "acknowledged"
