"""Every number of the dashboard opens the list that counts exactly the same cases: each role, each kind of filter."""

import datetime as dt
import re
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.http import QueryDict
from django.utils import timezone

from incidents.choices import Classification, Severity, State
from incidents.dashboards.cards import tiles
from incidents.dashboards.links import listing, listing_since
from incidents.dashboards.question import Question
from incidents.dashboards.screen import build
from incidents.filters import CaseFilter
from incidents.models import Incident
from incidents.tallies import rebuild
from tests.cast import COMMUNE, DEMO_COMMUNE, NEIGHBOUR, NOW, OTHER_PROVINCE, TAKEO
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db
FILTERS = (
    "", f"place={TAKEO}", "place=KH99", "severity=high", "severity=critical&severity=low", "category=CRM",
    "category=CRM-06", "state=late", "state=open", "state=ended", "state=responding", "state=late&state=ended",
    "classification=undetermined", "classification=ordinary", "owner=PSC", "reported_from=2027-05-25",
    "reported_to=2027-05-24", "q=TEST", "phase=campaign", "election=CC27", "severity=high&state=late&category=CRM",
)  # fmt: skip


@pytest.fixture
def cases(cast: Any) -> None:
    places = (COMMUNE, f"{NEIGHBOUR}01", f"{OTHER_PROVINCE}0103", DEMO_COMMUNE)
    states = (State.REPORTED, State.RESPONDING, State.CLOSED, State.WITHDRAWN)
    for index in range(48):
        state = states[index // 4 % 4]
        past = dt.timedelta(hours=index % 7 * 7)
        late = state in (State.REPORTED, State.RESPONDING) and index % 3 == 0
        plain_case(
            place_id=places[index % 4],
            severity=(Severity.LOW, Severity.HIGH, Severity.CRITICAL)[index % 3],
            state=state,
            reported_at=NOW - past,
            classification=Classification.ORDINARY if index % 5 == 0 else Classification.UNDETERMINED,
            owner=cast.command("psc" if index % 8 == 1 else "duty_commander"),
            is_sealed=index == 47,
            **({"next_due_at": NOW - dt.timedelta(hours=1)} if late else {}),
        )
    rebuild()


def listed(user: Any, query: str) -> int:
    """How many cases the list behind a link holds."""
    asked = CaseFilter.from_query(QueryDict(query)).with_default_state("open")
    return asked.apply(Incident.objects.visible_to(user), user, NOW).count()


@pytest.mark.parametrize("person", ["nec", "provincial", "duty_commander", "officer", "ministry"])
def test_a_number_is_the_length_of_its_list(cast: Any, cases: None, person: str) -> None:
    user = getattr(cast, person)
    looked_at = 0
    for filters in FILTERS:
        question = Question(user, NOW, CaseFilter.from_query(QueryDict(filters)))
        if question.places == ():
            continue  # the page is not there: the place is out of view
        for name, value, link in numbers(build(question)):
            if link is not None:
                assert (filters, name, value) == (filters, name, listed(user, link))
                looked_at += 1
            else:
                assert not value or question.asked.state, (filters, name)
    assert looked_at > 50


def numbers(page: dict[str, Any]) -> list[tuple[str, int, str | None]]:
    """Each number of the page that counts cases: its name, its value, the address of its list."""
    found = [(tile.name, tile.value, tile.cases) for tile in page["tiles"] if not tile.is_percent]
    for area in page["areas"]:
        found += [(f"{area['code']} {name}", area[name], link) for name, link in area["links"].items()]
    if page["picked"]:
        found += [(name, n, link) for name, n, _width, link in page["picked"]["categories"]]
    return found


def test_each_number_has_a_list_where_nothing_narrows_the_page(cast: Any, cases: None) -> None:
    page = build(Question(cast.nec, NOW))
    assert [tile.name for tile in page["tiles"] if tile.cases is None] == ["within_target"]
    assert all(link for area in page["areas"] for link in area["links"].values())


def test_the_link_of_a_figure_leads_to_a_list_of_that_length(cast: Any, signed_in: Any, make_incident: Any) -> None:
    """Once through the pages themselves: the figure, its address, the number the list says."""
    now = timezone.now()
    for severity in ("low", "critical", "critical"):
        make_incident(now=now - dt.timedelta(minutes=1), severity=severity)
    client = signed_in(cast.nec)
    html = client.get("/dashboard/").content.decode()
    found = re.search(r'data-figure="serious" href="([^"]+)".*?kpi__n">(\d+)', html, re.S)
    assert found
    assert found[2] == "2"
    page = client.get(found[1].replace("&amp;", "&"))
    assert len(page.context["page"].rows) == 2


def test_every_figure_says_what_it_counts(cast: Any, signed_in: Any, cases: None) -> None:
    html = signed_in(cast.nec).get("/dashboard/").content.decode()
    for tile in tiles(Question(cast.nec, NOW), {}):
        assert tile.definition in html


# ---- Narrowing ----


@pytest.mark.parametrize(
    ("asked", "wanted", "expected"),
    [
        ("", {"state": ("open",)}, "state=open"),
        ("state=late", {"state": ("open",)}, "state=late"),
        ("state=late", {"state": ("late",)}, "state=late"),
        ("state=ended", {"state": ("open",)}, None),
        ("state=all", {"state": ("late",)}, "state=late"),
        ("state=reported", {"state": ("late",)}, None),
        ("state=reported&state=closed", {"state": ("open",)}, "state=reported"),
        ("severity=low", {"severity": ("critical", "high")}, None),
        ("severity=low&severity=high", {"severity": ("critical", "high")}, "severity=high"),
        ("place=KH2108", {"place": "KH21"}, "place=KH2108"),
        ("place=KH21", {"place": "KH2108"}, "place=KH2108"),
        ("place=KH21", {"place": "KH20"}, None),
        ("category=CRM", {"category": ("CRM-06",)}, "category=CRM-06"),
        ("category=HAZ", {"category": ("CRM-06",)}, None),
    ],
)
def test_a_link_narrows_what_is_asked_for_and_never_widens_it(asked: str, wanted: Any, expected: str | None) -> None:
    found = listing(CaseFilter.from_query(QueryDict(asked)), **wanted)
    assert found == expected if expected is None or found is None else parse_qs(found) == parse_qs(expected)


def test_what_was_reported_today_keeps_narrower_days() -> None:
    day = dt.date(2027, 5, 25)
    assert listing_since(CaseFilter(), day) == "state=all&reported_from=2027-05-25"
    assert listing_since(CaseFilter(reported_from=dt.date(2027, 5, 1)), day) == "state=all&reported_from=2027-05-25"
    assert listing_since(CaseFilter(reported_to=dt.date(2027, 5, 24)), day) is None
