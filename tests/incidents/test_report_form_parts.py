"""What the log page asks for while it is filled in: places, the point's commune, outlines, units, what is ahead."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from incidents import duplicates
from incidents.forms.report_categories import groups
from incidents.models import Category, Incident
from tests.cast import COMMUNE, COUNTRY, DEMO_COMMUNE, DEMO_DISTRICT, DISTRICT, NEIGHBOUR, NOW, TAKEO

PLACES, POINT, PREVIEW, UNITS = (
    reverse(f"incidents:report_{name}") for name in ("places", "point", "preview", "units")
)
#: In Doun Kaev town, Takeo; and in Phnom Penh.
HERE, ELSEWHERE = {"lat": "10.99", "lon": "104.785"}, {"lat": "11.56", "lon": "104.92"}
WHERE = {"province": TAKEO, "district": DISTRICT, "commune": COMMUNE}


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


# ---- Places ----


def test_places_come_with_a_tag_and_not_twice(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    first = client.get(PLACES, {"under": DISTRICT})
    assert COMMUNE in dict(first.json()["places"])
    again = client.get(PLACES, {"under": DISTRICT}, headers={"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    khmer = signed_in(cast.officer, language="km").get(PLACES, {"under": DISTRICT})
    assert khmer.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    ("who", "under", "status"),
    [
        ("officer", DISTRICT, 200), ("officer", COMMUNE, 200), ("officer", NEIGHBOUR, 404), ("officer", "KH20", 404),
        ("officer", "KH77", 404), ("officer", "", 404), ("provincial", TAKEO, 200), ("provincial", "KH20", 404),
        ("psc", COUNTRY, 200), ("liaison", "KH20", 200), ("nec", "KH20", 200), ("auditor", COUNTRY, 404),
        ("ministry", COUNTRY, 404), ("administrator", COUNTRY, 404),
    ],
)  # fmt: skip
def test_places_are_those_the_person_may_report_from(
    cast: Any, signed_in: Any, who: str, under: str, status: int
) -> None:
    assert signed_in(getattr(cast, who)).get(PLACES, {"under": under}).status_code == status


def test_only_the_way_down_to_the_own_area_is_shown(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    assert [code for code, _ in client.get(PLACES, {"under": COUNTRY}).json()["places"]] == [TAKEO]
    assert [code for code, _ in client.get(PLACES, {"under": TAKEO}).json()["places"]] == [DISTRICT]


# ---- The point ----


def test_a_point_proposes_its_commune(cast: Any, signed_in: Any) -> None:
    found = signed_in(cast.officer).get(POINT, HERE).json()
    assert found["allowed"] is True
    assert found["levels"]["district"] == DISTRICT
    assert found["levels"]["commune"].startswith(DISTRICT)
    assert found["name"]


def test_a_point_beyond_the_own_area_is_said_to_be(cast: Any, signed_in: Any) -> None:
    assert signed_in(cast.officer).get(POINT, ELSEWHERE).json()["allowed"] is False
    assert signed_in(cast.nec).get(POINT, ELSEWHERE).json()["allowed"] is True


@pytest.mark.parametrize(
    "point", [{"lat": "5", "lon": "100"}, {"lat": "x", "lon": "y"}, {"lat": "nan", "lon": "1"}, {}]
)
def test_a_point_outside_the_country_is_refused_kindly(cast: Any, signed_in: Any, point: dict[str, str]) -> None:
    assert "outside the country" in signed_in(cast.officer).get(POINT, point).json()["refused"]


def test_a_point_in_another_commune_is_a_hint_and_never_stops_the_report(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    lies_in = client.get(POINT, HERE).json()["levels"]["commune"]
    other = next(code for code, _ in client.get(PLACES, {"under": DISTRICT}).json()["places"] if code != lies_in)
    typed = {"category": "CRM-06", "when": "now", **WHERE, "commune": other, **HERE,
             "narrative": "A motorbike was taken from the market."}  # fmt: skip
    hinted = client.post("/incidents/new/", typed | {"step": "check"})
    assert hinted.context["lies_in"].pcode == lies_in
    assert "The point lies in" in hinted.content.decode()
    moved = client.post("/incidents/new/", typed | {"step": "move"})
    assert moved.context["form"].place == lies_in
    assert "lies_in" not in moved.context
    kept = client.post("/incidents/new/", typed | {"step": "keep"})
    assert kept.context["form"].place == other
    assert "lies_in" not in kept.context
    assert client.post("/incidents/new/", typed | {"step": "send"}).status_code == 302
    assert Incident.objects.get().place_id == other


def test_outlines_for_the_map_name_what_may_be_chosen(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    drawn = client.get(reverse("incidents:report_outlines", args=[DISTRICT]))
    assert COMMUNE in drawn.json()["names"]
    assert {f["id"] for f in drawn.json()["features"]} >= {COMMUNE}
    again = client.get(
        reverse("incidents:report_outlines", args=[DISTRICT]), headers={"if-none-match": drawn.headers["ETag"]}
    )
    assert again.status_code == 304
    for code in ("nonsense", "KH99", "../etc"):
        assert client.get(f"/incidents/new/outlines/{code}").status_code == 404


# ---- What is ahead ----


def test_the_preview_says_owner_times_and_severity(cast: Any, signed_in: Any) -> None:
    page = signed_in(cast.officer).post(PREVIEW, {"category": "CRM-06", "when": "now", **WHERE}).content.decode()
    for command in (cast.command("officer"), cast.command("provincial"), cast.command("psc")):
        assert command.name in page
    assert "Low" in page
    assert not Incident.objects.exists()


def test_the_preview_waits_for_what_and_where(cast: Any, signed_in: Any) -> None:
    page = signed_in(cast.liaison).post(PREVIEW, {"when": "now"}).content.decode()
    assert "When you have chosen what and where" in page


def test_the_preview_of_a_sealed_report_names_no_unit_of_the_ladder(cast: Any, signed_in: Any) -> None:
    unit = cast.command("demo_duty").code
    given = {
        "category": "INT-01", "when": "now", "province": "KH99", "district": DEMO_DISTRICT, "commune": DEMO_COMMUNE,
        "concerns": "command", "concerned": [unit],
    }  # fmt: skip
    page = signed_in(cast.demo_officer).post(PREVIEW, given).content.decode()
    assert cast.command("demo_integrity").name in page
    assert "Sealed: the unit concerned does not see it." in page


def test_units_are_those_that_answer_for_the_place(cast: Any, signed_in: Any) -> None:
    page = signed_in(cast.liaison).get(UNITS, {"province": "KH99", "district": DEMO_DISTRICT}).content.decode()
    assert f'value="{cast.command("demo_duty").code}"' in page
    assert f'value="{cast.command("demo_provincial").code}"' in page
    assert cast.command("other_province").code not in page
    assert "Choose the place first" in signed_in(cast.liaison).get(UNITS).content.decode()


@pytest.mark.parametrize("name", ["places", "point", "units"])
def test_who_does_not_report_gets_nothing(cast: Any, signed_in: Any, name: str) -> None:
    for person in ("auditor", "administrator", "relieved"):
        assert signed_in(getattr(cast, person)).get(reverse(f"incidents:report_{name}")).status_code == 404


# ---- Cases that may be the same ----


def near(cast: Any, who: str = "officer", **more: Any) -> list[Incident]:
    given: dict[str, Any] = {"group": "CRM", "place": COMMUNE, "occurred_at": NOW} | more
    return duplicates.candidates(getattr(cast, who), **given)


def test_the_same_commune_kind_and_hour_is_suggested(cast: Any, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    assert near(cast) == [case]
    page = signed_in(cast.officer).post(PREVIEW, {"category": "CRM-02", "when": "now", **WHERE}).content.decode()
    assert case.reference in page
    assert "Is it one of these?" in page


@pytest.mark.parametrize(
    "more",
    [
        {"group": "HAZ"},
        {"group": "NEU"},
        {"occurred_at": NOW - dt.timedelta(hours=7)},
        {"place": DISTRICT},
        {"place": "KH210802"},
        {"who": "neighbour"},
        {"who": "demo_officer"},
        {"who": "liaison"},
        {"who": "auditor", "place": "KH20"},
    ],
)
def test_what_is_not_suggested(cast: Any, make_incident: Any, more: dict[str, Any]) -> None:
    make_incident()
    assert near(cast, **more) == []


def test_a_kilometre_away_in_the_next_commune_is_near(cast: Any, make_incident: Any) -> None:
    case = make_incident(lat=10.99, lon=104.785)
    assert near(cast, place="KH210802", point=(10.995, 104.785)) == [case]
    assert near(cast, place="KH210802", point=(10.9995, 104.785)) == []
    # In the box around the point, outside the circle.
    assert near(cast, place="KH210802", point=(10.9982, 104.7932)) == []


def test_sealed_cases_are_never_suggested_even_to_who_may_read_them(cast: Any, make_sealed: Any) -> None:
    sealed = make_sealed()
    for who in ("demo_liaison", "demo_integrity", "nec_integrity", "demo_duty"):
        assert near(cast, who, group="INT", place=DEMO_COMMUNE, occurred_at=sealed.occurred_at) == []


def test_at_most_five_and_the_nearest_in_time_first(cast: Any, make_incident: Any) -> None:
    for minutes in (50, 10, 40, 20, 30, 60, 70):
        make_incident(occurred_at=NOW - dt.timedelta(minutes=minutes))
    found = near(cast)
    assert [(NOW - c.occurred_at).total_seconds() / 60 for c in found] == [10, 20, 30, 40, 50]


def test_not_sure_may_be_the_same_as_anything_but_conduct(cast: Any, make_incident: Any) -> None:
    flood = make_incident(category="HAZ-01")
    assert near(cast, group="UNK") == [flood]


# ---- Categories ----


@pytest.mark.parametrize(
    ("code", "phase", "severity"),
    [
        ("HAZ-04", "campaign", "low"), ("HAZ-04", "polling", "high"), ("HAZ-04", "counting", "high"),
        ("CRM-06", "polling", "low"), ("INF-01", "campaign", "unrated"), ("UNK-00", "campaign", "medium"),
    ],
)  # fmt: skip
def test_the_suggested_severity(db: None, code: str, phase: str, severity: str) -> None:
    assert Category.objects.get(code=code).usual_severity(phase) == severity


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("thief", "CRM-06"), ("លួច", "CRM-06"), ("ទឹក​ជំនន់", "HAZ-01"), ("flood", "HAZ-01"), ("quarrel", "ORD-03"),
        ("crm-06", "CRM-06"), ("មីន", "HAZ-02"), ("ទិញសំឡេង", "CAM-01"), ("ballot box", "PRC-03"),
    ],
)  # fmt: skip
def test_everyday_words_find_the_category(db: None, word: str, code: str) -> None:
    from elections.khmer import search_key

    found = [c.code for g in groups("campaign") for c in g.choices if all(w in c.key for w in search_key(word).split())]
    assert code in found
