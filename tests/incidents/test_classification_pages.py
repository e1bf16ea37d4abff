"""The NEC's queue: who finds it, what one tap does, what it says when there is nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.choices import Act
from incidents.models import Entry
from tests.cast import Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db

ALLOWED = {"nec", "nec_second", "nec_integrity", "demo_integrity"}


@pytest.fixture
def moment() -> dt.datetime:
    return timezone.now()


@pytest.mark.parametrize("name", Cast.names())
@pytest.mark.parametrize("page", ["nec:queue", "nec:decided"])
def test_the_pages_are_there_for_the_nec_alone(cast: Cast, signed_in: Any, name: str, page: str) -> None:
    answer = signed_in(getattr(cast, name)).get(reverse(page))
    assert answer.status_code == (200 if name in ALLOWED else 404)


def test_an_empty_queue_teaches(cast: Cast, signed_in: Any) -> None:
    page = signed_in(cast.nec).get(reverse("nec:queue")).content.decode()
    assert "Nothing waits for a classification" in page


def test_a_case_stands_there_with_the_proposal_of_the_police(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    case = plain_case(reported_at=moment, proposed_classification="ordinary", narrative="SECRET WORDS")
    page = signed_in(cast.nec).get(reverse("nec:queue")).content.decode()
    assert case.reference in page
    assert "Police propose" in page
    assert "SECRET WORDS" not in page


@pytest.mark.parametrize("only", ["late", "serious", "proposed", "unknown"])
def test_the_queue_can_be_narrowed(cast: Cast, signed_in: Any, moment: dt.datetime, only: str) -> None:
    new = plain_case(reported_at=moment)
    old = plain_case(reported_at=moment - dt.timedelta(days=2), severity="high", proposed_classification="electoral")
    page = signed_in(cast.nec).get(reverse("nec:queue"), {"only": only}).content.decode()
    assert old.reference in page
    assert (new.reference in page) == (only == "unknown")


@pytest.mark.parametrize(
    ("pressed", "becomes"),
    [
        ({"ground": "target"}, "electoral"),
        ({"classification": "ordinary"}, "ordinary"),
        ({"classification": "hazard"}, "hazard"),
    ],
)
def test_one_tap_classifies(
    cast: Cast, signed_in: Any, make_incident: Any, pressed: dict[str, str], becomes: str
) -> None:
    case = make_incident()
    answer = signed_in(cast.nec).post(
        reverse("nec:classify", args=[case.pk]), {**pressed, "version": case.version, "next": "/nec/?only=late"}
    )
    assert answer.status_code == 302
    assert answer["Location"] == "/nec/?only=late"
    case.refresh_from_db()
    assert case.classification == becomes
    assert Entry.objects.filter(incident=case, act=Act.CLASSIFY, by=cast.nec).count() == 1


@pytest.mark.parametrize(
    "pressed",
    [{}, {"classification": "electoral"}, {"classification": "undetermined"}, {"ground": "mood"}, {"version": "x"}],
)
def test_half_a_decision_changes_nothing(
    cast: Cast, signed_in: Any, make_incident: Any, pressed: dict[str, str]
) -> None:
    case = make_incident()
    signed_in(cast.nec).post(reverse("nec:classify", args=[case.pk]), {"version": case.version, **pressed})
    case.refresh_from_db()
    assert case.classification == "undetermined"


def test_an_old_page_does_not_decide(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    client = signed_in(cast.nec)
    sent = {"classification": "ordinary", "version": case.version + 5}
    page = client.post(reverse("nec:classify", args=[case.pk]), sent, follow=True).content.decode()
    case.refresh_from_db()
    assert case.classification == "undetermined"
    assert case.reference in page


def test_it_never_leads_to_another_site(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    answer = signed_in(cast.nec).post(
        reverse("nec:classify", args=[case.pk]),
        {"classification": "ordinary", "version": case.version, "next": "https://example.org/"},
    )
    assert answer["Location"] == reverse("nec:queue")


@pytest.mark.parametrize("name", ["psc", "provincial", "duty_commander", "officer", "ministry", "administrator"])
def test_nobody_else_classifies_here(cast: Cast, signed_in: Any, name: str) -> None:
    case = plain_case()
    answer = signed_in(getattr(cast, name)).post(
        reverse("nec:classify", args=[case.pk]), {"classification": "ordinary", "version": 1}
    )
    assert answer.status_code == 404


def test_a_sealed_case_is_not_the_secretariats(cast: Cast, signed_in: Any) -> None:
    case = plain_case(is_sealed=True)
    answer = signed_in(cast.nec).post(
        reverse("nec:classify", args=[case.pk]), {"classification": "ordinary", "version": 1}
    )
    assert answer.status_code == 404


def test_disagreement_can_be_picked_out(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    same = plain_case(classification="ordinary", proposed_classification="ordinary", classified_at=moment)
    other = plain_case(classification="electoral", proposed_classification="ordinary", classified_at=moment)
    page = signed_in(cast.nec).get(reverse("nec:decided"), {"only": "disagreed"}).content.decode()
    assert other.reference in page
    assert same.reference not in page
