"""What messages say: never a narrative, a person, an exact place; an SMS of at most three parts; in both languages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import translation

from incidents import actions
from incidents.delivery import messages, texts
from incidents.delivery.messages import MOST_PARTS, sms_parts, sms_room, written
from incidents.models import Entry, Notice
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db
LINK = "https://incidents.example.org/escalation/answer/" + "x" * 80
KINDS = sorted({*texts.KINDS, "something_new"} - {"moved_up", "outcome", "closed"})


@pytest.mark.parametrize("text", ["a" * 160, "[" * 80, "ក" * 70])
def test_what_fills_one_sms(text: str) -> None:
    assert sms_room(text) == 0
    assert sms_room(text + text[0]) < 0


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 307, 3), ("[" * 81, 2), ("ក" * 71, 2), ("ក" * 134, 2), ("ក" * 135, 3)],
)
def test_a_longer_one_is_counted_in_its_parts(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


@pytest.mark.parametrize("replies", ["", "shared with the gateway"])
@pytest.mark.parametrize("language", ["en", "km"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_sms_is_short_and_has_reference_and_code(
    cast: Cast, make_incident: Any, kind: str, language: str, replies: str, settings: Any
) -> None:
    settings.SMS_INBOUND_SECRET = replies
    case = make_incident(severity="critical")
    notice = Notice.objects.filter(incident=case, channel="email").select_related("incident")[0]
    notice.channel, notice.kind = "sms", kind
    with translation.override(language):
        _none, text = written(notice, NOW, LINK, "123456")
        _none, plain = written(notice, NOW)
    assert sms_parts(text) <= (1 if language == "en" else MOST_PARTS), text
    assert sms_parts(plain) <= MOST_PARTS, plain
    assert case.reference in text
    assert case.get_severity_display() in text or language == "km"
    assert "123 456" in text
    assert case.reference in plain


def sms(case: Any, kind: str, now: dt.datetime = NOW, code: str = "123456") -> str:
    notice = Notice.objects.filter(incident=case, channel="email").select_related("incident")[0]
    notice.channel, notice.kind = "sms", kind
    return written(notice, now, LINK, code)[1]


def test_an_sms_says_which_case_what_is_asked_by_when_and_what_the_code_is_for(
    cast: Cast, make_incident: Any, settings: Any
) -> None:
    settings.SMS_INBOUND_SECRET = "shared with the gateway"
    case = make_incident(severity="medium")
    assert sms(case, "report") == (
        f"{case.reference} Medium: new case. Please acknowledge it by 10:00. "
        "To do so, answer with the code 123 456, or say it to the watch by radio or phone."
    )
    # Where the gateway brings no answer back, nobody is asked to write one.
    settings.SMS_INBOUND_SECRET = ""
    assert sms(case, "report").endswith("To do so, say the code 123 456 to the watch by radio or phone.")
    assert "Please acknowledge it: late since 10:00." in sms(case, "warn", NOW + dt.timedelta(hours=5))


def test_who_is_handed_a_case_is_asked_to_accept_it(cast: Cast, make_incident: Any) -> None:
    case = make_incident(severity="medium")
    actions.acknowledge(case, by=cast.duty_commander, version=None, now=NOW)
    actions.escalate(case, by=cast.duty_commander, version=None, now=NOW, reason="Too much for one district.")
    case.refresh_from_db()
    accept = case.clocks.get(kind="accept", state="running")
    by = messages.moment(accept.deadline_at, NOW)
    assert f": came up to you. Please accept it by {by}. To do so, " in sms(case, "escalate")
    # Another deadline may be nearer; what is asked has its own.
    case.next_due_kind, case.next_due_at = "next_update", NOW
    assert f"Please accept it by {by}." in sms(case, "escalate")


def test_an_sms_that_asks_for_no_answer_says_which_deadline_is_meant(cast: Cast, make_incident: Any) -> None:
    case = make_incident(severity="medium")
    assert sms(case, "warn", code="") == f"{case.reference} Medium: deadline near. By 10:00: acknowledge."
    assert sms(case, "inform", NOW + dt.timedelta(hours=5), code="").endswith("Late since 10:00: acknowledge.")


def test_the_sms_of_a_sealed_case_says_no_severity_no_act_and_no_code(cast: Cast, make_sealed: Any) -> None:
    case = make_sealed()
    assert sms(case, "report") == f"{case.reference}: something waits for you. Sign in to read it."


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
