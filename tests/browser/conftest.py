"""Chromium against the live server, on a phone and on a desk, in Khmer and in English.

A browser test asks for `page` (or `browse(person, ...)`) and is run with real pages, styles and scripts. Anything the
page's own policy blocked, any script error and any request to another host fails the test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# Playwright keeps an event loop in this thread, and Django would refuse the database beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root, which is who runs tests in a container.
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=["phone", "desk"])
def screen(request: pytest.FixtureRequest) -> dict[str, int]:
    return PHONE if request.param == "phone" else DESK


@pytest.fixture(params=["km", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browse(browser: Any, live_server: Any, transactional_db: None) -> Iterator[Callable[..., Any]]:
    """`browse(person, screen=PHONE, language="en")` opens a page signed in as `person` (None: nobody)."""
    from django.conf import settings
    from django.test import Client

    opened: list[Any] = []
    wrong: list[str] = []

    def open_page(
        person: Any = None, *, screen: dict[str, int] | None = None, language: str = "en", **more: Any
    ) -> Any:
        context = browser.new_context(
            viewport=screen or DESK,
            base_url=live_server.url,
            locale="km-KH" if language == "km" else "en-GB",
            timezone_id=more.pop("timezone_id", "Asia/Phnom_Penh"),
            has_touch=screen == PHONE,
            is_mobile=screen == PHONE,
            **more,
        )
        opened.append(context)
        cookies = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}]
        if person is not None:
            client = Client()
            client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            cookies.append({"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url})
        context.add_cookies(cookies)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
        page.on("console", lambda m: wrong.append(m.text) if "Content Security Policy" in m.text else None)
        page.on("request", lambda r: wrong.append(f"asks {r.url}") if not _is_ours(r.url, live_server.url) else None)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert wrong == []


@pytest.fixture
def officer(live_server: Any, cast: Any) -> Any:
    return cast.officer


@pytest.fixture
def liaison(live_server: Any, cast: Any) -> Any:
    return cast.demo_liaison


@pytest.fixture
def cases() -> Callable[[], list[Any]]:
    """Cases in the database, oldest first."""
    from incidents.models import Incident

    return lambda: list(Incident.objects.order_by("reported_at"))


@pytest.fixture
def page(browse: Callable[..., Any]) -> Any:
    """A page of nobody, on a desk, in English."""
    return browse()


def _is_ours(url: str, ours: str) -> bool:
    return url.startswith((ours, "data:", "blob:"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
