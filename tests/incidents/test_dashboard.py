"""The dashboard as people open it: who may, what it says, where its numbers lead, how it renews itself."""

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.urls import reverse

from incidents import actions, journal
from incidents.choices import Act, Channel
from incidents.dashboards.question import Question
from incidents.dashboards.side import trust
from incidents.models import Entry
from incidents.tallies import cell_of, move
from tests.cast import DEMO_COMMUNE, DISTRICT, NOW
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db
PAGE = "/dashboard/"
#: Queries of the page drawn anew and of the second look; a rise is a decision (docs/decisions/0009-speed.md).
COLD, WARM = 52, 9


def counted(**fields: Any) -> Any:
    case = plain_case(**fields)
    move(None, cell_of(case))
    Entry.objects.create(incident=case, act=Act.REPORT, at=NOW, channel=Channel.BROWSER)
    return case


def tile(html: str, title: str) -> str:
    """The figure of a key-figure tile."""
    found = re.search(rf'kpi__t">(?:<svg.*?</svg>)?{title}</span><span class="kpi__n">(\S+?)[ <]', html, re.S)
    assert found, title
    return found.group(1)


def test_the_nec_sees_the_country(cast: Any, signed_in: Any) -> None:
    counted(severity="critical")
    counted(place_id=DEMO_COMMUNE)
    html = signed_in(cast.nec).get(PAGE).content.decode()
    assert (tile(html, "Open"), tile(html, "Critical or high")) == ("2", "1")
    assert "Waiting for the NEC" in html
    assert "Demo Province" in html


def test_a_district_commander_sees_the_district_and_nothing_of_others(cast: Any, signed_in: Any) -> None:
    counted(severity="critical")
    counted(place_id=DEMO_COMMUNE, severity="critical")
    html = signed_in(cast.duty_commander).get(PAGE).content.decode()
    assert tile(html, "Open") == "1"
    assert "Demo" not in re.sub(r"<footer.*", "", html, flags=re.S).replace("Demonstration", "")
    assert "Waiting for the NEC" not in html
    assert "Sealed cases, 28 days" not in html


def test_a_desk_of_the_chain_reads_that_the_number_of_sealed_cases_is_not_given(cast: Any, signed_in: Any) -> None:
    title = "Sealed cases, 28 days, whole country"
    html = signed_in(cast.demo_integrity).get(PAGE).content.decode()
    assert f"<dt>{title}</dt><dd>not given</dd>" in html
    assert f"<dt>{title}</dt><dd>0</dd>" in signed_in(cast.nec_integrity).get(PAGE).content.decode()


def test_the_analyst_reads_categories_and_no_titles(cast: Any, signed_in: Any) -> None:
    case = counted(severity="critical", title="Stolen at the pagoda")
    assert "Stolen at the pagoda" in signed_in(cast.nec).get(PAGE).content.decode()
    cache.clear()
    html = signed_in(cast.ministry).get(PAGE).content.decode()
    assert "Stolen at the pagoda" not in html
    assert case.category.name_en in html


def test_an_empty_record_says_so_and_since_when(cast: Any, signed_in: Any) -> None:
    html = signed_in(cast.nec).get(PAGE).content.decode()
    assert "No critical or high case is open. Looked at" in html
    assert "No case is open here" in html
    assert "No incident in the last 28 days" in html


@pytest.mark.parametrize("name", ["page", "live", "areas"])
def test_the_administrator_finds_nothing(cast: Any, signed_in: Any, name: str) -> None:
    assert signed_in(cast.administrator).get(reverse(f"dashboards:{name}")).status_code == 404


@pytest.mark.parametrize("name", ["page", "live", "areas"])
def test_a_place_out_of_view_is_like_one_that_does_not_exist(cast: Any, signed_in: Any, name: str) -> None:
    assert signed_in(cast.provincial).get(reverse(f"dashboards:{name}"), {"place": "KH99"}).status_code == 404


@pytest.mark.parametrize("name", ["page", "live", "areas", "points"])
def test_unknown_filters_are_refused_by_name(cast: Any, signed_in: Any, name: str) -> None:
    answer = signed_in(cast.nec).get(reverse(f"dashboards:{name}"), {"colour": "red"})
    assert answer.status_code == 400
    assert "colour" in answer.content.decode()


def test_a_bad_box_is_refused_by_name(cast: Any, signed_in: Any) -> None:
    answer = signed_in(cast.nec).get(reverse("dashboards:points"), {"bbox": "1,2", "zoom": "7"})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["bbox"]


def test_each_figure_opens_its_cases_under_the_same_filters(cast: Any, signed_in: Any) -> None:
    counted()
    html = signed_in(cast.nec).get(PAGE, {"category": "CRM"}).content.decode()
    links = re.findall(r'<a class="kpi" data-figure="[^"]+" href="([^"]+)"', html)
    assert len(links) >= 4
    for link in links:
        assert "category=CRM" in link
        assert "state=" in link


def test_the_live_parts_are_not_sent_twice(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.nec)
    address = reverse("dashboards:live")
    first = client.get(address)
    tag = first.headers["ETag"]
    again = client.get(address, headers={"if-none-match": tag})
    assert again.status_code in (200, 304)  # the minute may have changed between the two
    if again.status_code == 304:
        assert again.content == b""
    counted()
    changed = client.get(address, headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_an_act_on_a_case_out_of_sight_changes_nothing(cast: Any, signed_in: Any, make_sealed: Any) -> None:
    """A tag made of the last act would answer 200 each time somebody works on a sealed case."""
    address = reverse("dashboards:live")
    with time_machine.travel(NOW, tick=False):
        client = signed_in(cast.demo_provincial)
        counted()
        journal.seal_backlog(NOW)
        tag = client.get(address).headers["ETag"]
        sealed = make_sealed(now=NOW)
        journal.seal_backlog(NOW)
        assert client.get(address, headers={"if-none-match": tag}).status_code == 304
        actions.acknowledge(sealed, by=cast.demo_integrity, version=None, now=NOW, note="")
        assert client.get(address, headers={"if-none-match": tag}).status_code == 304
        cache.clear()
        assert client.get(address, headers={"if-none-match": tag}).status_code == 304
    with time_machine.travel(NOW + dt.timedelta(seconds=40), tick=False):
        journal.seal_backlog(NOW + dt.timedelta(seconds=40))
        assert client.get(address, headers={"if-none-match": tag}).status_code == 304


def test_the_record_counts_as_sealed_up_to_now_unless_acts_wait_too_long(cast: Any) -> None:
    counted()
    journal.seal_backlog(NOW)
    minute = dt.timedelta(minutes=1)
    counted()
    assert trust(Question(cast.nec, NOW + 4 * minute))["sealed_at"] == NOW + 4 * minute
    assert trust(Question(cast.nec, NOW + 6 * minute))["sealed_at"] == NOW


def test_one_persons_page_is_never_anothers(cast: Any, signed_in: Any) -> None:
    counted()
    counted(place_id=DEMO_COMMUNE)
    pages = {
        name: tile(signed_in(getattr(cast, name)).get(PAGE).content.decode(), "Open")
        for name in ("nec", "provincial", "demo_provincial", "psc", "duty_commander", "neighbour")
    }
    assert pages == {
        "nec": "2", "provincial": "1", "demo_provincial": "1", "psc": "2", "duty_commander": "1", "neighbour": "0",
    }  # fmt: skip
    assert "Waiting for the NEC" not in signed_in(cast.psc).get(PAGE).content.decode()


def test_the_same_page_in_khmer_is_not_the_english_one(cast: Any, signed_in: Any) -> None:
    case = counted(severity="critical")
    english = signed_in(cast.nec).get(PAGE).content.decode()
    khmer = signed_in(cast.nec, language="km").get(PAGE).content.decode()
    assert case.category.name_km in khmer
    assert case.category.name_km not in english


def test_outlines_are_kept_for_a_year_and_hold_no_counts(cast: Any, signed_in: Any) -> None:
    answer = signed_in(cast.duty_commander).get(reverse("dashboards:outlines", args=["KH"]))
    assert "immutable" in answer.headers["Cache-Control"]
    features = answer.json()["features"]
    assert len(features) == 25
    assert set(features[0]["properties"]) <= {"code"}
    assert signed_in(cast.nec).get(reverse("dashboards:outlines", args=["KH210801"])).status_code == 404


def test_nothing_on_the_page_needs_inline_script_or_style(cast: Any, signed_in: Any) -> None:
    counted(severity="critical")
    answer = signed_in(cast.nec).get(PAGE)
    html = answer.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html)
    assert " style=" not in html
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_the_page_costs_no_more_queries_with_many_cases(
    cast: Any, signed_in: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        counted(severity="high")
    client = signed_in(cast.nec)
    with django_assert_max_num_queries(COLD):
        client.get(PAGE)
    with django_assert_max_num_queries(WARM):
        client.get(PAGE)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("", ""),
        ("/tiles/{z}/{x}/{y}.png", ""),
        ("https://tiles.example.org/{z}/{x}/{y}.png", "https://tiles.example.org"),
        ("https://{s}.tiles.example.org:8443/{z}/{x}/{y}.png", "https://*.tiles.example.org:8443"),
    ],
)
def test_a_tile_server_is_let_in_on_this_page_alone(
    cast: Any, signed_in: Any, settings: Any, address: str, host: str
) -> None:
    settings.MAP_TILE_URL = address
    client = signed_in(cast.nec)
    policy = client.get(PAGE).headers["Content-Security-Policy"]
    images = next(part for part in policy.split(";") if part.strip().startswith("img-src"))
    assert images.split() == ["img-src", "'self'", "data:", "blob:", *([host] if host else [])]
    assert "tiles.example.org" not in client.get("/incidents/").headers["Content-Security-Policy"]


def test_filters_without_a_field_are_sent_along(cast: Any, signed_in: Any) -> None:
    html = signed_in(cast.nec).get(PAGE, {"owner": "PSC", "state": "late", "place": "KH21"}).content.decode()
    for name, value in (("owner", "PSC"), ("state", "late"), ("place", "KH21")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in html


def test_who_sees_own_cases_only_is_told_so(cast: Any, signed_in: Any) -> None:
    said = "These figures are of the cases you reported or were given."
    assert said in signed_in(cast.liaison).get(PAGE).content.decode()
    assert said not in signed_in(cast.provincial).get(PAGE).content.decode()


def test_the_way_up_ends_where_the_persons_view_ends(cast: Any, signed_in: Any) -> None:
    def way(person: Any, place: str) -> list[str]:
        html = signed_in(person).get(PAGE, {"place": place}).content.decode()
        return re.findall(r'<li><a class="link" href="\?([^"]*)#map-card">', html)

    assert way(cast.nec, DISTRICT) == ["", "place=KH21"]
    assert way(cast.provincial, DISTRICT) == ["place=KH21"]
    assert way(cast.duty_commander, DISTRICT) == []
