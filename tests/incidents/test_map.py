"""What a map may show: scope, no speech, nothing sealed, no exact place without the right, no more than fits."""

import datetime as dt
import random
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from elections.models import Jurisdiction
from incidents.choices import State
from incidents.dashboards import map as maps
from incidents.dashboards import points as point_layer
from incidents.dashboards.map import SCALES, area_counts, scale_for, shade
from incidents.dashboards.points import View, points, read_view
from incidents.dashboards.question import Question
from incidents.dashboards.screen import shades
from incidents.filters import CaseFilter
from incidents.models import Category, Incident
from incidents.tallies import cell_of, move, rebuild
from tests.cast import COMMUNE, DEMO_COMMUNE, NOW, OTHER_PROVINCE
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db
COUNTRY_VIEW = View(101, 9, 108, 15, 7)
CLOSE = View(104.7, 10.9, 104.9, 11.1, 16)
HERE = {"lat": 11.0012, "lon": 104.7812}


def told(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [feature["properties"] for feature in found["features"]]


# ---- Reading ----


@pytest.mark.parametrize(
    "bbox",
    ["", "1,2,3", "a,b,c,d", "105,10,104,11", "104,12,105,11", "nan,1,2,3", "-190,0,10,10", "0,0,10,91", "1,2,3,inf"],
)
def test_a_bad_box_is_refused_by_name(bbox: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_view(bbox, "7")
    assert list(refused.value.message_dict) == ["bbox"]


@pytest.mark.parametrize("zoom", ["", "x", "-1", "19", "7.5", "٧", "9" * 5000])
def test_a_bad_zoom_is_refused_by_name(zoom: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_view("101,9,108,15", zoom)
    assert list(refused.value.message_dict) == ["zoom"]


def test_box_and_zoom_wrong_together_are_both_named() -> None:
    with pytest.raises(ValidationError) as refused:
        read_view("x", "y")
    assert sorted(refused.value.message_dict) == ["bbox", "zoom"]


# ---- Points ----


def test_a_case_alone_says_what_it_is_and_not_what_happened(cast: Any) -> None:
    plain_case(**HERE, title="Stolen at the pagoda", severity="high")
    (one,) = told(points(Question(cast.nec, NOW), CLOSE))
    assert one["count"] == 1
    assert one["category"] == "CRM-06"
    assert one["severity"] == "high"
    assert one["state"] == "reported"
    assert "motorbike" not in str(one) and "pagoda" not in str(one)


def test_cases_of_one_grid_cell_are_one_cluster_with_the_worst_severity(cast: Any) -> None:
    plain_case(**HERE, severity="low")
    plain_case(lat=HERE["lat"] + 0.0001, lon=HERE["lon"], severity="critical")
    (cluster,) = told(points(Question(cast.nec, NOW), COUNTRY_VIEW))
    assert (cluster["count"], cluster["severity"]) == (2, "critical")
    assert "reference" not in cluster


def test_open_cases_are_shown_unless_others_are_asked_for(cast: Any) -> None:
    plain_case(**HERE, state=State.CLOSED)
    assert points(Question(cast.nec, NOW), COUNTRY_VIEW)["cases"] == 0
    assert points(Question(cast.nec, NOW, CaseFilter(state=("all",))), COUNTRY_VIEW)["cases"] == 1


def test_alleged_incitement_is_never_on_a_map(cast: Any) -> None:
    speech, _made = Category.objects.update_or_create(
        code="INF-01", defaults={"group_code": "INF", "default_severity": "unrated", "nature": "electoral"}
    )
    plain_case(**HERE, category_id=speech.pk, severity="unrated")
    plain_case(**HERE, category_id=speech.pk, severity="high")
    for user in (cast.nec, cast.psc, cast.ministry, cast.officer):
        for view in (COUNTRY_VIEW, CLOSE):
            assert points(Question(user, NOW), view)["features"] == []


def test_sealed_cases_are_never_on_a_map_not_even_for_those_who_see_them(cast: Any) -> None:
    plain_case(**HERE, is_sealed=True)
    for user in (cast.nec_integrity, cast.officer, cast.nec, cast.duty_commander):
        assert points(Question(user, NOW), COUNTRY_VIEW)["features"] == []


def test_scope_holds_on_the_map(cast: Any) -> None:
    plain_case(**HERE)
    assert points(Question(cast.duty_commander, NOW), COUNTRY_VIEW)["cases"] == 1
    assert points(Question(cast.officer, NOW), COUNTRY_VIEW)["cases"] == 1
    for user in (cast.neighbour, cast.other_province, cast.liaison, cast.administrator, cast.relieved):
        assert points(Question(user, NOW), COUNTRY_VIEW)["cases"] == 0


def test_who_may_not_know_the_exact_place_gets_the_middle_of_the_commune(cast: Any) -> None:
    case = plain_case(**HERE)
    for user in (cast.ministry, cast.auditor):
        found = points(Question(user, NOW), View(104, 10, 106, 12, 16))
        assert found["rounded"]
        lon, lat = found["features"][0]["geometry"]["coordinates"]
        assert (lat, lon) == (round(case.place.lat, 5), round(case.place.lon, 5))
        assert (lat, lon) != (HERE["lat"], HERE["lon"])
    exact = points(Question(cast.nec, NOW), CLOSE)
    assert exact["features"][0]["geometry"]["coordinates"] == [HERE["lon"], HERE["lat"]]


def test_a_rounded_map_does_not_tell_the_place_by_its_edges(cast: Any) -> None:
    """Whether a case is in the box depends on the commune alone: a box cannot be moved to find the exact point."""
    case = plain_case(lat=11.09, lon=104.88)
    middle = View(case.place.lon - 0.01, case.place.lat - 0.01, case.place.lon + 0.01, case.place.lat + 0.01, 16)
    around_the_point = View(104.879, 11.089, 104.881, 11.091, 16)
    assert points(Question(cast.ministry, NOW), middle)["cases"] == 1
    assert points(Question(cast.ministry, NOW), around_the_point)["cases"] == 0


@pytest.mark.parametrize("person", ["nec", "officer", "ministry"])
def test_many_cases_are_gridded_and_none_is_lost(cast: Any, person: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    for _ in range(40):
        plain_case(lat=11 + chance.random() / 20, lon=104.75 + chance.random() / 20, severity="medium")
    question = Question(getattr(cast, person), NOW)
    view = View(104, 10, 106, 12, 15)
    few = points(question, view)
    monkeypatch.setattr(point_layer, "SINGLES", 10)
    gridded = point_layer._points(question.but(state=("open",)), view, person == "ministry")
    assert few["cases"] == sum(g["n"] for g in gridded) == 40
    assert len(gridded) == len(few["features"])


def test_very_many_cases_stand_at_their_district(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_layer, "MANY", 2)
    for severity in ("low", "critical", "low"):
        plain_case(**HERE, severity=severity)
    plain_case(place_id=DEMO_COMMUNE, lat=9.5, lon=102.5)
    rebuild()
    found = told(points(Question(cast.nec, NOW), COUNTRY_VIEW))
    assert [(f["count"], f["severity"]) for f in found] == [(3, "critical"), (1, "low")]


def test_no_answer_holds_more_than_fits(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_layer, "MOST_FEATURES", 2)
    for step in range(4):
        plain_case(lat=10 + step, lon=104)
    found = points(Question(cast.nec, NOW), COUNTRY_VIEW)
    assert len(found["features"]) == 2
    assert found["is_cut"]
    assert found["cases"] == 4


def test_a_cluster_knows_its_area_and_whether_a_closer_look_takes_it_apart(
    cast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = [plain_case(lat=HERE["lat"] + step / 1000, lon=HERE["lon"]) for step in range(2)]
    (cluster,) = told(points(Question(cast.nec, NOW), COUNTRY_VIEW))
    assert (cluster["place"], cluster["is_one_point"]) == (COMMUNE, False)
    (rounded,) = told(points(Question(cast.ministry, NOW), COUNTRY_VIEW))
    assert (rounded["place"], rounded["is_one_point"]) == (COMMUNE, True)
    monkeypatch.setattr(point_layer, "SINGLES", 1)
    gridded = point_layer._points(Question(cast.nec, NOW), COUNTRY_VIEW, False)
    assert [(g["code"], g["fixed"]) for g in gridded] == [(COMMUNE, False)]
    Incident.objects.filter(pk__in=[case.pk for case in apart]).update(lat=HERE["lat"])
    gridded = point_layer._points(Question(cast.nec, NOW), COUNTRY_VIEW, False)
    assert [(g["code"], g["fixed"]) for g in gridded] == [(COMMUNE, True)]


def test_a_cluster_over_two_provinces_belongs_to_the_country(cast: Any) -> None:
    plain_case(**HERE)
    plain_case(**HERE, place_id=f"{OTHER_PROVINCE}0103")
    (cluster,) = told(points(Question(cast.nec, NOW), COUNTRY_VIEW))
    assert cluster["place"] == "KH"


def test_a_case_says_how_well_its_point_is_known(cast: Any) -> None:
    plain_case(**HERE, point_precision="near")
    (one,) = told(points(Question(cast.nec, NOW), CLOSE))
    assert (one["precision"], one["precision_label"]) == ("near", "within 1 km")


# ---- Areas ----


def test_a_serious_case_without_a_point_is_somewhere_in_its_commune(cast: Any) -> None:
    plain_case(severity="critical")
    plain_case(severity="medium")
    (one,) = told(points(Question(cast.nec, NOW), COUNTRY_VIEW))
    commune = Jurisdiction.objects.get(pk=COMMUNE)
    assert (one["severity"], one["is_area"], one["count"]) == ("critical", True, 1)
    assert one["area_label"] == f"Somewhere in {commune.full_name}: no exact point is known."
    # Who gets the rounded place cannot tell which case has a point.
    (rounded,) = told(points(Question(cast.ministry, NOW), COUNTRY_VIEW))
    assert "is_area" not in rounded
    plain_case(severity="critical", is_sealed=True)
    assert points(Question(cast.nec, NOW), COUNTRY_VIEW)["cases"] == 1


def test_areas_count_what_is_open_and_name_what_has_no_point(cast: Any) -> None:
    for more in ({}, HERE, {"severity": "critical", "next_due_at": NOW - dt.timedelta(hours=1)}):
        case = plain_case(**more)
        move(None, cell_of(case))
    counts = area_counts(Question(cast.nec, NOW), "KH")
    takeo = next(area for area in counts["areas"] if area["code"] == "KH21")
    assert {k: takeo[k] for k in ("open", "late", "critical", "high", "shade")} == {
        "open": 3, "late": 1, "critical": 1, "high": 0, "shade": 1,
    }  # fmt: skip
    assert counts["without_point"] == 2


def test_areas_out_of_view_are_left_out_and_not_zero(cast: Any) -> None:
    plain_case()
    codes = [area["code"] for area in area_counts(Question(cast.provincial, NOW), "KH")["areas"]]
    assert codes == ["KH21"]
    assert OTHER_PROVINCE not in codes


def test_the_map_of_a_commander_begins_at_the_place_of_the_command(cast: Any) -> None:
    assert maps.root_of(Question(cast.nec, NOW)) == "KH"
    assert maps.root_of(Question(cast.provincial, NOW)) == "KH21"
    assert maps.root_of(Question(cast.duty_commander, NOW)) == "KH2108"
    assert maps.root_of(Question(cast.nec, NOW, CaseFilter(place="KH21"))) == "KH21"


def test_a_case_placed_no_closer_than_the_district_is_named(cast: Any) -> None:
    case = plain_case(place_id="KH2108")
    move(None, cell_of(case))
    counts = area_counts(Question(cast.duty_commander, NOW), "KH2108")
    assert counts["without_area"] == 1
    assert sum(area["open"] for area in counts["areas"]) == 0


def test_communes_of_a_district_are_counted_from_the_cases(cast: Any) -> None:
    plain_case()
    counts = area_counts(Question(cast.duty_commander, NOW), "KH2108")
    assert {a["code"]: a["open"] for a in counts["areas"] if a["open"]} == {COMMUNE: 1}


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 0), (1, 1), (4, 1), (5, 2), (10, 3), (15, 4), (19, 4), (20, 5), (999, 5)]
)
def test_shades_have_fixed_round_breaks(count: int, expected: int) -> None:
    assert shade(count) == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], 0),
        ([0, 0, 0], 0),
        ([30, 0, 0], 0),
        ([30, 30, 0], 1),
        ([90, 99, 3], 1),
        ([150, 400, 3], 2),
        ([10**6] * 3, 4),
    ],
)
def test_few_fixed_scales_and_the_next_only_when_too_much_is_darkest(counts: list[int], expected: int) -> None:
    assert scale_for(counts) == SCALES[expected]


def test_the_legend_says_which_scale_holds(cast: Any) -> None:
    for _ in range(3):
        plain_case()
    rebuild()
    counts = area_counts(Question(cast.nec, NOW), "KH")
    assert counts["breaks"] == [1, 5, 10, 15, 20]
    assert shades(counts["breaks"]) == ["0", "1–4", "5–9", "10–14", "15–19", "20+"]


@pytest.mark.parametrize("place", ["", "XX", "KH210801", "KH2108010"])
def test_only_what_can_be_divided_has_areas(place: str) -> None:
    with pytest.raises(ValidationError):
        maps.check_place(place)
