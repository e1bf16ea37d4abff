"""Somebody removes an address while a batch tells them of a case: the case moves all the same, now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from commands.models import ContactPoint
from incidents.escalation import chains, engine
from incidents.models import Incident, Quarantine
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_address_removed_meanwhile_keeps_no_case_back(
    cast: Cast, make_incident: Callable[..., Incident], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make_incident(severity="medium", narrative=f"Motorbike number {n} was taken.") for n in range(4)]
    real = chains.contacts_of
    read_before = real([cast.provincial, cast.psc, cast.nec])
    ContactPoint.objects.filter(user__in=[cast.provincial, cast.psc, cast.nec]).delete()
    looks: list[Any] = []

    def contacts_of(people: Any) -> Any:
        looks.append(people)
        # The first batch read them in the moment before they were removed.
        return read_before if len(looks) == 1 else real(people)

    monkeypatch.setattr(chains, "contacts_of", contacts_of)
    engine.tick(NOW + dt.timedelta(hours=20), "celery")
    assert looks
    assert not Quarantine.objects.exists()
    assert all(Incident.objects.get(pk=c.pk).owner_id != c.owner_id for c in made)
