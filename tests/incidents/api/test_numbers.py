"""Measures through the API: the same numbers as everywhere, with definitions, within what one may see."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from tests.incidents.api.clients import API, is_problem


def values(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content[:500]
    return {row["name"]: row["value"] for row in response.json()["measures"]}


def test_every_measure_comes_with_definition_unit_and_the_list_of_its_cases(
    cast: Any, api: Any, make_incident: Any
) -> None:
    make_incident(now=timezone.now())
    client = api(cast.duty_commander)
    body = client.get(API + "measures/").json()
    rows = {row["name"]: row for row in body["measures"]}
    assert all(row["definition"] and row["unit"] and row["title"] for row in rows.values())
    assert rows["open"]["value"] == 1
    assert len(client.get(rows["open"]["cases"]).json()["results"]) == 1
    assert body["period"]["start"] < body["as_of"]


def test_numbers_stop_at_what_one_may_see(cast: Any, api: Any, make_incident: Any, make_sealed: Any) -> None:
    make_incident(now=timezone.now())
    make_sealed(now=timezone.now())
    query = API + "measures/?name=open&name=reported"
    assert values(api(cast.duty_commander).get(query)) == {"open": 1, "reported": 1}
    for name in ("neighbour", "demo_duty", "demo_provincial", "administrator"):
        assert values(api(getattr(cast, name)).get(query)) == {"open": 0, "reported": 0}, name


def test_a_measure_of_other_roles_is_not_known(cast: Any, api: Any) -> None:
    is_problem(api(cast.duty_commander).get(API + "measures/?name=sealed"), 400, "parameters")
    assert "sealed" not in values(api(cast.duty_commander).get(API + "measures/"))
    assert "sealed" in values(api(cast.nec).get(API + "measures/"))


def test_filters_and_period_narrow_the_numbers(cast: Any, api: Any, make_incident: Any) -> None:
    make_incident(now=timezone.now())
    client = api(cast.provincial)
    day = timezone.localdate().isoformat()
    assert values(client.get(f"{API}measures/?name=reported&from={day}&to={day}")) == {"reported": 1}
    assert values(client.get(f"{API}measures/?name=reported&from=2020-01-01&to=2020-02-01")) == {"reported": 0}
    assert values(client.get(f"{API}measures/?name=open&category=HAZ")) == {"open": 0}


def test_periods_that_make_no_sense_are_refused(cast: Any, api: Any) -> None:
    client = api(cast.nec)
    for query in ("from=2027-01-01", "to=2027-01-01", "from=x&to=2027-01-01", "from=2027-02-01&to=2027-01-01",
                  "from=2020-01-01&to=2027-01-01", "from=0001-01-01&to=0001-01-02", "from=9999-12-31&to=9999-12-31",
                  "name=nonsense", "colour=red"):  # fmt: skip
        is_problem(client.get(API + "measures/?" + query), 400, "parameters")
