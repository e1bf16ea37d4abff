"""What the public is told: verified only, two people, both languages, never deleted, each act in the journal."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from incidents import cap, notices
from incidents.choices import Act
from incidents.models import Entry, Incident, PublicNotice, PublicNoticeState
from tests.cast import NOW, Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(minutes=4)


@pytest.fixture
def incident(db: None) -> Incident:
    return plain_case(severity="high", verification="verified", category_id="HAZ-01")


def text(**changes: Any) -> dict[str, Any]:
    return {
        "area": "KH2108",
        "category": "Met",
        "event_km": "ទឹកជំនន់",
        "event_en": "Flood",
        "headline_km": "ការិយាល័យបោះឆ្នោតបានផ្លាស់ទី",
        "headline_en": "A polling station has moved",
        "instruction_km": "សូមទៅសាលាបឋមសិក្សា។",
        "instruction_en": "Please go to the primary school.",
        "expires_at": NOW + dt.timedelta(hours=8),
    } | changes


@pytest.fixture
def draft(incident: Incident, cast: Cast) -> PublicNotice:
    return notices.draft(incident, by=cast.nec, now=NOW, **text())


def wrong(incident: Incident, by: Any, **changes: Any) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        notices.draft(incident, by=by, now=NOW, **text(**changes))
    return list(refused.value.message_dict)


# ---- Drafting ----


def test_a_draft_is_nobodys_message_yet(draft: PublicNotice) -> None:
    assert draft.state == PublicNoticeState.DRAFT
    assert draft.alert_xml == ""
    entry = Entry.objects.latest("pk")
    assert (entry.act, entry.after["notice"], entry.after["area"]) == (Act.DRAFT_NOTICE, str(draft.pk), "KH2108")


@pytest.mark.parametrize("name", ["nec", "psc", "provincial"])
def test_the_nec_the_psc_and_the_province_draft(incident: Incident, cast: Cast, name: str) -> None:
    notices.draft(incident, by=getattr(cast, name), now=NOW, **text())


@pytest.mark.parametrize(
    "name",
    ["officer", "duty_commander", "other_province", "ministry", "liaison", "auditor", "administrator", "nec_integrity"],
)
def test_nobody_else_drafts(incident: Incident, cast: Cast, name: str) -> None:
    with pytest.raises(PermissionDenied):
        notices.draft(incident, by=getattr(cast, name), now=NOW, **text())


@pytest.mark.parametrize("verification", ["unverified", "partially_corroborated", "refuted", "unverifiable"])
def test_only_a_verified_case_is_published(cast: Cast, verification: str) -> None:
    incident = plain_case(severity="high", verification=verification)
    with pytest.raises(ValidationError, match="verified"):
        notices.draft(incident, by=cast.nec, now=NOW, **text())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_km": ""}, "event_km"),
        ({"instruction_en": "  \x00 "}, "instruction_en"),
        ({"headline_km": "English only"}, "headline_km"),
        ({"headline_en": "ខ្មែរ"}, "headline_en"),
        ({"headline_en": "x" * 161}, "headline_en"),
        ({"area": "KH20"}, "area"),
        ({"area": "KH2109"}, "area"),
        ({"category": "Plot"}, "category"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + dt.timedelta(days=31)}, "expires_at"),
    ],
)
def test_each_mistake_is_told_at_its_field(incident: Incident, cast: Cast, changes: dict[str, Any], field: str) -> None:
    assert wrong(incident, cast.nec, **changes) == [field]


def test_a_notice_is_for_the_place_of_the_case_or_what_it_is_part_of(incident: Incident) -> None:
    assert [a.pcode for a in notices.areas_for(incident)] == ["KH210801", "KH2108", "KH21", "KH"]


def test_long_numbers_and_addresses_are_pointed_out_to_the_approver(incident: Incident, cast: Cast) -> None:
    quiet = notices.draft(incident, by=cast.nec, now=NOW, **text())
    assert notices.hints(quiet) == []
    loud = notices.draft(
        incident, by=cast.nec, now=NOW, **text(instruction_en="Call 012 345 678 or write to a@example.org.")
    )
    assert len(notices.hints(loud)) == 2


# ---- Approving ----


def test_a_second_person_of_the_nec_issues_it(draft: PublicNotice, cast: Cast) -> None:
    issued = notices.issue(draft, by=cast.nec_second, now=LATER)
    assert issued.state == PublicNoticeState.ISSUED
    assert issued.approved_by == cast.nec_second
    assert cap.problems(issued.alert_xml) == []
    assert "+07:00</sent>" in issued.alert_xml
    assert "<status>Exercise</status>" in issued.alert_xml
    assert notices.is_as_issued(issued)


def test_who_drafts_does_not_approve(draft: PublicNotice, cast: Cast) -> None:
    with pytest.raises(PermissionDenied, match="somebody else"):
        notices.issue(draft, by=cast.nec, now=LATER)


def test_who_wrote_the_last_words_does_not_approve(draft: PublicNotice, cast: Cast) -> None:
    notices.revise(draft, by=cast.nec_second, now=LATER, **text(event_en="High water"))
    with pytest.raises(PermissionDenied):
        notices.issue(draft, by=cast.nec_second, now=LATER)
    notices.issue(draft, by=cast.nec, now=LATER)
    entry = Entry.objects.filter(act=Act.DRAFT_NOTICE).latest("pk")
    assert entry.before == {"event_en": "Flood"}
    assert entry.after == {"notice": str(draft.pk), "event_en": "High water"}


def test_the_database_holds_that_too(draft: PublicNotice) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PublicNotice.objects.filter(pk=draft.pk).update(approved_by=draft.drafted_by, state="issued", issued_at=NOW)


@pytest.mark.parametrize("name", ["psc", "provincial", "officer", "nec_integrity", "ministry", "administrator"])
def test_nobody_outside_the_secretariat_approves(draft: PublicNotice, cast: Cast, name: str) -> None:
    with pytest.raises(PermissionDenied):
        notices.issue(draft, by=getattr(cast, name), now=LATER)


def test_a_case_that_lost_its_verification_is_not_published(draft: PublicNotice, cast: Cast) -> None:
    Incident.objects.filter(pk=draft.incident_id).update(verification="refuted")
    with pytest.raises(ValidationError, match="verified"):
        notices.issue(draft, by=cast.nec_second, now=LATER)


def test_an_expired_draft_is_not_issued(draft: PublicNotice, cast: Cast) -> None:
    with pytest.raises(ValidationError, match="expired"):
        notices.issue(draft, by=cast.nec_second, now=NOW + dt.timedelta(hours=9))


def test_it_is_issued_once(draft: PublicNotice, cast: Cast) -> None:
    notices.issue(draft, by=cast.nec_second, now=LATER)
    with pytest.raises(ValidationError, match="already"):
        notices.issue(draft, by=cast.nec_second, now=LATER)
    with pytest.raises(ValidationError, match="already"):
        notices.revise(draft, by=cast.nec, now=LATER, **text())
    assert Entry.objects.filter(act=Act.ISSUE_NOTICE).count() == 1


def test_the_outline_of_the_area_goes_into_the_message(draft: PublicNotice, cast: Cast) -> None:
    ring = ((10.9, 104.7), (10.9, 104.9), (11.1, 104.9), (10.9, 104.7))
    issued = notices.issue(draft, by=cast.nec_second, now=LATER, outline=lambda area: [ring])
    assert "10.9000,104.7000 10.9000,104.9000" in issued.alert_xml


# ---- Taking back ----


def test_an_issued_notice_is_cancelled_with_a_reference_and_a_reason(draft: PublicNotice, cast: Cast) -> None:
    issued = notices.issue(draft, by=cast.nec_second, now=LATER)
    taken = notices.cancel(issued, by=cast.nec, reason="The water went down.", now=NOW + dt.timedelta(days=1))
    assert taken.state == PublicNoticeState.CANCELLED
    assert cap.problems(taken.cancel_xml) == []
    assert cap.identifier(issued) in taken.cancel_xml
    assert taken.alert_xml == issued.alert_xml
    assert notices.is_as_issued(taken)


def test_a_cancel_needs_words(draft: PublicNotice, cast: Cast) -> None:
    issued = notices.issue(draft, by=cast.nec_second, now=LATER)
    with pytest.raises(ValidationError):
        notices.cancel(issued, by=cast.nec, reason=" ", now=LATER)
    with pytest.raises(ValidationError):
        notices.cancel(issued, by=cast.nec, reason="x" * 501, now=LATER)


def test_a_draft_cannot_be_cancelled(draft: PublicNotice, cast: Cast) -> None:
    with pytest.raises(ValidationError, match="already"):
        notices.cancel(draft, by=cast.nec, reason="Not needed any more.", now=LATER)


def test_a_message_changed_in_the_database_is_noticed(draft: PublicNotice, cast: Cast) -> None:
    issued = notices.issue(draft, by=cast.nec_second, now=LATER)
    PublicNotice.objects.filter(pk=issued.pk).update(alert_xml=issued.alert_xml.replace("moved", "closed"))
    issued.refresh_from_db()
    assert not notices.is_as_issued(issued)
