"""The frame in a real browser: nothing for axe-core to find, no sideways scroll, nothing the page policy refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commands import actions
from commands.models import User
from tests.browser.rules import axe

PASSWORD = "four quiet words here"
PAGES = ("start", "incidents:inbox", "incidents:more", "account:preferences", "account:tokens")


def look(page: Any, faults: list[str]) -> None:
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways at {width}"
        assert axe(page) == [], f"{page.url} at {width}"
    assert not faults, faults


@pytest.fixture
def duty(live_server: Any, cast: Any) -> User:
    """The duty commander, able to sign in."""
    user: User = cast.duty_commander
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture(params=[("km", "light"), ("en", "dark")], ids="-".join)
def session(request: Any, duty: User) -> tuple[str, str, str]:
    """Language and appearance of the person, and the key of a session."""
    language, theme = request.param
    actions.set_language(duty, language)
    actions.set_theme(duty, theme)
    client = Client()
    client.force_login(duty, backend="django.contrib.auth.backends.ModelBackend")
    return language, theme, client.cookies["sessionid"].value


def test_pages_of_the_frame_are_accessible(session: tuple[str, str, str], live_server: Any, browser: Any) -> None:
    language, theme, key = session
    context = browser.new_context()
    cookies = {"sessionid": key, "language": language}
    context.add_cookies([{"name": k, "value": v, "url": live_server.url} for k, v in cookies.items()])
    page, faults = context.new_page(), []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    for name in PAGES:
        page.goto(live_server.url + reverse(name))
        assert page.get_attribute("html", "lang") == language
        assert page.get_attribute("html", "data-theme") == theme
        look(page, faults)


def test_the_door_works_by_keyboard_and_without_script(duty: User, live_server: Any, browser: Any) -> None:
    page = browser.new_context(java_script_enabled=False, locale="en").new_page()
    page.goto(live_server.url + reverse("account:tokens"))
    page.keyboard.type(duty.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**" + reverse("account:tokens"))
    page.get_by_role("button", name="ខ្មែរ").click()
    assert page.get_attribute("html", "lang") == "km"
