"""The map's layers through the API: GeoJSON, longitude first, within what one may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tests.cast import TAKEO
from tests.incidents.api.clients import API, is_problem

BOX = "bbox=102,9,108,15&zoom=18"


def layer(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content[:500]
    assert response.headers["Content-Type"] == "application/geo+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == "FeatureCollection"
    return body


def test_points_are_longitude_first_and_name_the_case(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident(now=timezone.now(), lat=11.0, lon=104.78)
    features = layer(api(cast.duty_commander).get(f"{API}map/points?{BOX}"))["features"]
    assert [f["geometry"]["coordinates"] for f in features] == [[104.78, 11.0]]
    assert features[0]["properties"]["id"] == str(incident.pk)
    assert layer(api(cast.neighbour).get(f"{API}map/points?{BOX}"))["features"] == []


def test_points_are_those_of_communes_without_the_exact_place(cast: Any, api: Any, make_incident: Any) -> None:
    make_incident(now=timezone.now(), lat=11.0001, lon=104.7801)
    body = layer(api(cast.ministry).get(f"{API}map/points?{BOX}"))
    assert body["rounded"] is True
    assert "104.7801" not in str(body)


def test_areas_count_what_one_may_see(cast: Any, api: Any, make_incident: Any, make_sealed: Any) -> None:
    make_incident(now=timezone.now())
    make_sealed(now=timezone.now())
    provinces = {f["id"]: f["properties"]["open"] for f in layer(api(cast.nec).get(API + "map/areas"))["features"]}
    assert provinces[TAKEO] == 1
    assert sum(provinces.values()) == 1
    districts = layer(api(cast.provincial).get(API + "map/areas"))["features"]
    assert all(f["id"].startswith(TAKEO) for f in districts)


@pytest.mark.parametrize(
    "query",
    ["", "bbox=1,2,3&zoom=5", "bbox=a,b,c,d&zoom=5", "bbox=102,9,108,15&zoom=99", "bbox=nan,nan,nan,nan&zoom=1"],
)
def test_boxes_that_are_none_are_refused(cast: Any, api: Any, query: str) -> None:
    is_problem(api(cast.nec).get(f"{API}map/points?{query}"), 400, "parameters")


def test_a_place_that_cannot_be_divided_is_refused(cast: Any, api: Any) -> None:
    is_problem(api(cast.nec).get(f"{API}map/areas?place=KH210801"), 400, "parameters")
