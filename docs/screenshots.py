"""The pictures of the guides, taken anew from a running demonstration: `python docs/screenshots.py [ADDRESS] [NAME …]`.

Start one first (`make run PORT=8761 VAR_DIR=/tmp/docs`). Only reads, except that it fills in a report it does not send.
Pictures are reduced to a palette, and the largest fits in LARGEST.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parent / "img"
LARGEST = 150_000
PHONE, DESK, TALL = (390, 780), (1280, 860), (1280, 1180)


@dataclass(frozen=True)
class Shot:
    """One picture: who looks, at which address, how; `then` prepares the page."""

    name: str
    who: str
    address: str
    size: tuple[int, int] = DESK
    language: str = "en"
    then: Callable[[Page], None] | None = None


def _settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(400)


def _first_case(page: Page) -> None:
    link = page.locator("main a[href*='/incidents/0']").first
    page.goto(page.url.split("/incidents/")[0] + str(link.get_attribute("href")))


def _act(name: str) -> Callable[[Page], None]:
    """The form of one act, of the first case that offers it."""

    def then(page: Page) -> None:
        found = page.locator("main a[href*='/incidents/0']")
        links = [str(found.nth(n).get_attribute("href")) for n in range(min(found.count(), 12))]
        base = page.url.split("/incidents/")[0]
        for link in links:
            answer = page.goto(f"{base}{link.split('?')[0]}acts/?act={name}")
            if answer is not None and answer.ok:
                return

    return then


def _typed(page: Page) -> None:
    """A theft, filled in as far as the receipt's promises: who will answer for it, and by when."""
    page.locator("input[name=category][value='CRM-06']").first.check(force=True)
    page.wait_for_timeout(300)
    story = "A motorbike was taken from in front of the market at about nine. Nobody was hurt; the owner waits here."
    page.locator("textarea[name=narrative]").first.fill(story)
    page.locator("textarea[name=narrative]").first.blur()
    page.wait_for_timeout(1500)
    _top("h2:has-text('Who will own this')")(page)


def _top(selector: str) -> Callable[[Page], None]:
    """Scrolled so that `selector` stands at the top."""

    def then(page: Page) -> None:
        part = page.locator(selector).first
        if part.count():
            part.evaluate(
                "e => window.scrollTo(0, e.getBoundingClientRect().top + scrollY - 8 - "
                "document.querySelector('.header').getBoundingClientRect().height)"
            )

    return then


def _last_drill(page: Page) -> None:
    """The oldest drill of the list: the one of the whole country."""
    page.locator("main .drill-item .case-title").last.click()
    page.wait_for_url("**/drills/*/")


def _part_of_last_drill(selector: str) -> Callable[[Page], None]:
    def then(page: Page) -> None:
        _last_drill(page)
        _top(selector)(page)

    return then


QUEUE, LOG, BOARD, WEEK = "/incidents/", "/incidents/new/", "/dashboard/", "/reports/weekly/"
NEXT, DRILLS = "/escalation/", "/escalation/drills/"
SHOTS = (
    Shot("sign-in", "", "/account/sign-in/"),
    Shot("officer-start", "demo-officer-takeo", "/", PHONE),
    Shot("officer-log", "demo-officer-takeo", LOG, PHONE),
    Shot("officer-log-km", "demo-officer-takeo", LOG, PHONE, "km"),
    Shot("officer-typed", "demo-officer-takeo", LOG, then=_typed),
    Shot("officer-cases", "demo-officer-takeo", QUEUE, PHONE),
    Shot("commander-start", "demo-duty-daunkeo", "/"),
    Shot("commander-queue", "demo-duty-daunkeo", QUEUE),
    Shot("commander-queue-km", "demo-duty-daunkeo", QUEUE, PHONE, "km"),
    Shot("commander-case", "demo-duty-daunkeo", QUEUE, then=_first_case),
    Shot("commander-case-phone", "demo-duty-daunkeo", QUEUE, PHONE, then=_first_case),
    Shot("commander-acknowledge", "demo-duty-daunkeo", QUEUE, PHONE, then=_act("acknowledge")),
    Shot("province-board", "demo-province-takeo", BOARD),
    Shot("psc-queue", "demo-psc-watch", QUEUE),
    Shot("psc-act", "demo-psc-watch", QUEUE, then=_act("hand_back")),
    Shot("dashboard", "demo-nec-secretariat", BOARD, TALL),
    Shot("dashboard-km", "demo-nec-secretariat", BOARD, TALL, "km"),
    Shot("nec-classify", "demo-nec-secretariat", "/nec/"),
    Shot("nec-notices", "demo-nec-secretariat", "/nec/notices/"),
    Shot("ministry-week", "demo-ministry-analyst", WEEK),
    Shot("ministry-cases", "demo-ministry-analyst", QUEUE),
    Shot("admin-data", "demo-admin", "/admin/"),
    Shot("integrity-queue", "demo-integrity-99", QUEUE),
    Shot("auditor-case", "demo-auditor", QUEUE, then=_first_case),
    Shot("inbox", "demo-duty-daunkeo", "/incidents/inbox/"),
    Shot("ladder-board", "demo-psc-watch", NEXT),
    Shot("ladder-board-km", "demo-province-takeo", NEXT, PHONE, "km"),
    Shot("ladder-drill", "demo-psc-watch", DRILLS, TALL, then=_last_drill),
    Shot("ladder-drill-phone", "demo-duty-daunkeo", DRILLS, PHONE, then=_part_of_last_drill(".drill-figures")),
    Shot("ladder-drill-km", "demo-psc-watch", DRILLS, PHONE, "km", _part_of_last_drill(".drill-where")),
    Shot("tokens", "demo-province-takeo", "/account/tokens/"),
    Shot("api", "demo-province-takeo", "/api/v1/docs/"),
)


def take(browser: Browser, base: str, shot: Shot, signed_in: dict[str, list[dict[str, object]]]) -> bytes:
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if shot.size == PHONE else 1,
        locale="km-KH" if shot.language == "km" else "en-GB",
        timezone_id="Asia/Phnom_Penh",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    if shot.who and shot.who not in signed_in:
        page.goto(f"{base}/account/sign-in/")
        # A demonstration lists its accounts on the sign-in page.
        page.locator(f"button[name=username][value='{shot.who}']").click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        signed_in[shot.who] = [dict(c) for c in context.cookies()]
    context.add_cookies(signed_in.get(shot.who, []))  # type: ignore[arg-type]
    context.add_cookies([{"name": "language", "value": shot.language, "url": base}])
    page.goto(base + shot.address)
    _settled(page)
    if shot.then:
        shot.then(page)
        _settled(page)
    picture: bytes = page.screenshot()
    context.close()
    return picture


def small(picture: bytes) -> bytes:
    """The picture as a PNG with as many colours as fit in LARGEST, at most 192."""
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    packed = b""
    for colours in (192, 96, 48, 24):
        out = io.BytesIO()
        whole.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        packed = out.getvalue()
        if len(packed) <= LARGEST:
            break
    return packed


def main(arguments: list[str]) -> int:
    base = next((a.rstrip("/") for a in arguments if re.match(r"https?://", a)), "http://127.0.0.1:8761")
    names = {a for a in arguments if not a.startswith("http")}
    chosen = [s for s in SHOTS if not names or s.name in names]
    program = shutil.which("chromium") or shutil.which("google-chrome")
    FOLDER.mkdir(exist_ok=True)
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        signed_in: dict[str, list[dict[str, object]]] = {}
        for shot in chosen:
            try:
                packed = small(take(browser, base, shot, signed_in))
            except Exception as fault:  # one page that changed must not lose the other pictures
                failed += 1
                print(f"{shot.name}: {fault}")
                continue
            (FOLDER / f"{shot.name}.png").write_bytes(packed)
            print(f"{shot.name}: {len(packed) // 1000} kB")
        browser.close()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
