"""Reading cases: who sees which, how much of them, in pages that hold still, at a fixed number of queries."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from incidents.models import Incident
from tests.cast import NOW
from tests.incidents.api.clients import API, is_problem

DETAILS = {"title", "narrative", "place_note", "point", "assignee"}


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content[:500]
    return [row["id"] for row in response.json()["results"]]


def test_the_list_shows_what_the_person_may_see(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    for name in ("officer", "duty_commander", "provincial", "psc", "nec", "ministry", "auditor"):
        assert ids(api(getattr(cast, name)).get(API + "incidents/")) == [str(incident.pk)], name
    for name in ("neighbour", "other_province", "liaison", "administrator", "relieved", "demo_duty"):
        assert ids(api(getattr(cast, name)).get(API + "incidents/")) == [], name


@pytest.mark.parametrize("tail", ["", "timeline/", "attachments/"])
def test_what_is_not_visible_does_not_exist(cast: Any, api: Any, make_incident: Any, tail: str) -> None:
    address = f"{API}incidents/{make_incident().pk}/{tail}"
    assert api(cast.duty_commander).get(address).status_code == 200
    for name in ("neighbour", "administrator", "relieved"):
        is_problem(api(getattr(cast, name)).get(address), 404, "not-found")


def test_a_sealed_case_is_nowhere_for_the_unit_concerned(cast: Any, api: Any, make_sealed: Any) -> None:
    sealed = make_sealed()
    for name in ("demo_duty", "demo_provincial", "psc", "nec", "ministry", "auditor"):
        client = api(getattr(cast, name))
        assert ids(client.get(API + "incidents/")) == [], name
        for tail in ("", "timeline/", "attachments/"):
            is_problem(client.get(f"{API}incidents/{sealed.pk}/{tail}"), 404)
        if name not in ("demo_duty", "auditor"):
            assert str(sealed.pk) not in b"".join(client.get(API + "incidents.geojson")).decode()
    for name in ("demo_liaison", "demo_integrity"):
        assert ids(api(getattr(cast, name)).get(API + "incidents/")) == [str(sealed.pk)], name


def test_narrative_exact_place_and_files_are_absent_without_the_details(
    cast: Any, api: Any, make_incident: Any
) -> None:
    incident = make_incident(title="Market", place_note="Behind the pharmacy", lat=11.0001, lon=104.7801)
    address = f"{API}incidents/{incident.pk}/"
    full, part = api(cast.duty_commander).get(address).json(), api(cast.ministry).get(address).json()
    assert full["narrative"] and full["title"] == "Market" and full["point"]["lat"] == pytest.approx(11.0001)
    assert not DETAILS & set(part)
    assert part["place"]["pcode"] == full["place"]["pcode"]
    listed = api(cast.ministry).get(API + "incidents/").json()["results"][0]
    assert not DETAILS & set(listed)
    is_problem(api(cast.ministry).get(address + "attachments/"), 404)
    for text in ("pharmacy", "motorbike", "11.0001", "104.7801"):
        assert text not in api(cast.ministry).get(address + "timeline/").content.decode()
        assert text not in b"".join(api(cast.ministry).get(API + "incidents.geojson")).decode()


def test_a_village_is_told_as_its_commune_without_the_details(cast: Any, api: Any, make_incident: Any) -> None:
    from elections.models import Jurisdiction
    from tests.cast import COMMUNE

    village, _made = Jurisdiction.objects.get_or_create(
        pcode=COMMUNE + "01", defaults={"level": "village", "parent_id": COMMUNE, "name_en": "Village"}
    )
    incident = make_incident(place=village.pk)
    address = f"{API}incidents/{incident.pk}/"
    assert api(cast.officer).get(address).json()["place"]["pcode"] == village.pk
    assert api(cast.auditor).get(address).json()["place"]["pcode"] == COMMUNE


def test_one_case_carries_its_version_as_etag_and_what_may_be_done(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    response = api(cast.duty_commander).get(f"{API}incidents/{incident.pk}/")
    assert response.headers["ETag"] == f'"{incident.version}"'
    assert "acknowledge" in response.json()["acts"]
    assert api(cast.auditor).get(f"{API}incidents/{incident.pk}/").json()["acts"] == []
    assert "no-store" in response.headers["Cache-Control"]


def test_filters_narrow_the_list(cast: Any, api: Any, make_incident: Any) -> None:
    theft, flood = make_incident(), make_incident(category="HAZ-01", narrative="Water over the road.")
    client = api(cast.duty_commander)
    assert ids(client.get(API + "incidents/?category=HAZ")) == [str(flood.pk)]
    assert ids(client.get(API + "incidents/?q=motorbike")) == [str(theft.pk)]
    assert ids(client.get(API + f"incidents/?q={theft.reference}")) == [str(theft.pk)]
    assert ids(client.get(API + "incidents/?place=KH20")) == []
    assert ids(api(cast.ministry).get(API + "incidents/?q=motorbike")) == [], "words are not a way to read details"


def test_pages_go_forth_and_back_even_among_equal_times(cast: Any, api: Any, make_incident: Any) -> None:
    made = [make_incident(now=NOW + dt.timedelta(seconds=n // 4)) for n in range(9)]
    expected = [str(i.pk) for i in sorted(made, key=lambda i: (i.reported_at, i.pk), reverse=True)]
    client, address, seen = api(cast.duty_commander), API + "incidents/?page_size=2&category=CRM", []
    while address:
        page = client.get(address).json()
        seen += [row["id"] for row in page["results"]]
        last, address = page, page["next"]
    assert seen == expected
    back: list[str] = [row["id"] for row in last["results"]]
    while last["previous"]:
        assert "category=CRM" in last["previous"]
        last = client.get(last["previous"]).json()
        back = [row["id"] for row in last["results"]] + back
    assert back == expected


def test_a_page_holds_still_while_cases_arrive(cast: Any, api: Any, make_incident: Any) -> None:
    old = [make_incident(now=NOW + dt.timedelta(seconds=n)) for n in range(3)]
    client = api(cast.duty_commander)
    first = client.get(API + "incidents/?page_size=2").json()
    make_incident(now=NOW + dt.timedelta(minutes=1))
    second = client.get(first["next"]).json()
    assert [r["id"] for r in second["results"]] == [str(old[0].pk)]


def test_fifty_rows_cost_at_most_eight_queries_and_no_count(
    cast: Any, api: Any, make_incident: Any, django_assert_max_num_queries: Any
) -> None:
    for n in range(52):
        make_incident(now=NOW + dt.timedelta(seconds=n))
    client = api(cast.ministry)
    with django_assert_max_num_queries(8) as captured:
        assert len(ids(client.get(API + "incidents/"))) == 50
    assert not any("COUNT(" in q["sql"].upper() for q in captured.captured_queries)


def test_geojson_is_longitude_first_and_streams_the_whole_list(cast: Any, api: Any, make_incident: Any) -> None:
    import json

    located = make_incident(lat=11.0001, lon=104.7801)
    make_incident()
    client = api(cast.psc)
    whole = client.get(API + "incidents.geojson?category=CRM")
    assert whole.headers["Content-Type"] == "application/geo+json"
    layer = json.loads(b"".join(whole))
    assert layer["type"] == "FeatureCollection" and len(layer["features"]) == 2
    feature = next(f for f in layer["features"] if f["id"] == str(located.pk))
    place = located.place
    assert feature["geometry"] == {"type": "Point", "coordinates": [place.lon, place.lat]}
    assert feature["properties"]["point"] == "place", "a file that leaves our care holds no exact point"
    assert "narrative" not in feature["properties"]
    page = client.get(API + "incidents/?format=geojson&page_size=1&state=all").json()
    assert len(page["features"]) == 1 and page["next"]
    exact = next(
        f for f in client.get(API + "incidents/?format=geojson").json()["features"] if f["id"] == feature["id"]
    )
    assert exact["geometry"] == {"type": "Point", "coordinates": [104.7801, 11.0001]}


def test_geojson_of_no_cases_is_a_collection(cast: Any, api: Any) -> None:
    import json

    assert json.loads(b"".join(api(cast.ministry).get(API + "incidents.geojson")))["features"] == []
    assert not Incident.objects.exists()


def test_a_file_of_rows_is_for_those_who_may_and_leaves_a_trace(cast: Any, api: Any, make_incident: Any) -> None:
    """Domain 5.2, row export: provincial command, PSC, NEC secretariat, ministry."""
    from incidents.models import Entry

    make_incident()
    for name in ("officer", "duty_commander", "liaison", "auditor", "nec_integrity", "administrator", "relieved"):
        refusal = is_problem(api(getattr(cast, name)).get(API + "incidents.geojson"), 403, "not-allowed")
        assert name in ("relieved",) or "Ministry analyst" in refusal["detail"]
    assert not Entry.objects.filter(act="export").exists()
    file = json.loads(b"".join(api(cast.provincial).get(API + "incidents.geojson?category=CRM&state=open")))
    entry = Entry.objects.get(act="export")
    assert entry.by == cast.provincial and entry.posting and entry.posting.role == "provincial_command"
    assert entry.channel == "api" and entry.incident is None
    assert entry.after.pop("mark") == file["export_mark"] and len(file["export_mark"]) == 8
    assert entry.after == {"what": "incidents.geojson", "filter": "category=CRM&state=open", "rows": 1}


def test_the_timeline_tells_who_did_what_in_which_role(cast: Any, api: Any, make_incident: Any) -> None:
    incident = make_incident()
    rows = api(cast.duty_commander).get(f"{API}incidents/{incident.pk}/timeline/").json()["results"]
    assert [r["act"] for r in rows] == ["report"]
    assert rows[0]["by"] == {"role": "officer", "command": cast.command("officer").code}
    part = api(cast.ministry).get(f"{API}incidents/{incident.pk}/timeline/").json()["results"]
    assert "note" not in part[0]


def test_a_liaison_who_reported_is_not_named(cast: Any, api: Any, make_sealed: Any) -> None:
    sealed = make_sealed()
    text = api(cast.demo_integrity).get(f"{API}incidents/{sealed.pk}/timeline/").content.decode()
    assert "cast-demo-liaison" not in text and cast.command("demo_liaison").code not in text
