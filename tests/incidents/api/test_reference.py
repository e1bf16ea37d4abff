"""Places, elections, commands and categories: found by code, name and level, by everybody who is signed in."""

from __future__ import annotations

from typing import Any

from tests.cast import DISTRICT, TAKEO
from tests.incidents.api.clients import API, is_problem


def rows(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content[:500]
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def test_places_are_found_by_level_parent_and_subtree(cast: Any, api: Any) -> None:
    client = api(cast.administrator)
    assert {r["level"] for r in rows(client.get(API + "jurisdictions/?level=province"))} == {"province"}
    assert DISTRICT in [r["pcode"] for r in rows(client.get(f"{API}jurisdictions/?parent={TAKEO}"))]
    under = [r["pcode"] for r in rows(client.get(f"{API}jurisdictions/?under={TAKEO}&page_size=200"))]
    assert TAKEO in under and all(code.startswith(TAKEO) for code in under)


def test_places_are_found_by_name_in_any_case(cast: Any, api: Any) -> None:
    found = rows(api(cast.officer).get(API + "jurisdictions/?search=TAKEO&level=province"))
    assert [r["pcode"] for r in found] == [TAKEO]


def test_one_place_by_its_code(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    assert client.get(f"{API}jurisdictions/{TAKEO}/").json()["parent"] == "KH"
    is_problem(client.get(API + "jurisdictions/KH77/"), 404, "not-found")


def test_places_come_in_pages(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    address, seen = f"{API}jurisdictions/?under={TAKEO}&level=district&page_size=3", []
    while address:
        page = client.get(address).json()
        seen += [r["pcode"] for r in page["results"]]
        address = page["next"]
    assert seen == sorted(set(seen)) and DISTRICT in seen


def test_elections_come_with_their_phases(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    elections = {r["code"]: r for r in rows(client.get(API + "elections/"))}
    assert {p["phase"] for p in elections["CC27"]["phases"]} >= {"campaign", "polling"}
    assert all(p["basis"] in ("sourced", "derived", "illustrative") for p in elections["CC27"]["phases"])
    assert client.get(API + "elections/CC27/").json() == elections["CC27"]
    is_problem(client.get(API + "elections/XX99/"), 404)


def test_commands_are_a_tree_with_bodies_beside_it(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    district = cast.command("officer")
    found = rows(client.get(f"{API}commands/?jurisdiction={DISTRICT}&kind=district"))
    assert [(r["code"], r["rung"]) for r in found] == [(district.code, 1)]
    assert found[0]["parent"] == district.parent.code
    assert {r["rung"] for r in rows(client.get(API + "commands/?kind=nec"))} == {None}


def test_categories_can_be_asked_for_by_phase(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    everything = rows(client.get(API + "categories/?page_size=200"))
    assert {"CRM-06", "UNK-00"} <= {r["code"] for r in everything}
    assert all(not r["phases"] or "polling" in r["phases"] for r in rows(client.get(API + "categories/?phase=polling")))


def test_reference_lists_cost_a_fixed_number_of_queries(
    cast: Any, api: Any, django_assert_max_num_queries: Any
) -> None:
    for name in ("jurisdictions", "elections", "commands", "categories"):
        client = api(cast.officer)
        with django_assert_max_num_queries(7):
            rows(client.get(f"{API}{name}/?page_size=200"))
