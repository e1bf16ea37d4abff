"""Two senders at once on real connections: each message leaves once."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from commands.models import ContactPoint, User
from incidents.delivery import claims
from incidents.models import Entry, Notice
from tests.at_once import raised_at_once
from tests.cast import NOW, Cast

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_no_message_is_leased_twice(cast: Cast) -> None:
    entry = Entry.objects.create(act="policy", at=NOW, channel="browser", by=cast.psc)
    people = User.objects.bulk_create(User(username=f"person-{n}") for n in range(200))
    contacts = ContactPoint.objects.bulk_create(
        ContactPoint(user=p, channel="email", address="a@example.org", created_at=NOW, verified_at=NOW) for p in people
    )
    Notice.objects.bulk_create(
        Notice(
            entry=entry, recipient=c.user, contact=c, channel="email", kind="policy", created_at=NOW, next_try_at=NOW
        )
        for c in contacts
    )
    taken: Counter[int] = Counter()
    lock = threading.Lock()

    def take() -> None:
        while mine := claims.claim("email", NOW, 7):
            with lock:
                taken.update(n.pk for n in mine)

    assert raised_at_once(*[take] * 4) == []
    assert len(taken) == 200
    assert set(taken.values()) == {1}
