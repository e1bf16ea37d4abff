"""Points find their commune, areas their outline."""

import pytest

from elections import geometry
from elections.models import Jurisdiction

DOUN_KAEV = (11.008, 104.78293)
TONLE_SAP = (12.9, 104.1)
BANGKOK = (13.75, 100.5)


def test_a_point_finds_its_commune() -> None:
    code = geometry.place(*DOUN_KAEV)
    assert code is not None and code.startswith("KH2108")


def test_every_label_point_lies_in_its_own_commune(db: None) -> None:
    communes = list(Jurisdiction.objects.at("commune").filter(has_outline=True, is_fictional=False))
    assert len(communes) == 1633
    found = geometry.places([c.lat or 0 for c in communes], [c.lon or 0 for c in communes])
    assert found == [c.pcode for c in communes]
    assert geometry.place(communes[0].lat or 0, communes[0].lon or 0) == communes[0].pcode


def test_the_lake_belongs_to_no_commune_and_is_inside_the_country() -> None:
    assert geometry.place(*TONLE_SAP) is None
    assert geometry.inside_country(*TONLE_SAP)
    nearest = geometry.nearest(*TONLE_SAP)
    assert nearest is not None and len(nearest) == 8


def test_abroad_is_nowhere() -> None:
    assert geometry.place(*BANGKOK) is None
    assert geometry.nearest(*BANGKOK) is None
    assert not geometry.inside_country(*BANGKOK)


def test_many_points_agree_with_single_ones() -> None:
    points = [*geometry.scatter("KH21", 200, seed=3), TONLE_SAP, BANGKOK]
    assert geometry.places([p[0] for p in points], [p[1] for p in points]) == [geometry.place(*p) for p in points]


@pytest.mark.parametrize(("area", "count"), [("KH", 25), ("KH21", 10), ("KH2108", 3), ("KH210801", 0)])
def test_outlines_are_those_of_the_areas_directly_under_it(area: str, count: int) -> None:
    collection = geometry.outlines(area)
    assert collection["type"] == "FeatureCollection"
    assert len(collection["features"]) == count
    assert all(f["id"].startswith(area) and len(f["id"]) == len(area) + 2 for f in collection["features"])


def test_outlines_are_longitude_first_and_wind_as_the_standard_says() -> None:
    import shapely
    from shapely.geometry import shape

    for feature in geometry.outlines("KH")["features"]:
        outline = shape(feature["geometry"])
        west, south, east, north = outline.bounds
        assert 102 < west < east < 108 and 9 < south < north < 15
        assert all(part.exterior.is_ccw for part in shapely.get_parts(outline))


def test_neighbours_share_one_line_after_thinning() -> None:
    import shapely
    from shapely.geometry import shape

    shapes = [shape(f["geometry"]) for f in geometry.outlines("KH21")["features"]]
    assert shapely.coverage_is_valid(shapes)


def test_bounds_and_label_point() -> None:
    west, south, east, north = geometry.bounds("KH21") or (0, 0, 0, 0)
    lat, lon = geometry.label_point("KH21") or (0, 0)
    assert west < lon < east and south < lat < north
    assert geometry.bounds("KH99") is None and geometry.label_point("KH99") is None


def test_scattered_points_lie_inside_and_repeat_with_their_seed() -> None:
    points = geometry.scatter("KH210801", 20, seed=7)
    assert len(points) == 20 and points == geometry.scatter("KH210801", 20, seed=7)
    assert all(geometry.place(*p) == "KH210801" for p in points)


def test_what_is_no_code_is_refused() -> None:
    with pytest.raises(ValueError, match="KH2"):
        geometry.level_of("KH2")
