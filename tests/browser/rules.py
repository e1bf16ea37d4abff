"""What every page is held to, beyond what axe-core looks for: the rules of the design that a browser can measure."""

from __future__ import annotations

from typing import Any

_LOOK = """(size) => {
  const found = [];
  const shown = (e) => {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    return box.width > 0 && box.height > 0 && style.visibility !== "hidden" && !e.closest(".vh, svg, .skip");
  };
  const said = (e) => (e.innerText ?? e.name ?? "").trim().slice(0, 40);
  const name = (e) => `${e.tagName.toLowerCase()}.${e.className} "${said(e)}"`;
  const wide = document.documentElement.scrollWidth;
  if (wide > size.width) found.push(`scrolls sideways: ${wide} px`);

  // A finger needs 44 px; where a mouse points, 24. A title stretched over its card is as large as the card.
  const least = size.phone ? 44 : 24;
  for (const e of document.querySelectorAll("a, button, select, summary, textarea, input:not([type=hidden])")) {
    if (!shown(e) || e.matches("[type=radio], [type=checkbox], [type=file], .case-title, .next__item")) continue;
    if (e.tagName === "A" && getComputedStyle(e).display === "inline") continue;
    const box = e.getBoundingClientRect();
    if (box.height < least - 0.5 || box.width < least - 0.5) {
      found.push(`too small to press: ${name(e)} ${Math.round(box.width)}x${Math.round(box.height)}`);
    }
  }

  // A table scrolls in its box only where it says so: elsewhere a column would stand half cut and look whole.
  for (const e of document.querySelectorAll("table")) {
    const box = e.parentElement;
    if (shown(e) && !box.matches(".table-wrap--long") && box.scrollWidth > box.clientWidth) {
      found.push(`wider than its box: ${name(e)} ${box.scrollWidth} in ${box.clientWidth}`);
    }
  }

  for (const e of document.querySelectorAll("body *")) {
    if (!shown(e)) continue;
    const style = getComputedStyle(e);
    const texts = [...e.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
    const hides = ["hidden", "clip"].includes(style.overflowX);
    if (texts.length && hides && e.scrollWidth > e.clientWidth + 1) found.push(`cut off: ${name(e)}`);
    // Subscripts and stacked vowels need the height; a single line in a control or a badge may have 1.5 and padding.
    if (texts.some((n) => /[\\u1780-\\u17ff]/.test(n.data))) {
      const height = parseFloat(style.lineHeight) / parseFloat(style.fontSize);
      if (height < 1.5) found.push(`too low for Khmer: ${name(e)} ${height.toFixed(2)}`);
    }
    const px = parseFloat(style.fontSize);
    if (texts.length && px < 12) found.push(`too small to read: ${name(e)} ${px}`);
  }
  return [...new Set(found)];
}"""


_TURNED = """async () => {
  const frame = () => new Promise((next) => requestAnimationFrame(next));
  await frame();
  await frame();
  await Promise.allSettled(document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished));
  await frame();
}"""


def broken(page: Any, *, phone: bool) -> list[str]:
    """Rules the page breaks at its present size."""
    found: list[str] = page.evaluate(_LOOK, {"width": page.viewport_size["width"], "phone": phone})
    return found


def axe(page: Any, *only: str) -> list[str]:
    """What axe-core finds, of all its rules or of those named: rule, the first place and what is wrong there."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": list(only)} if only else None
    found = [(v["id"], v["nodes"][0]) for v in Axe().run(page, options=options).response["violations"]]
    return [f"{rule}: {node['html']} {node['failureSummary']}" for rule, node in found]


def hold(page: Any, *, phone: bool) -> None:
    """The page as it stands keeps every rule, and in the dark, where nothing but colours changes, can be read too."""
    for found in (broken(page, phone=phone), axe(page)):
        assert not found, f"{page.url}: {found}"
    in_the_dark(page)
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")


def in_the_dark(page: Any) -> None:
    """Every colour has turned when it is measured: a fade that had only begun would be judged for half of it."""
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.evaluate(_TURNED)
    found = axe(page, "color-contrast")
    assert not found, f"{page.url} in the dark: {found}"
