"""Codes said over radio and entered by an operator, or coming back by SMS: each refusal its own, nothing half-saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from commands.models import Posting, User
from incidents import actions, answers
from incidents.answers import Spoken
from incidents.choices import Channel
from incidents.delivery import codes
from incidents.models import AckCode, Entry, Incident
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
HEARD_AT = NOW + 3 * MINUTE
LATER = NOW + 5 * MINUTE


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(LATER, tick=False) as travel:
        yield travel


@pytest.fixture
def case(make_incident: Any) -> Incident:
    incident: Incident = make_incident(severity="medium")
    return incident


@pytest.fixture
def code(case: Incident, cast: Cast) -> str:
    return codes.issue(case, cast.duty_commander, NOW)


def said(code: str, **fields: Any) -> Spoken:
    values: dict[str, Any] = {"code": code, "channel": Channel.RADIO, "said_by": "Kaev 1", "at": HEARD_AT}
    return Spoken(**(values | fields))


def refused(spoken: Spoken, by: User, now: dt.datetime = LATER) -> str:
    with pytest.raises(ValidationError) as problem:
        answers.by_code(spoken, by=by, now=now)
    return " ".join(problem.value.messages)


def test_the_journal_has_both(case: Incident, code: str, cast: Cast) -> None:
    answers.by_code(said(f"{code[:3]} {code[3:]}"), by=cast.provincial, now=LATER)
    case.refresh_from_db()
    assert (case.state, case.acknowledged_at) == ("acknowledged", LATER)
    entry = Entry.objects.get(incident=case, act="acknowledge")
    assert (entry.by, entry.channel, entry.posting.user) == (cast.provincial, "radio", cast.provincial)  # type: ignore[union-attr]
    assert entry.after["on_behalf_of"] == cast.duty_commander.username
    assert entry.after["said_by"] == "Kaev 1"
    assert entry.after["heard_at"] == HEARD_AT.isoformat()
    assert case.custodies.get().accepted_by == cast.duty_commander
    row = AckCode.objects.get()
    assert (row.used_at, row.used_by) == (LATER, cast.provincial)


def test_it_accepts_a_hand_over(case: Incident, cast: Cast) -> None:
    actions.acknowledge(case, by=cast.duty_commander, version=None, now=NOW)
    actions.escalate(case, by=cast.duty_commander, version=None, now=NOW, reason="Too big for us.")
    case.refresh_from_db()
    answers.by_code(said(codes.issue(case, cast.provincial, NOW)), by=cast.psc, now=LATER)
    case.refresh_from_db()
    assert case.is_accepted
    assert case.entries.order_by("-pk")[0].act == "accept"
    assert not case.clocks.filter(kind="accept", state="running").exists()


@pytest.mark.parametrize("operator", ["duty_commander", "provincial", "psc", "nec"])
def test_at_the_owner_above_it_the_psc_or_the_nec(case: Incident, code: str, cast: Cast, operator: str) -> None:
    answers.by_code(said(code), by=getattr(cast, operator), now=LATER)
    case.refresh_from_db()
    assert case.is_accepted


def test_khmer_digits_are_digits(case: Incident, code: str, cast: Cast) -> None:
    khmer = code.translate(str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩"))
    answers.by_code(said(khmer), by=cast.provincial, now=LATER)
    case.refresh_from_db()
    assert case.state == "acknowledged"


def test_a_code_counts_once(case: Incident, code: str, cast: Cast) -> None:
    answers.by_code(said(code), by=cast.provincial, now=LATER)
    entries = case.entries.count()
    assert "used already" in refused(said(code), cast.provincial)
    assert case.entries.count() == entries


def test_a_wrong_code(case: Incident, code: str, cast: Cast) -> None:
    wrong = str((int(code) + 1) % 1_000_000).zfill(6)
    assert "No message has this code" in refused(said(wrong), cast.provincial)
    assert "six digits" in refused(said("12345"), cast.provincial)


def test_an_old_code(case: Incident, code: str, cast: Cast) -> None:
    now = NOW + dt.timedelta(hours=25)
    assert "has expired" in refused(said(code, at=now), cast.provincial, now)
    case.refresh_from_db()
    assert case.state == "reported"


@pytest.mark.parametrize("operator", ["neighbour", "other_province"])
def test_a_case_the_operator_does_not_see(case: Incident, code: str, cast: Cast, operator: str) -> None:
    text = refused(said(code), getattr(cast, operator))
    assert "that you do not see" in text
    assert case.reference not in text
    assert AckCode.objects.get().used_at is None


def test_below_the_owner_nobody_enters(case: Incident, cast: Cast) -> None:
    actions.escalate(case, by=cast.duty_commander, version=None, now=NOW, reason="Too big for us.")
    case.refresh_from_db()
    text = refused(said(codes.issue(case, cast.provincial, NOW)), cast.duty_commander)
    assert "entered at" in text


def test_a_recipient_who_moved_answers_for_nothing(case: Incident, code: str, cast: Cast) -> None:
    Posting.objects.filter(user=cast.duty_commander).update(command=cast.command("neighbour"))
    assert "does not answer for" in refused(said(code), cast.provincial)
    row = AckCode.objects.get()
    assert row.used_at is None
    assert not case.entries.filter(act__in=["acknowledge", "seen"]).exists()


def test_a_case_that_is_taken(case: Incident, code: str, cast: Cast) -> None:
    actions.acknowledge(case, by=cast.provincial, version=None, now=NOW)
    assert "is taken already" in refused(said(code), cast.provincial)
    assert AckCode.objects.get().used_at is None


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("said_by", {"said_by": "  "}),
        ("said_by", {"said_by": "x" * 81}),
        ("channel", {"channel": "browser"}),
        ("at", {"at": LATER + 10 * MINUTE}),
        ("at", {"at": LATER - dt.timedelta(days=2)}),
    ],
)
def test_what_was_heard_is_checked_beside_its_field(
    case: Incident, code: str, cast: Cast, field: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as problem:
        answers.by_code(said(code, **fields), by=cast.provincial, now=LATER)
    assert list(problem.value.message_dict) == [field]
    assert AckCode.objects.get().used_at is None


def test_codes_are_not_tried_out(case: Incident, code: str, cast: Cast) -> None:
    for number in range(answers.TRIES):
        wrong = str((int(code) + 1 + number) % 1_000_000).zfill(6)
        refused(said(wrong), cast.provincial)
    assert "Too many wrong codes" in refused(said(code), cast.provincial)
    # Nobody else is paused.
    answers.by_code(said(code), by=cast.psc, now=LATER)


def test_a_code_is_the_same_until_it_is_used_and_another_after(case: Incident, cast: Cast) -> None:
    first = codes.issue(case, cast.duty_commander, NOW)
    assert codes.issue(case, cast.duty_commander, NOW + MINUTE) == first
    assert codes.issue(case, cast.provincial, NOW) != first
    AckCode.objects.filter(recipient=cast.duty_commander).update(used_at=NOW)
    assert codes.issue(case, cast.duty_commander, NOW) != first
    assert first not in str(list(AckCode.objects.values()))


def test_two_live_codes_are_never_the_same(case: Incident, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = codes._number
    monkeypatch.setattr(codes, "_number", lambda c, r, n: "000007" if n == 0 else drawn(c, r, n))
    assert codes.issue(case, cast.duty_commander, NOW) == "000007"
    assert codes.issue(case, cast.provincial, NOW) != "000007"
    # One that ended unused makes room.
    assert codes.issue(case, cast.psc, NOW + dt.timedelta(hours=25)) == "000007"


# ---- The page ----


def typed(code: str, **fields: str) -> dict[str, str]:
    return {"code": code, "said_by": "Kaev 1", "channel": "radio", "at": "2027-05-25T08:03"} | fields


def test_the_page(case: Incident, code: str, cast: Cast, signed_in: Callable[..., Client]) -> None:
    client = signed_in(cast.provincial)
    url = reverse("escalation:codes")
    assert 'value="2027-05-25T08:05"' in client.get(url).content.decode()
    answer = client.post(url, typed("000000"))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "No message has this code" in page
    assert 'value="Kaev 1"' in page
    done = client.post(url, typed(code), follow=True).content.decode()
    assert f"{case.reference} is taken" in done
    case.refresh_from_db()
    assert case.entries.get(act="acknowledge").after["heard_at"] == HEARD_AT.astimezone(dt.UTC).isoformat()


# ---- By SMS ----

INBOUND = "/escalation/sms/inbound"


@pytest.fixture
def phone(cast: Cast, add_contact: Any, settings: Any) -> str:
    settings.SMS_INBOUND_SECRET = SHARED
    return str(add_contact(cast.duty_commander, "sms", "+85512000001").address)


SHARED = "a shared secret"


def inbound(secret: str = SHARED, **sent: str) -> Any:
    client = Client(headers={"authorization": f"Bearer {secret}"})
    return client.post(INBOUND, sent, content_type="application/json")


@pytest.mark.parametrize("sender", ["+85512000001", "85512000001", "012000001", "0085512000001"])
def test_an_sms_with_the_code_takes_the_case(phone: str, case: Incident, code: str, cast: Cast, sender: str) -> None:
    answer = inbound(**{"from": sender, "text": f"ok {code[:3]} {code[3:]} thanks"})
    assert (answer.status_code, answer.json()["status"]) == (200, "taken")
    entry = case.entries.get(act="acknowledge")
    assert (entry.by, entry.channel) == (cast.duty_commander, "sms")
    assert "on_behalf_of" not in entry.after
    assert AckCode.objects.get().used_by is None


def test_as_a_form_too(phone: str, case: Incident, code: str) -> None:
    client = Client(headers={"authorization": f"Bearer {SHARED}"})
    assert client.post(INBOUND, {"from": phone, "text": code}).status_code == 200


def test_from_another_number_the_code_is_none(phone: str, case: Incident, code: str) -> None:
    answer = inbound(**{"from": "+85512999999", "text": code})
    assert (answer.status_code, answer.json()["status"]) == (422, "wrong")
    case.refresh_from_db()
    assert case.state == "reported"
    assert AckCode.objects.get().used_at is None


def test_without_the_secret_there_is_no_such_door(phone: str, case: Incident, code: str, settings: Any) -> None:
    assert inbound("another", **{"from": phone, "text": code}).status_code == 404
    settings.SMS_INBOUND_SECRET = ""
    assert inbound("", **{"from": phone, "text": code}).status_code == 404
    case.refresh_from_db()
    assert case.state == "reported"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b""])
def test_nonsense_is_answered_in_words(phone: str, body: bytes) -> None:
    client = Client(headers={"authorization": f"Bearer {SHARED}"})
    answer = client.post(INBOUND, body, content_type="application/json")
    assert answer.status_code == 422
    assert "six digits" in answer.json()["text"]


@pytest.mark.parametrize("body", [b"[" * 9_999, b'{"a":' * 1_900])
def test_what_is_nested_without_end_is_not_read(phone: str, body: bytes) -> None:
    client = Client(headers={"authorization": f"Bearer {SHARED}"})
    assert client.post(INBOUND, body, content_type="application/json").status_code == 400


def test_half_of_a_character_is_no_code(phone: str) -> None:
    client = Client(headers={"authorization": f"Bearer {SHARED}"})
    body = rb'{"from": "\ud800", "text": "\ud800 \u0000"}'
    assert client.post(INBOUND, body, content_type="application/json").status_code == 422


def test_a_case_that_is_told_of_for_weeks_never_runs_out_of_codes(case: Incident, cast: Cast) -> None:
    """Twice as many ended as there are tries, and as many used: each day has a code that counts."""
    for day in range(40):
        at = NOW + dt.timedelta(days=day)
        code = codes.issue(case, cast.duty_commander, at)
        assert codes.issue(case, cast.duty_commander, at) == code
        row = AckCode.objects.get(digest=codes.digest_of(code), used_at=None)
        assert (row.incident, row.recipient, row.expires_at) == (case, cast.duty_commander, at + codes.CODE_FOR)
    # One number, said again each day: nothing piles up that nobody will ever ask for.
    assert AckCode.objects.count() == 1


def test_a_number_that_was_used_is_never_given_out_again(case: Incident, cast: Cast) -> None:
    given = []
    for _time in range(30):
        given.append(codes.issue(case, cast.duty_commander, NOW))
        AckCode.objects.filter(used_at=None).update(used_at=NOW)
    assert len(set(given)) == 30
