"""What messages say: never a narrative, a person or an exact place; one SMS each, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from incidents.delivery import messages, texts
from incidents.delivery.messages import sms_room, written
from incidents.models import Entry, Notice
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db
LINK = "https://incidents.example.org/escalation/answer/" + "x" * 80
KINDS = sorted({*texts.KINDS, "something_new"} - {"moved_up", "outcome", "closed"})


@pytest.mark.parametrize("text", ["a" * 160, "[" * 80, "ក" * 70])
def test_what_fills_one_sms(text: str) -> None:
    assert sms_room(text) == 0
    assert sms_room(text + text[0]) < 0


@pytest.mark.parametrize("language", ["en", "km"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_sms_is_one_and_has_reference_and_code(cast: Cast, make_incident: Any, kind: str, language: str) -> None:
    case = make_incident(severity="critical")
    notice = Notice.objects.filter(incident=case, channel="email").select_related("incident")[0]
    notice.channel, notice.kind = "sms", kind
    with translation.override(language):
        _none, text = written(notice, NOW, LINK, "123456")
    assert sms_room(text) >= 0, text
    assert case.reference in text
    assert "123456" in text


@pytest.mark.parametrize("language", ["en", "km"])
@pytest.mark.parametrize("channel", ["email", "sms", "chat"])
@pytest.mark.parametrize("kind", [*KINDS, "outcome", "closed"])
def test_nothing_confidential_leaves(cast: Cast, make_incident: Any, kind: str, channel: str, language: str) -> None:
    case = make_incident(
        severity="medium", title="Secret title", narrative="Secret story of what happened there.",
        place_note="Secret house", lat=11.00001, lon=104.78001,
    )  # fmt: skip
    notice = Notice.objects.filter(incident=case, channel="email").select_related("incident")[0]
    notice.channel, notice.kind = channel, kind
    with translation.override(language):
        said = " ".join(written(notice, NOW, LINK, "123456"))
    for secret in ("Secret", "11.00001", cast.officer.username, case.place.name_en, case.place.name_km):
        assert secret not in said
    assert case.reference in said


def test_of_a_sealed_case_only_that_something_waits(cast: Cast, make_sealed: Any) -> None:
    case = make_sealed()
    notice = Notice.objects.filter(incident=case, channel="email").select_related("incident")[0]
    subject, body = written(notice, NOW)
    assert subject == f"{case.reference}: something waits for you. Sign in to read it."
    for secret in (case.category.name, case.owner.name, "Demo", "High"):
        assert secret not in subject + body


def test_a_letter_says_what_happened_what_to_do_and_by_when(cast: Cast, make_incident: Any) -> None:
    case = make_incident(severity="medium")
    notice = Notice.objects.filter(incident=case, channel="email", recipient=cast.duty_commander)[0]
    subject, body = written(notice, NOW, LINK, "123456")
    assert subject == f"{case.reference}: a new case for {case.owner.name}. Please acknowledge it."
    assert "Severity: Medium." in body
    assert "By 10:00: acknowledge." in body
    assert LINK in body
    assert "123 456" in body
    assert case.get_absolute_url() in body
    assert messages.district_of(case) in body


def test_an_account_is_a_person_and_stays_in_the_inbox(cast: Cast) -> None:
    from incidents.entries import record_account

    entry = record_account("made", cast.officer, by=cast.administrator, now=NOW)
    notice = Notice.objects.filter(entry=entry, channel="email")[0]
    said = " ".join(written(notice, NOW))
    assert cast.officer.username not in said
    assert "inbox" in said


def test_what_passed_in_an_outage_is_told_as_a_count(cast: Cast) -> None:
    command = cast.command("duty_commander")
    after = {"what": "passed", "command": command.code, "cases": 7, "started_at": NOW.isoformat(),
             "ended_at": NOW.isoformat()}  # fmt: skip
    entry = Entry.objects.create(act="engine", at=NOW, channel="engine", command=command, after=after)
    notice = Notice(entry=entry, recipient=cast.duty_commander, channel="email", kind="passed_digest", created_at=NOW)
    subject, body = written(notice, NOW)
    assert subject
    assert "7 cases passed" in body
    notice.channel = "sms"
    assert sms_room(written(notice, NOW)[1]) >= 0
