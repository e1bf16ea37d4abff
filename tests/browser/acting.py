"""Acting on a case in the browser the way a person does: press the act, fill its form, send it."""

from __future__ import annotations

import re
from typing import Any

CASE = re.compile(r"/incidents/[0-9a-f-]{36}/(\?.*)?(#.*)?$")


def press(page: Any, act: str) -> Any:
    """Press the button of an act wherever the page offers it; its form, in a dialog or on a page of its own."""
    # A part of the page that has only begun to arrive shows buttons that its rest will hide.
    page.wait_for_load_state()
    button = page.locator(f"a[data-act][href$='act={act}']")
    if not button.locator("visible=true").count():
        page.locator(".more-acts > summary").click()
    button.locator("visible=true").first.click()
    form = page.locator("form[data-act-form]:visible")
    form.wait_for()
    return form


def send(page: Any, form: Any) -> None:
    """Send the form and wait for the case to say that something was done."""
    before = page.locator(".timeline .entry").count() if CASE.search(page.url) else None
    form.locator("button[type=submit]").click()
    page.wait_for_url(CASE)
    if before is not None:
        page.locator(".timeline .entry").nth(before).wait_for()
    page.locator(".timeline .entry").first.wait_for()


def do(page: Any, act: str, *, choose: dict[str, Any] | None = None, **typed: str) -> None:
    """One act from button to timeline; `choose` for lists and yes-or-no, `typed` for what is written."""
    form = press(page, act)
    for name, value in typed.items():
        form.locator(f"[name={name}]").fill(value)
    for name, value in (choose or {}).items():
        field = form.locator(f"[name={name}]")
        if field.first.get_attribute("type") == "radio":
            form.locator(f"[name={name}][value={value}]").check()
        else:
            field.select_option(**value) if isinstance(value, dict) else field.select_option(value)
    send(page, form)


def newest(page: Any) -> str:
    """The newest entry of the timeline, as it is read."""
    text: str = page.locator(".timeline .entry").first.inner_text()
    return text
