"""Messages to the public follow CAP 1.2 to the letter, and the validator notices when they do not."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from elections.models import Jurisdiction
from incidents import cap
from incidents.models import Incident, PublicNotice
from tests.cast import NOW

SQUARE = ((10.9, 104.7), (10.9, 104.9), (11.1, 104.9), (11.1, 104.7), (10.9, 104.7))


@pytest.fixture
def notice() -> PublicNotice:
    country = Jurisdiction(pcode="KH", level="country", name_en="Cambodia", name_km="កម្ពុជា")
    province = Jurisdiction(
        pcode="KH06", level="province", name_en="Kampong Thom", name_km="កំពង់ធំ", kind_en="province", kind_km="ខេត្ត",
        parent=country,
    )  # fmt: skip
    district = Jurisdiction(
        pcode="KH0601", level="district", name_en="Baray", name_km="បារាយណ៍", kind_en="district", kind_km="ស្រុក",
        parent=province,
    )  # fmt: skip
    return PublicNotice(
        incident=Incident(severity="high", verification="verified"),
        area=district,
        category="Met",
        event_km="ទឹកជំនន់",
        event_en="Flood & high water",
        headline_km="ការិយាល័យបោះឆ្នោតត្រូវបានផ្លាស់ទី",
        headline_en="A polling station has moved",
        instruction_km="សូមទៅសាលាបឋមសិក្សា។",
        instruction_en="Please go to the primary school <north of the pagoda>.",
        expires_at=NOW + dt.timedelta(hours=8),
    )


def tree(xml: str) -> ElementTree.Element:
    return ElementTree.fromstring(xml)  # noqa: S314  our own message


def texts(xml: str, path: str) -> list[str | None]:
    return [e.text for e in tree(xml).iterfind("/".join(f"{{{cap.NAMESPACE}}}{p}" for p in path.split("/")))]


def test_an_alert_is_sound(notice: PublicNotice) -> None:
    assert cap.problems(cap.alert(notice, NOW, [SQUARE])) == []


def test_times_have_a_local_offset_and_never_z(notice: PublicNotice) -> None:
    sent = dt.datetime(2024, 2, 25, 0, 10, 0, 987654, tzinfo=dt.UTC)
    xml = cap.alert(notice, sent)
    assert texts(xml, "sent") == ["2024-02-25T07:10:00+07:00"]
    assert texts(xml, "info/effective") == ["2024-02-25T07:10:00+07:00"] * 2
    assert not re.search(r"T\d\d:\d\d:\d\d(\.\d+)?Z", xml)


def test_there_is_one_info_a_language_khmer_first(notice: PublicNotice) -> None:
    xml = cap.alert(notice, NOW)
    assert texts(xml, "info/language") == ["km-KH", "en-US"]
    assert texts(xml, "info/event") == ["ទឹកជំនន់", "Flood & high water"]
    assert texts(xml, "info/area/areaDesc") == ["ស្រុកបារាយណ៍, ខេត្តកំពង់ធំ", "Baray District, Kampong Thom Province"]


def test_what_people_typed_stays_text(notice: PublicNotice) -> None:
    xml = cap.alert(notice, NOW)
    assert "<north of the pagoda>" not in xml
    assert texts(xml, "info/instruction")[1] == notice.instruction_en


def test_polygons_are_latitude_first(notice: PublicNotice) -> None:
    assert texts(cap.alert(notice, NOW, [SQUARE]), "info/area/polygon")[0] == (
        "10.9000,104.7000 10.9000,104.9000 11.1000,104.9000 11.1000,104.7000 10.9000,104.7000"
    )


def test_an_outline_of_ours_becomes_one_of_theirs() -> None:
    """GeoJSON has longitude first, CAP latitude; islands are rings of their own, holes are left out."""
    mainland = [[104.7, 10.9], [104.9, 10.9], [104.9, 11.1], [104.7, 11.1], [104.7, 10.9]]
    hole = [[104.8, 11.0], [104.81, 11.0], [104.81, 11.01], [104.8, 11.0]]
    island = [[103.0, 10.5], [103.1, 10.5], [103.1, 10.6], [103.0, 10.5]]
    found = cap.rings({"type": "MultiPolygon", "coordinates": [[island], [mainland, hole]]})
    assert [len(ring) for ring in found] == [5, 4]
    assert found[0][0] == (10.9, 104.7)
    assert all(ring[0] == ring[-1] for ring in found)
    assert cap.rings({"type": "Polygon", "coordinates": [mainland]}) == found[:1]
    assert cap.rings(None) == []


def test_a_long_outline_is_thinned_and_stays_closed(notice: PublicNotice) -> None:
    ring = [[104 + n / 10_000, 11 + (n % 7) / 1_000] for n in range(2_000)]
    found = cap.rings({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    assert len(found[0]) <= 301
    assert cap.problems(cap.alert(notice, NOW, found)) == []


def test_the_iso_code_has_no_leading_zero_and_the_pcode_has(notice: PublicNotice) -> None:
    xml = cap.alert(notice, NOW)
    assert texts(xml, "info/area/geocode/valueName")[:2] == ["ISO3166-2", "OCHA-PCODE"]
    assert texts(xml, "info/area/geocode/value")[:2] == ["KH-6", "KH0601"]


def test_a_fictional_place_has_no_iso_code(notice: PublicNotice) -> None:
    notice.area.is_fictional = True
    assert texts(cap.alert(notice, NOW), "info/area/geocode/valueName") == ["OCHA-PCODE"] * 2


@pytest.mark.parametrize(
    ("actual", "demo", "expected"),
    [(False, False, "Exercise"), (True, False, "Actual"), (True, True, "Exercise"), (False, True, "Exercise")],
)
def test_only_a_real_deployment_says_actual(
    notice: PublicNotice, settings: Any, actual: bool, demo: bool, expected: str
) -> None:
    settings.CAP_ACTUAL, settings.DEMO = actual, demo
    assert texts(cap.alert(notice, NOW), "status") == [expected]


@pytest.mark.parametrize(
    ("severity", "verification", "expected"),
    [
        ("critical", "verified", ("Immediate", "Extreme", "Observed")),
        ("high", "partially_corroborated", ("Immediate", "Severe", "Likely")),
        ("medium", "unverified", ("Expected", "Moderate", "Possible")),
        ("low", "refuted", ("Expected", "Minor", "Unlikely")),
    ],
)
def test_our_words_become_theirs(
    notice: PublicNotice, severity: str, verification: str, expected: tuple[str, str, str]
) -> None:
    notice.incident.severity, notice.incident.verification = severity, verification
    xml = cap.alert(notice, NOW)
    assert cap.problems(xml) == []
    assert tuple(texts(xml, f"info/{n}")[0] for n in ("urgency", "severity", "certainty")) == expected


def test_a_cancel_names_the_alert_it_takes_back(notice: PublicNotice) -> None:
    notice.issued_at = NOW
    xml = cap.cancel(notice, NOW + dt.timedelta(days=1), "The water went down & the station is back.")
    assert cap.problems(xml) == []
    alert = cap.alert(notice, NOW)
    reference = f"{texts(alert, 'sender')[0]},{texts(alert, 'identifier')[0]},{texts(alert, 'sent')[0]}"
    assert texts(xml, "references") == [reference]
    assert texts(xml, "identifier") != texts(alert, "identifier")
    assert texts(xml, "msgType") == ["Cancel"]


def test_a_draft_has_no_cancel(notice: PublicNotice) -> None:
    with pytest.raises(ValueError, match="issued"):
        cap.cancel(notice, NOW, "never")


@pytest.mark.parametrize(
    ("pattern", "replacement", "problem"),
    [
        (r"\+07:00</sent>", "Z</sent>", "sent"),
        (r"</sent>", ".5</sent>", "sent"),
        (r"<status>\w+", "<status>Real", "not a CAP value"),
        (r"<msgType>Alert", "<msgType>Cancel", "without references"),
        (r"<scope>Public", "<scope>Private", "without addresses"),
        (r"<scope>Public", "<scope>Restricted", "without restriction"),
        (r"<identifier>", "<identifier>a b", "wrong form"),
        (r"<sender>", "<sender>a,b", "wrong form"),
        (r"<scope>Public</scope>", "", "scope is missing"),
        (r"(<sender>.*</sender>)\s*(<sent>.*</sent>)", r"\2\1", "out of order"),
        (r"(<event>.*</event>)\s*(<urgency>.*</urgency>)", r"\2\1", "out of order"),
        (r"<urgency>\w+", "<urgency>Soon", "not a CAP value"),
        (r"<headline>.*</headline>", "<headline></headline>", "headline is empty"),
        (r"<areaDesc>.*</areaDesc>", "", "areaDesc is missing"),
        (r"10.9000,104.7000</polygon>", "10.9,104.8</polygon>", "not closed"),
        (r"<polygon>", "<polygon>1 2 ", "wrong form"),
        (r"<event>", "<colour>red</colour><event>", "unknown colour"),
        (r"<alert xmlns=\S+>", "<alert>", "not a CAP 1.2 alert"),
        (r"</alert>", "", "not XML"),
    ],
)
def test_the_validator_notices(notice: PublicNotice, pattern: str, replacement: str, problem: str) -> None:
    xml = re.sub(pattern, replacement, cap.alert(notice, NOW, [SQUARE]), count=1)
    assert any(problem in found for found in cap.problems(xml)), cap.problems(xml)
