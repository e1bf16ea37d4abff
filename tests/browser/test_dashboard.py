"""The NEC's map and figures in a real browser: what is shaded is what is counted, and every number leads on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from commands import actions as people
from elections.models import Jurisdiction
from incidents import actions
from incidents.models import Category, Incident
from tests.browser.conftest import DESK, PHONE
from tests.browser.rules import broken, hold
from tests.cast import COMMUNE, DEMO_COMMUNE, DISTRICT, NEIGHBOUR, OTHER_PROVINCE, TAKEO

PAGE = "/dashboard/"
SHADE = re.compile(r"\bq([0-5])\b")
#: A point on the screen where a pointer hits this area and nothing that lies over it.
POINT = """(code) => {
  const path = document.querySelector(`#map path.area[data-code="${code}"]`);
  path.closest("#map").scrollIntoView({ block: "center" });
  const box = path.getBoundingClientRect();
  const free = (x, y) => document.elementFromPoint(x, y) === path;
  // A finger is taken to mean what is near: the wider the space around, the better.
  for (const around of [14, 8, 3, 0]) {
    for (let row = 1; row < 24; row += 1) for (let column = 1; column < 24; column += 1) {
      const x = box.x + box.width * column / 24, y = box.y + box.height * row / 24;
      if ([[0, 0], [around, 0], [-around, 0], [0, around], [0, -around]].every(([dx, dy]) => free(x + dx, y + dy))) {
        return { x, y };
      }
    }
  }
  return null;
}"""


@pytest.fixture
def cases(live_server: Any, cast: Any, make_incident: Callable[..., Incident]) -> list[Incident]:
    """Seven open cases: five in Takeo (two of one street), one in Svay Rieng, one in the Demo Province."""
    now = timezone.now() - dt.timedelta(minutes=1)
    street = {"lat": 10.99, "lon": 104.78, "point_precision": "exact"}
    made = [
        make_incident(now=now, severity="critical", category="HAZ-03", **street),
        make_incident(now=now, severity="high", **street | {"lat": 10.991}),
        make_incident(now=now, severity="high", by=cast.psc, place=f"{NEIGHBOUR}01", lat=11.05, lon=104.57),
        make_incident(now=now),
        make_incident(now=now),
        make_incident(now=now, severity="high", by=cast.psc, place=f"{OTHER_PROVINCE}0103", lat=10.87, lon=106.1),
        make_incident(now=now, by=cast.psc, place=DEMO_COMMUNE),
    ]
    for person in (cast.nec, cast.provincial):
        people.set_theme(person, "auto")
    return made


@pytest.fixture
def show(browse: Any) -> Callable[..., Any]:
    """Open the dashboard as somebody and wait until the map is drawn."""

    def open_page(person: Any, query: str = "", **how: Any) -> Any:
        page = browse(person, **how)
        page.goto(f"{PAGE}{query}")
        drawn(page)
        return page

    return open_page


def drawn(page: Any, times: int = 1) -> None:
    """Wait until the map has drawn what it fetched, so many times."""
    page.locator("#map[data-drawn]").wait_for()
    for _ in range(100):
        if int(page.locator("#map").get_attribute("data-drawn")) >= times:
            return
        page.wait_for_timeout(50)
    raise AssertionError("the map was not drawn again")


def press_area(page: Any, code: str) -> None:
    at = page.evaluate(POINT, code)
    assert at, f"no free spot on {code}"
    (page.touchscreen.tap if page.viewport_size["width"] < 500 else page.mouse.click)(at["x"], at["y"])
    page.wait_for_url(f"**place={code}#map-card")
    if len(code) < 8:
        drawn(page)


def figure(page: Any, name: str) -> int:
    return int(page.locator(f'[data-figure="{name}"] .kpi__n').inner_text().split()[0])


def table(page: Any) -> dict[str, int]:
    """Open cases by area, as the table says them."""
    rows = page.locator(".places tbody tr")
    return {
        row.get_attribute("data-code"): int(row.locator("td").first.inner_text().replace(",", "")) for row in rows.all()
    }


# ---- The story ----


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_from_the_country_to_the_commune_and_back(
    cast: Any, cases: list[Incident], show: Any, size: str, language: str
) -> None:
    page = show(cast.nec, screen=PHONE if size == "phone" else DESK, language=language)
    assert figure(page, "open") == 7
    assert figure(page, "serious") == 4
    assert {code: n for code, n in table(page).items() if n} == {TAKEO: 5, OTHER_PROVINCE: 1, "KH99": 1}
    press_area(page, TAKEO)
    assert figure(page, "open") == 5
    assert {code: n for code, n in table(page).items() if n} == {DISTRICT: 4, NEIGHBOUR: 1}
    press_area(page, DISTRICT)
    assert {code: n for code, n in table(page).items() if n} == {COMMUNE: 4}
    names = [Jurisdiction.objects.get(pk=code) for code in (TAKEO, DISTRICT)]
    told = page.locator(".crumbs").inner_text()
    for place in names:
        assert (place.name_km if language == "km" else place.name_en) in told
    press_area(page, COMMUNE)
    assert figure(page, "open") == 4
    assert page.locator("#map").count() == 0
    page.go_back()
    page.wait_for_url(f"**place={DISTRICT}#map-card")
    page.go_back()
    page.wait_for_url(f"**place={TAKEO}#map-card")
    drawn(page)
    page.locator(".crumbs a").first.click()
    page.wait_for_url(f"**{PAGE}?#map-card")
    assert figure(page, "open") == 7


def test_the_map_and_the_table_say_the_same(cast: Any, cases: list[Incident], show: Any) -> None:
    page = show(cast.nec)
    counted = table(page)
    scale = [1, 5, 10, 15, 20]
    labelled = {}
    for path in page.locator("#map path.area").all():
        code = path.get_attribute("data-code")
        found = SHADE.search(path.get_attribute("class"))
        assert found
        assert int(found[1]) == sum(counted[code] >= least for least in scale), code
        words = path.get_attribute("aria-label")
        labelled[code] = int(re.findall(r"(\d+) open", words)[0])
    assert labelled == {code: n for code, n in counted.items() if code != "KH99"}
    (tile,) = page.locator(".area-tile b").all_inner_texts()
    assert int(tile) == counted["KH99"]
    assert sum(counted.values()) == figure(page, "open")


@pytest.mark.parametrize("person", ["nec", "provincial", "ministry"])
def test_each_number_opens_a_list_of_that_length(cast: Any, cases: list[Incident], show: Any, person: str) -> None:
    page = show(getattr(cast, person))
    links = page.locator("a.kpi, .places td a, .catbars a")
    told = [(link.get_attribute("href"), link) for link in links.all()]
    numbers = {}
    for address, link in told:
        text = link.locator(".kpi__n") if link.locator(".kpi__n").count() else link
        last = link.locator("xpath=following-sibling::b") if "catbars" in _around(link) else text
        numbers[address] = int(re.findall(r"\d+", last.inner_text())[0])
    assert len(numbers) >= 6
    for address, n in numbers.items():
        page.goto(address)
        assert page.locator("tbody tr, .case-row").count() == n, address


def _around(link: Any) -> str:
    return str(link.evaluate("e => e.closest('ul')?.className ?? ''"))


def test_silent_places_are_hatched_and_said(cast: Any, cases: list[Incident], show: Any) -> None:
    page = show(cast.nec, f"?place={TAKEO}")
    hatched = page.locator("#map path.hatching[fill='url(#hatch-silent)']:not([fill-opacity='0'])").count()
    rows = page.locator(".places tbody tr", has_text="silent")
    assert hatched == rows.count() == len(table(page)) - 2
    assert "no report in 7 days" in page.locator(".silence").inner_text()
    codes = [row.get_attribute("data-code") for row in rows.all()]
    assert DISTRICT not in codes
    assert "silent" in page.locator(f'#map path[data-code="{codes[0]}"]').get_attribute("aria-label")


# ---- Symbols ----


def test_a_cluster_takes_a_closer_look_until_its_cases_stand_alone(cast: Any, cases: list[Incident], show: Any) -> None:
    page = show(cast.nec, f"?place={TAKEO}")
    cluster = page.locator(".symbol--many")
    assert cluster.inner_text() == "2"
    assert "Critical" in cluster.get_attribute("aria-label")
    for step in range(2, 12):
        if not cluster.count():
            break
        cluster.focus()
        page.keyboard.press("Enter")
        drawn(page, step)
    page.locator(".symbol").nth(1).wait_for(state="attached")
    assert cluster.count() == 0
    assert "symbol" in page.evaluate("document.activeElement.className")
    page.locator(f'.symbol[aria-label^="{cases[0].reference}"]').press("Enter")
    popup = page.locator(".leaflet-popup-content")
    assert "Critical · Reported" in popup.inner_text()
    assert "within 100 m" in popup.inner_text()
    assert popup.locator(".shape").bounding_box()["width"] < 24
    # By key: a card that is still sliding into view moves away under a pointer.
    popup.locator("a").press("Enter")
    page.wait_for_url(f"**{reverse('incidents:detail', args=[cases[0].pk])}")


def test_who_has_no_exact_place_is_told_the_symbol_is_the_middle_of_a_commune(
    cast: Any, cases: list[Incident], show: Any
) -> None:
    page = show(cast.ministry, f"?place={DISTRICT}")
    page.locator(".symbol--many").press("Enter")
    popup = page.locator(".leaflet-popup-content")
    assert "They stand at one point of the map." in popup.inner_text()
    # By key: a card that is still sliding into view moves away under a pointer.
    popup.locator("a").press("Enter")
    page.wait_for_url(f"**place={COMMUNE}")


def test_a_case_without_a_point_has_a_hollow_symbol_and_a_card_that_says_so(
    cast: Any, live_server: Any, make_incident: Callable[..., Incident], show: Any
) -> None:
    case = make_incident(now=timezone.now() - dt.timedelta(minutes=1), severity="critical", category="HAZ-03")
    page = show(cast.nec, f"?place={DISTRICT}")
    symbol = page.locator("#map .symbol--area")
    assert "Somewhere in" in symbol.get_attribute("aria-label")
    symbol.press("Enter")
    card = page.locator(".leaflet-popup-content").inner_text()
    assert "Somewhere in" in card and case.reference in card


def test_a_small_place_under_its_own_symbol_can_be_pressed(
    cast: Any, live_server: Any, make_incident: Callable[..., Incident], show: Any
) -> None:
    small = Jurisdiction.objects.get(pk=DISTRICT)
    now = timezone.now() - dt.timedelta(minutes=1)
    make_incident(
        now=now, severity="critical", category="HAZ-03", lat=small.lat, lon=small.lon, point_precision="exact"
    )
    page = show(cast.nec, f"?place={TAKEO}", screen=PHONE)
    hit = page.evaluate(
        """(code) => {
          const path = document.querySelector(`#map path.area[data-code="${code}"]`);
          path.closest("#map").scrollIntoView({ block: "center" });
          const box = path.getBoundingClientRect(), middle = [box.x + box.width / 2, box.y + box.height / 2];
          return [document.elementFromPoint(...middle)?.closest(".symbol, path")?.getAttribute("class"), box.width];
        }""",
        DISTRICT,
    )
    assert "symbol" not in (hit[0] or ""), hit
    press_area(page, DISTRICT)


def test_no_word_of_a_case_is_read_as_markup(cast: Any, cases: list[Incident], show: Any) -> None:
    nasty = "<img src=x onerror=alert(1)><b>bold</b>"
    Category.objects.filter(pk=cases[2].category_id).update(name_en=nasty)
    page = show(cast.nec, f"?place={NEIGHBOUR}")
    page.locator(".symbol").press("Enter")
    assert page.locator(".popup__what").inner_text() == nasty
    assert page.locator("#map img, .popup__what b").count() == 0


def test_all_open_cases_are_a_choice(cast: Any, cases: list[Incident], show: Any) -> None:
    page = show(cast.nec)
    before = page.locator(".symbol").count()
    page.locator(".map-choice label").last.click()
    drawn(page, 2)
    assert page.locator(".symbol").count() >= before
    page.get_by_role("button", name="Zoom in").click()
    drawn(page, 3)
    page.get_by_role("button", name="Show the whole map again").click()
    drawn(page, 4)


# ---- Keyboard, no script, looks ----


def test_the_map_by_keyboard(cast: Any, cases: list[Incident], show: Any) -> None:
    page = show(cast.nec)
    page.locator("#map").focus()
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.dataset.code")
    assert first.startswith("KH")
    assert page.locator(".leaflet-tooltip").inner_text()
    page.locator(f'#map path[data-code="{OTHER_PROVINCE}"]').focus()
    page.keyboard.press("ArrowLeft")
    beside = page.evaluate("document.activeElement.dataset.code")
    assert beside not in (OTHER_PROVINCE, None)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**place={beside}#map-card")


def test_without_a_script_the_table_leads_down_and_the_figures_open(
    cast: Any, cases: list[Incident], browse: Any
) -> None:
    page = browse(cast.nec, java_script_enabled=False)
    page.goto(PAGE)
    assert page.locator("#map").is_hidden()
    page.locator(f'tr[data-code="{TAKEO}"] th a').click()
    assert table(page)[DISTRICT] == 4
    page.locator('[data-figure="open"]').click()
    assert page.locator("tbody tr, .case-row").count() == 5


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_the_pages_keep_the_rules_of_the_design(
    cast: Any, cases: list[Incident], browse: Any, size: str, language: str
) -> None:
    phone = size == "phone"
    page = browse(cast.nec, screen=PHONE if phone else DESK, language=language)
    for query in ("", f"?place={TAKEO}&severity=high", f"?place={COMMUNE}", "?category=INF"):
        page.goto(f"{PAGE}{query}")
        if "place=KH210801" not in query:
            drawn(page)
        hold(page, phone=phone)
    for twin in page.locator("details.twin summary").all():
        twin.click()
    page.locator(".dash-filter summary").click()
    hold(page, phone=phone)


@pytest.mark.parametrize("language", ["km", "en"])
def test_no_column_of_the_table_is_cut_at_any_width(
    cast: Any, cases: list[Incident], browse: Any, language: str
) -> None:
    cut = {}
    for width in (390, 1024, 1280, 1440):
        page = browse(cast.nec, language=language, screen=PHONE if width == 390 else DESK | {"width": width})
        for query in ("", f"?place={TAKEO}", "?place=KH99"):
            page.goto(f"{PAGE}{query}")
            # Figures of a bad day, which a few cases do not make.
            page.evaluate("""() => document.querySelectorAll(".places tbody tr").forEach((row) => {
              [[1, "1,280"], [3, "12"], [4, "34"], [5, "128"]].forEach(([n, figure]) => {
                (row.cells[n].querySelector("a") ?? row.cells[n]).textContent = figure;
              });
              if (row.cells[6].textContent.includes("/")) row.cells[6].lastChild.data = "13/14";
            })""")
            found = [rule for rule in broken(page, phone=width == 390) if "wider than its box" in rule]
            if found:
                cut[width, query] = found
    assert cut == {}


def test_an_empty_country_is_not_called_quiet(cast: Any, live_server: Any, show: Any) -> None:
    page = show(cast.nec)
    assert "No report does not mean that nothing happened." in page.locator(".dash-quiet").inner_text()
    assert "districts are silent" in page.locator(".silence").inner_text()
    assert page.locator(".symbol").count() == 0


# ---- A decision moves the number ----


def test_a_classified_case_moves_the_number_without_a_new_page(cast: Any, cases: list[Incident], show: Any) -> None:
    page = show(cast.nec)
    waiting = page.locator(".dash__nec .list__n").first
    assert waiting.inner_text() == "7"
    actions.classify(cases[3], by=cast.nec_second, version=None, now=timezone.now(), classification="ordinary")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.locator(".dash__nec .list__n", has_text="6").first.wait_for()
    page.goto(f"{PAGE}?classification=ordinary")
    assert figure(page, "open") == 1
