"""Addresses of people: their one form, their code, their quiet hours. Nothing is sent to an unproven one."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from commands import contacts
from commands.models import ContactPoint, User
from tests.cast import NOW

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


def refusal(call: Any, *args: Any, **more: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        call(*args, **more)
    error = caught.value
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}


def sms(user: User, number: str = "012 345 678") -> ContactPoint:
    return contacts.add(user, channel="sms", address=number, now=NOW)


# ---- One form ----


@pytest.mark.parametrize(
    "typed",
    ["012 345 678", "012345678", "+855 12 345 678", "855 12-345-678", "00855 12 345 678", "+855 (0)12 345678",
     "០១២ ៣៤៥ ៦៧៨", "０１２３４５６７８", " 012.345.678 "],
)  # fmt: skip
def test_a_mobile_number_is_kept_in_one_form(typed: str) -> None:
    assert contacts.normalised("sms", typed) == "+85512345678"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("097 123 4567", "+855971234567"), ("+66 81 234 5678", "+66812345678"), ("0084 912 345 678", "+84912345678")],
)
def test_longer_and_foreign_numbers_are_kept(typed: str, kept: str) -> None:
    assert contacts.normalised("sms", typed) == kept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "digits only"),
        ("call me", "digits only"),
        ("12 345 678", "Begin with 0"),
        ("023 456 789", "fixed line"),
        ("012 345", "9 or 10 digits"),
        ("012 345 678 901", "9 or 10 digits"),
        ("+1 23", "too short or too long"),
        ("+1234567890123456", "too short or too long"),
        ("+0123456789", "too short or too long"),
        ("012 345 678; 012 345 679", "digits only"),
    ],
)
def test_a_number_that_cannot_be_says_what_to_do(typed: str, said: str) -> None:
    assert said in refusal(contacts.normalised, "sms", typed)["address"][0]


@pytest.mark.parametrize(
    ("channel", "typed", "kept"),
    [
        ("email", " Name@Example.ORG ", "Name@example.org"),
        ("chat", "123456789", "123456789"),
        ("chat", " 12345 6789 ", "123456789"),
        ("chat", "១២៣៤៥៦៧៨៩", "123456789"),
    ],
)
def test_other_addresses(channel: str, typed: str, kept: str) -> None:
    assert contacts.normalised(channel, typed) == kept


@pytest.mark.parametrize(
    ("channel", "typed", "beside"),
    [("email", "name@", "address"), ("email", "a@b.org\nBcc: c@d.org", "address"), ("chat", "12", "address"),
     ("chat", "1;2", "address"), ("fax", "012", "channel"), ("webhook", "https://x", "channel")],
)  # fmt: skip
def test_addresses_that_cannot_be(channel: str, typed: str, beside: str) -> None:
    assert list(refusal(contacts.normalised, channel, typed)) == [beside]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("@duty_room", "A name with @ or a link may be a public channel"),
        ("＠duty_room", "A name with @ or a link may be a public channel"),
        ("https://t.me/duty_room", "A name with @ or a link may be a public channel"),
        ("t.me/duty_room", "A name with @ or a link may be a public channel"),
        ("-1001234567890", "A number with a minus is a group"),
        ("duty_room", "with digits only"),
        ("0123456789", "with digits only"),
        ("1234", "with digits only"),
        ("1" * 21, "with digits only"),
        ("123456789:topic", "with digits only"),
        ("", "with digits only"),
    ],
)
def test_a_chat_that_others_may_read_is_refused_with_the_way_out(typed: str, said: str) -> None:
    (text,) = refusal(contacts.normalised, "chat", typed)["address"]
    assert said in text and "your own chat" in text and "123456789" in text


def test_chats_of_others_that_were_taken_before_are_to_be_proven_anew(cast: Any) -> None:
    migration = import_module("commands.migrations.0005_chats_of_others_are_off")
    for address in ("@duty_room", "-1001234567890", "123456789"):
        ContactPoint.objects.create(
            user=cast.officer, channel="chat", address=address, created_at=NOW, verified_at=NOW
        )  # fmt: skip
    migration.switch_off(apps, None)
    proven = ContactPoint.objects.filter(user=cast.officer, channel="chat").exclude(verified_at=None)
    assert [p.address for p in proven] == ["123456789"]
    assert ContactPoint.objects.filter(user=cast.officer, channel="email", verified_at=None).count() == 0


def test_the_same_address_is_kept_once_for_a_person(cast: Any) -> None:
    sms(cast.officer)
    assert list(refusal(sms, cast.officer, "+855 12 345 678")) == ["address"]
    assert sms(cast.psc), "two people may share a telephone"
    taken = cast.officer.email.upper()
    assert list(refusal(contacts.add, cast.officer, channel="email", address=taken, now=NOW)) == ["address"]


def test_there_is_an_end_to_addresses(cast: Any) -> None:
    for number in range(contacts.AT_MOST - ContactPoint.objects.filter(user=cast.officer).count()):
        sms(cast.officer, f"01234567{number}")
    assert "10 addresses" in refusal(sms, cast.officer, "012345679")["address"][0]


# ---- Proving it ----


def test_the_right_code_verifies_and_only_its_hmac_was_kept(cast: Any) -> None:
    contact = sms(cast.officer)
    code = contacts.start_verification(contact, NOW)
    kept = ContactPoint.objects.get(pk=contact.pk)
    assert len(code) == 6 and code.isdigit() and code not in kept.code_digest and len(kept.code_digest) == 64
    verified = contacts.verify(contact, f" {code[:3]} {code[3:]} ", NOW + 14 * MINUTE)
    assert verified.verified_at == NOW + 14 * MINUTE and verified.code_digest == ""
    assert "verified already" in refusal(contacts.start_verification, contact, NOW + 20 * MINUTE)[""][0]
    assert contacts.verify(contact, "000000", NOW + 20 * MINUTE).verified_at == NOW + 14 * MINUTE


def test_khmer_digits_are_digits(cast: Any) -> None:
    contact = sms(cast.officer)
    code = contacts.start_verification(contact, NOW)
    assert contacts.verify(contact, code.translate(str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")), NOW).verified_at == NOW


def test_five_wrong_tries_end_a_code(cast: Any) -> None:
    contact = sms(cast.officer)
    code = contacts.start_verification(contact, NOW)
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    for left in (4, 3, 2, 1, 0):
        said = refusal(contacts.verify, contact, wrong, NOW)["code"][0]
        assert f"{left} {'try is' if left == 1 else 'tries are'} left" in said
    assert "too often" in refusal(contacts.verify, contact, code, NOW)["code"][0]
    again = contacts.start_verification(contact, NOW + 2 * MINUTE)
    assert contacts.verify(contact, again, NOW + 2 * MINUTE).verified_at


def test_a_code_ends_after_fifteen_minutes_and_with_the_next(cast: Any) -> None:
    contact = sms(cast.officer)
    code = contacts.start_verification(contact, NOW)
    assert "expired" in refusal(contacts.verify, contact, code, NOW + 15 * MINUTE)["code"][0]
    newer = contacts.start_verification(contact, NOW + 15 * MINUTE)
    assert newer == code or "not the code" in refusal(contacts.verify, contact, code, NOW + 15 * MINUTE)["code"][0]


def test_a_code_is_of_one_address(cast: Any) -> None:
    mine, other = sms(cast.officer), sms(cast.officer, "012345679")
    code = contacts.start_verification(mine, NOW)
    assert "expired" in refusal(contacts.verify, other, code, NOW)["code"][0]
    assert contacts.start_verification(other, NOW) == code or refusal(contacts.verify, other, code, NOW)


def test_another_code_waits_two_minutes(cast: Any) -> None:
    contact = sms(cast.officer)
    contacts.start_verification(contact, NOW)
    assert "Wait" in refusal(contacts.start_verification, contact, NOW + 119 * MINUTE / 60)[""][0]
    assert contacts.start_verification(contact, NOW + 2 * MINUTE)


def test_a_removed_address_verifies_nothing(cast: Any) -> None:
    contact = sms(cast.officer)
    code = contacts.start_verification(contact, NOW)
    contacts.remove(contact)
    assert "removed" in refusal(contacts.verify, contact, code, NOW)[""][0]


# ---- Quiet hours ----


def test_quiet_hours_are_whole(cast: Any) -> None:
    contact, ten, five = sms(cast.officer), dt.time(22), dt.time(5)
    assert contacts.set_quiet(contact, ten, five).quiet_to == five
    assert list(refusal(contacts.set_quiet, contact, ten, None)) == ["quiet_to"]
    assert list(refusal(contacts.set_quiet, contact, None, five)) == ["quiet_from"]
    assert list(refusal(contacts.set_quiet, contact, ten, ten)) == ["quiet_to"]
    assert ContactPoint.objects.get(pk=contact.pk).quiet_from == ten
    assert contacts.set_quiet(contact, None, None).quiet_from is None


# ---- What an administrator sets ----


def test_an_address_an_administrator_sets_is_still_to_be_proven_and_follows_the_account(cast: Any) -> None:
    person = User.objects.create(username="new", email="New@example.org")
    made = contacts.set_by_administrator(person, before="", now=NOW)
    assert made is not None and made.verified_at is None and made.address == "New@example.org"
    person.email = "newer@example.org"
    contacts.set_by_administrator(person, before="New@example.org", now=NOW)
    points = ContactPoint.objects.filter(user=person)
    assert list(points.values_list("address", "verified_at")) == [("newer@example.org", None)]
    code = contacts.start_verification(points[0], NOW)
    assert contacts.verify(points[0], code, NOW).verified_at == NOW
    person.email = ""
    assert contacts.set_by_administrator(person, before="newer@example.org", now=NOW) is None
    assert not ContactPoint.objects.filter(user=person).exists()


def test_what_the_person_has_proven_stays_so_and_what_not_does_not(cast: Any) -> None:
    person = User.objects.create(username="new")
    own = contacts.add(person, channel="email", address="new@example.org", now=NOW)
    person.email = "New@Example.org"
    assert contacts.set_by_administrator(person, before="", now=NOW) == own
    assert ContactPoint.objects.get(pk=own.pk).verified_at is None
    ContactPoint.objects.filter(pk=own.pk).update(verified_at=NOW)
    contacts.set_by_administrator(person, before="", now=NOW)
    assert ContactPoint.objects.get(pk=own.pk).verified_at == NOW
