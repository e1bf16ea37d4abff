"""From a verified case to a message for the public, through the pages: draft, look, approve, print, take back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from elections.models import Jurisdiction
from incidents import cap
from incidents.models import Incident, PublicNotice
from incidents.views import nec
from tests.cast import Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident() -> Incident:
    return plain_case(reported_at=timezone.now(), severity="high", verification="verified", category_id="HAZ-01")


def typed(**changes: str) -> dict[str, str]:
    until = timezone.localtime(timezone.now() + dt.timedelta(hours=8))
    return {
        "area": "KH2108",
        "category": "Met",
        "event_km": "ទឹកជំនន់",
        "event_en": "Flood",
        "headline_km": "ការិយាល័យបោះឆ្នោតបានផ្លាស់ទី",
        "headline_en": "A polling station has moved",
        "instruction_km": "សូមទៅសាលាបឋមសិក្សា។",
        "instruction_en": "Please go to the primary school.",
        "expires_at": f"{until:%Y-%m-%dT%H:%M}",
    } | changes


@pytest.fixture
def drafted(incident: Incident, cast: Cast, signed_in: Any) -> PublicNotice:
    answer = signed_in(cast.nec).post(reverse("nec:draft", args=[incident.pk]), typed())
    assert answer.status_code == 302
    return PublicNotice.objects.get()


@pytest.fixture
def issued(drafted: PublicNotice, cast: Cast, signed_in: Any) -> PublicNotice:
    signed_in(cast.nec_second).post(reverse("nec:issue", args=[drafted.pk]))
    drafted.refresh_from_db()
    assert drafted.state == "issued"
    return drafted


@pytest.mark.parametrize("name", Cast.names())
def test_who_finds_the_list(cast: Cast, signed_in: Any, name: str) -> None:
    allowed = {"nec", "nec_second", "psc", "provincial", "other_province", "demo_provincial"}
    answer = signed_in(getattr(cast, name)).get(reverse("nec:notices"))
    assert answer.status_code == (200 if name in allowed else 404)


def test_verified_cases_are_offered_for_a_draft(incident: Incident, cast: Cast, signed_in: Any) -> None:
    unverified = plain_case(reported_at=timezone.now())
    page = signed_in(cast.nec).get(reverse("nec:notices")).content.decode()
    assert reverse("nec:draft", args=[incident.pk]) in page
    assert reverse("nec:draft", args=[unverified.pk]) not in page
    signed_in(cast.nec).post(reverse("nec:draft", args=[incident.pk]), typed())
    page = signed_in(cast.nec).get(reverse("nec:notices")).content.decode()
    assert reverse("nec:draft", args=[incident.pk]) not in page


def test_the_draft_page_starts_with_what_is_known(incident: Incident, cast: Cast, signed_in: Any) -> None:
    page = signed_in(cast.nec).get(reverse("nec:draft", args=[incident.pk])).content.decode()
    assert f'<option value="{incident.place_id[:6]}" selected>' in page
    assert incident.category.name_km in page


def test_nothing_can_be_drafted_about_what_is_not_verified(cast: Cast, signed_in: Any) -> None:
    case = plain_case(severity="high")
    page = signed_in(cast.nec).get(reverse("nec:draft", args=[case.pk])).content.decode()
    assert "not verified yet" in page
    assert signed_in(cast.nec).post(reverse("nec:draft", args=[case.pk]), typed()).status_code == 422
    assert not PublicNotice.objects.exists()


def test_a_refused_draft_keeps_what_was_typed(incident: Incident, cast: Cast, signed_in: Any) -> None:
    answer = signed_in(cast.nec).post(
        reverse("nec:draft", args=[incident.pk]), typed(headline_km="Only English", expires_at="yesterday")
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Only English" in page
    assert "Please go to the primary school." in page
    assert "06/06/2027 15:00" in page


def test_the_preview_shows_both_languages(drafted: PublicNotice, cast: Cast, signed_in: Any) -> None:
    page = signed_in(cast.nec_second).get(reverse("nec:notice", args=[drafted.pk])).content.decode()
    for words in (drafted.headline_km, drafted.headline_en, drafted.instruction_km, "Approve and issue"):
        assert words in page


def test_the_writer_is_told_that_somebody_else_approves(drafted: PublicNotice, cast: Cast, signed_in: Any) -> None:
    page = signed_in(cast.nec).get(reverse("nec:notice", args=[drafted.pk])).content.decode()
    assert "somebody else at the NEC must approve" in page
    assert "Approve and issue" not in page
    signed_in(cast.nec).post(reverse("nec:issue", args=[drafted.pk]))
    drafted.refresh_from_db()
    assert drafted.state == "draft"


def test_a_draft_has_no_message(drafted: PublicNotice) -> None:
    assert Client().get(reverse("nec:cap", args=[drafted.pk])).status_code == 404


def test_the_issued_message_is_for_everybody(issued: PublicNotice) -> None:
    answer = Client().get(reverse("nec:cap", args=[issued.pk]))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/cap+xml")
    assert answer.content.decode() == issued.alert_xml
    assert cap.problems(answer.content.decode()) == []
    assert issued.incident.reference not in answer.content.decode()
    assert "set-cookie" not in {h.lower() for h in answer.headers}


def test_the_message_has_the_outline_of_its_area(
    drafted: PublicNotice, cast: Cast, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    square = [[104.7, 10.9], [104.9, 10.9], [104.9, 11.1], [104.7, 11.1], [104.7, 10.9]]
    shapes = {"features": [{"id": "KH2108", "geometry": {"type": "Polygon", "coordinates": [square]}}]}
    monkeypatch.setattr(nec.geometry, "outlines", {"KH21": shapes}.__getitem__)
    Jurisdiction.objects.filter(pk="KH2108").update(has_outline=True)
    signed_in(cast.nec_second).post(reverse("nec:issue", args=[drafted.pk]))
    drafted.refresh_from_db()
    assert "<polygon>10.9000,104.7000 10.9000,104.9000" in drafted.alert_xml


def test_a_cancelled_notice_answers_with_the_cancel_and_keeps_the_alert(
    issued: PublicNotice, cast: Cast, signed_in: Any
) -> None:
    client = signed_in(cast.nec)
    refused = client.post(reverse("nec:cancel", args=[issued.pk]), {"reason": ""})
    assert refused.status_code == 422
    client.post(reverse("nec:cancel", args=[issued.pk]), {"reason": "The water went down."})
    first = Client().get(reverse("nec:cap_alert", args=[issued.pk])).content.decode()
    last = Client().get(reverse("nec:cap", args=[issued.pk])).content.decode()
    assert "<msgType>Alert</msgType>" in first
    assert "<msgType>Cancel</msgType>" in last
    assert cap.identifier(issued) in last


def test_an_issued_notice_cannot_be_changed(issued: PublicNotice, cast: Cast, signed_in: Any) -> None:
    answer = signed_in(cast.nec).post(reverse("nec:revise", args=[issued.pk]), typed(headline_en="Other words"))
    assert answer.status_code == 422
    issued.refresh_from_db()
    assert issued.headline_en == "A polling station has moved"


def test_another_province_does_not_find_it(issued: PublicNotice, cast: Cast, signed_in: Any) -> None:
    assert signed_in(cast.provincial).get(reverse("nec:notice", args=[issued.pk])).status_code == 200
    for page in ("nec:notice", "nec:revise"):
        assert signed_in(cast.other_province).get(reverse(page, args=[issued.pk])).status_code == 404
    for act in ("nec:issue", "nec:cancel"):
        assert signed_in(cast.other_province).post(reverse(act, args=[issued.pk])).status_code == 404


@pytest.mark.parametrize("language", ["km", "en"])
def test_the_pages_are_there_in_both_languages(
    issued: PublicNotice, incident: Incident, cast: Cast, signed_in: Any, language: str
) -> None:
    client = signed_in(cast.nec, language)
    for page in (
        reverse("nec:notices"),
        reverse("nec:notice", args=[issued.pk]),
        reverse("nec:draft", args=[incident.pk]),
        reverse("nec:queue"),
    ):
        answer = client.get(page)
        assert answer.status_code == 200
        assert f'lang="{language}"' in answer.content.decode()
        assert "style=" not in answer.content.decode().split("<main", 1)[-1]
