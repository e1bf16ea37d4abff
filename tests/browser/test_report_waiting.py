"""A report kept on the phone, as a draft or until there is a connection: sent once, shown to its writer alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from incidents.models import Incident
from tests.browser.conftest import PHONE
from tests.browser.reporting import CASE, KEPT, LOG, WORDS, fill, value_is
from tests.cast import COMMUNE

REASON = "Choose the market again."


@pytest.fixture
def page(live_server: Any, cast: Any, browse: Any) -> Any:
    """The log page of an officer, on a phone."""
    return browse(cast.officer, screen=PHONE)


def wait_without_connection(page: Any) -> None:
    fill(page)
    page.context.set_offline(True)
    page.click("[data-send]")
    page.wait_for_selector(KEPT)


def refuse(route: Any) -> None:
    if route.request.method != "POST":
        return route.continue_()
    body = json.dumps({"errors": {"narrative": [REASON]}})
    return route.fulfill(status=422, content_type="application/json", body=body)


def test_a_report_that_is_not_complete_does_not_wait(page: Any) -> None:
    fill(page, "short")
    page.wait_for_selector("text=At least 20 characters.")
    page.context.set_offline(True)
    page.click("[data-send]")
    page.wait_for_selector("text=Write a little more")
    assert page.locator(KEPT).count() == 0
    assert page.locator("[data-send]").is_enabled()
    page.fill("#f-narrative", WORDS)
    page.click("[data-send]")
    page.wait_for_selector(KEPT)


def test_a_refusal_is_said_on_the_page_that_waits(page: Any) -> None:
    wait_without_connection(page)
    page.route(f"**{LOG}", refuse)
    page.context.set_offline(False)
    page.wait_for_selector(f"#e-narrative:has-text('{REASON}')")
    assert page.locator("[data-send]").is_enabled()
    assert not page.locator(".banner--offline").is_visible()
    page.unroute(f"**{LOG}")
    page.click("[data-send]")
    page.wait_for_url(CASE)
    assert Incident.objects.count() == 1


def test_a_refusal_is_said_on_the_start_page_and_when_writing_goes_on(page: Any) -> None:
    wait_without_connection(page)
    other = page.context.new_page()
    page.close()
    other.route(f"**{LOG}", refuse)
    other.context.set_offline(False)
    other.goto(reverse("start"))
    entry = other.locator("[data-drafts-list] a", has_text=REASON)
    entry.wait_for()
    assert "Open and mend it" in entry.inner_text()
    other.goto(LOG)
    other.locator("[data-draft-found]", has_text=REASON).wait_for()
    other.click("[data-draft-open]")
    other.wait_for_selector(f"#e-narrative:has-text('{REASON}')")
    assert other.input_value("#f-narrative") == WORDS


def test_signed_out_while_it_waits_leads_to_signing_in(page: Any) -> None:
    wait_without_connection(page)
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.context.set_offline(False)
    link = page.locator("[data-offline] a", has_text="Signed out: sign in to send")
    link.wait_for()
    assert reverse("account:sign_in") in link.get_attribute("href")


def test_signed_out_is_said_on_any_page(page: Any) -> None:
    wait_without_connection(page)
    other = page.context.new_page()
    page.close()
    other.route(f"**{LOG}", lambda route: route.abort())
    other.context.set_offline(False)
    other.goto(reverse("start"))
    other.wait_for_selector("[data-drafts-list] a")
    other.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    other.unroute(f"**{LOG}")
    other.evaluate("dispatchEvent(new Event('online'))")
    other.wait_for_selector(".toast:has-text('Signed out: sign in to send')")


def test_a_report_that_waits_is_not_offered_as_a_draft(page: Any) -> None:
    wait_without_connection(page)
    other = page.context.new_page()
    page.close()
    other.route(f"**{LOG}", lambda r: r.abort() if r.request.method == "POST" else r.continue_())
    other.context.set_offline(False)
    other.goto(LOG)
    other.wait_for_selector("[data-waiting]:not([hidden])")
    assert not other.locator("[data-draft-found]").is_visible()


def test_a_report_that_waits_goes_on_waiting_when_it_was_only_read(page: Any) -> None:
    wait_without_connection(page)
    other = page.context.new_page()
    page.close()
    other.route(f"**{LOG}*", lambda r: r.abort() if r.request.method == "POST" else r.continue_())
    other.context.set_offline(False)
    other.goto(reverse("start"))
    other.click("[data-drafts-list] a:has-text('Waits for a connection')")
    value_is(other, "#f-narrative", WORDS)
    value_is(other, "#f-commune", COMMUNE)
    # As where the browser keeps the page it leaves, and so finishes its writing.
    other.evaluate("dispatchEvent(new Event('pagehide'))")
    other.wait_for_timeout(500)
    other.goto(reverse("start"))
    other.wait_for_selector("[data-drafts-list] a:has-text('Waits for a connection')")
    other.goto(LOG)
    other.wait_for_selector("[data-waiting]:not([hidden])")
    assert not other.locator("[data-draft-found]").is_visible()


def test_a_draft_tells_the_time_of_the_country(live_server: Any, cast: Any, browse: Any) -> None:
    page = browse(cast.officer, timezone_id="America/New_York")
    page.goto(reverse("start"))
    told = page.evaluate("import('/static/js/drafts.js').then((m) => m.moment(Date.UTC(2027, 5, 3, 7, 20)))")
    assert "3 June" in told and "14:20" in told


def test_who_has_no_connection_is_told_that_no_other_page_opens(page: Any) -> None:
    wait_without_connection(page)
    said = page.locator(".banner--offline").inner_text()
    assert "Keep this page open, or close it and come back to it later" in said
    assert "You may leave this page" not in said


# ---- Sent later, once ----


def test_no_connection_loses_nothing_and_sends_by_itself_once(officer: Any, browse: Any, cases: Any) -> None:
    page = browse(officer, screen=PHONE)
    fill(page)
    page.context.set_offline(True)
    page.click("[data-send]")
    page.wait_for_selector(KEPT)
    assert cases() == []
    page.context.set_offline(False)
    page.wait_for_url(CASE)
    assert [c.narrative for c in cases()] == [WORDS]


def test_a_report_that_waits_is_sent_from_any_page(officer: Any, browse: Any, cases: Any) -> None:
    page = browse(officer, screen=PHONE)
    fill(page)
    page.context.set_offline(True)
    page.click("[data-send]")
    page.wait_for_selector(KEPT)
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
    page.wait_for_selector(KEPT)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(CASE)
    assert lost == [200]
    assert len(cases()) == 1


# ---- Drafts ----


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


def test_a_reload_and_another_language_keep_what_was_typed(officer: Any, browse: Any, screen: dict[str, int]) -> None:
    page = browse(officer, screen=screen)
    fill(page)
    page.reload()
    value_is(page, "#f-narrative", WORDS)
    value_is(page, "#f-commune", COMMUNE)
    page.locator("button[name=language]:visible").click()
    page.wait_for_selector("html[lang=km]")
    value_is(page, "#f-narrative", WORDS)
    assert page.locator("input[value=CRM-06]").is_checked()
    # Opened anew it may be another incident: what was begun is offered and not put in by itself.
    page.goto(LOG)
    page.locator("[data-draft-open]").click()
    value_is(page, "#f-narrative", WORDS)


def test_signing_out_of_a_half_written_report_leaves_nothing_on_the_phone(officer: Any, browse: Any) -> None:
    page = browse(officer)
    fill(page)
    page.reload()
    value_is(page, "#f-narrative", WORDS)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator(".menu--who > summary").click()
    page.locator("form[data-forget] button").click()
    page.wait_for_url("**/sign-in/**")
    left = f"import('/static/js/drafts.js').then((m) => m.list('{officer.pk}')).then((all) => all.length)"
    assert page.evaluate(left) == 0
    assert page.evaluate("sessionStorage.length") == 0
