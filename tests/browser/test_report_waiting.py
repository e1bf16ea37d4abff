"""A report that waits on the phone: what may wait, and what its writer learns when it is not taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from incidents.models import Incident
from tests.browser.conftest import PHONE
from tests.browser.test_log_incident import CASE, LOG, WORDS, fill, value_is
from tests.cast import COMMUNE

KEPT = "text=The report is saved on the phone and sends by itself"
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
