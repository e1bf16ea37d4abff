"""Identities of protected people: unreadable without the key, never plain in the database, opened under a grant."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured, ValidationError

from incidents import identities
from incidents.models import IdentityGrant
from tests.cast import NOW, Cast
from tests.incidents.plain_case import plain_case

WHO = {"name": "(a name)", "contact": "012 000 000", "notes": "ស្នាក់នៅជាមួយសាច់ញាតិ"}


def test_what_is_sealed_can_be_opened() -> None:
    assert identities.open(identities.seal(WHO)) == WHO
    assert identities.open(memoryview(identities.seal(WHO))) == WHO


def test_nothing_of_it_can_be_read_in_the_database() -> None:
    sealed = identities.seal(WHO)
    assert all(value.encode() not in sealed for value in WHO.values())
    assert sealed != identities.seal(WHO)


def test_old_keys_still_open_and_the_newest_seals(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.IDENTITY_KEYS = [old]
    sealed = identities.seal(WHO)
    settings.IDENTITY_KEYS = [new, old]
    assert identities.open(sealed) == WHO
    again = identities.resealed(sealed)
    settings.IDENTITY_KEYS = [new]
    assert identities.open(again) == WHO
    with pytest.raises(ValidationError, match="administrator"):
        identities.open(sealed)


def test_a_changed_seal_does_not_open() -> None:
    sealed = bytearray(identities.seal(WHO))
    sealed[30] ^= 1
    with pytest.raises(ValidationError):
        identities.open(bytes(sealed))


def test_without_keys_it_says_what_to_do(settings: Any) -> None:
    settings.IDENTITY_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="generate_key"):
        identities.seal(WHO)
    assert [m.id for m in identities.check_identity_keys()] == ["incidents.W001"]
    settings.IDENTITY_KEYS = ["short"]
    assert [m.id for m in identities.check_identity_keys()] == ["incidents.E001"]


def test_with_keys_the_check_is_quiet() -> None:
    assert identities.check_identity_keys() == []


@pytest.mark.parametrize(
    "identity", [{}, {"name": " "}, {"name": "x" * 201}, {"notes": "x" * 2001}, {"party": "any"}, {"id_number": "1"}]
)
def test_only_a_name_a_contact_and_notes_are_kept(identity: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        identities.seal(identity)


@pytest.mark.django_db
class TestGrant:
    def test_a_grant_opens_until_it_expires(self, cast: Cast) -> None:
        incident = plain_case()
        assert not identities.may_open(cast.duty_commander, incident, NOW)
        grant(incident, cast.duty_commander, cast)
        assert identities.may_open(cast.duty_commander, incident, NOW)
        assert not identities.may_open(cast.duty_commander, incident, NOW + dt.timedelta(hours=2))
        assert not identities.may_open(cast.duty_commander, incident, NOW - dt.timedelta(seconds=1))

    def test_it_is_for_one_person_and_one_case(self, cast: Cast) -> None:
        incident, other = plain_case(), plain_case()
        grant(incident, cast.duty_commander, cast)
        assert not identities.may_open(cast.duty_commander, other, NOW)
        assert not identities.may_open(cast.provincial, incident, NOW)

    def test_it_does_not_open_what_the_person_may_not_see(self, cast: Cast) -> None:
        incident = plain_case()
        for name in ("neighbour", "relieved", "auditor", "ministry", "administrator"):
            grant(incident, getattr(cast, name), cast)
            assert not identities.may_open(getattr(cast, name), incident, NOW)


def grant(incident: Any, user: Any, cast: Cast) -> None:
    IdentityGrant.objects.create(
        incident=incident,
        user=user,
        granted_by=cast.nec,
        reason="To call the family back.",
        granted_at=NOW,
        expires_at=NOW + dt.timedelta(hours=2),
    )
