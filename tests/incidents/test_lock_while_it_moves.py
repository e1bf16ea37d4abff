"""Whoever acts on a case in the moment it gets another owner waits for it, and then finds it as it is now."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from incidents.models import Category, Incident
from incidents.turn import locked
from tests.cast import Cast

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("what", ["owner", "category"])
def test_a_case_that_changes_hands_is_found(cast: Cast, make_incident: Callable[..., Incident], what: str) -> None:
    case = make_incident()
    new = {"owner": cast.command("psc"), "category": Category.objects.exclude(pk=case.category_id)[0]}[what]
    is_held = threading.Event()
    found: list[Incident | Exception] = []

    def look() -> None:
        try:
            is_held.wait(10)
            with transaction.atomic():
                found.append(locked(case.pk, None))
        except Exception as fault:
            found.append(fault)
        finally:
            connection.close()

    looker = threading.Thread(target=look)
    looker.start()
    with transaction.atomic():
        Incident.objects.filter(pk=case.pk).update(**{what: new})
        is_held.set()
        _wait_until_somebody_waits()
    looker.join(30)
    assert getattr(found[0], what, found[0]) == new


def _wait_until_somebody_waits() -> None:
    with connection.cursor() as cursor:
        for _look in range(200):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.05)")
    raise AssertionError("nobody waited for the lock")
