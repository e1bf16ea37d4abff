"""Filling in the page on which an incident is logged, as its tests do."""

from __future__ import annotations

import re
from typing import Any

from tests.cast import COMMUNE

LOG = "/incidents/new/"
WORDS = "A motorbike was taken from the market while its owner bought rice."
CASE = re.compile(r"/incidents/[0-9a-f-]{36}/$")
#: What the page says of a report that waits for a connection.
KEPT = "text=The report is saved on the phone and sends by itself"


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
