"""What one sender holds no other takes; the Message-ID is stable and counts nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings

from incidents.delivery import breaker, claims, sender
from incidents.delivery.channels import SEND_SECONDS
from incidents.delivery.outbox import message_id
from incidents.models import Incident, Notice
from tests.cast import NOW, Cast
from tests.incidents.drills.stage import hold

pytestmark = pytest.mark.django_db


def test_what_is_leased_is_left_alone_until_the_lease_ends(cast: Cast, make_incident: Callable[..., Incident]) -> None:
    make_incident()
    mine = claims.claim("email", NOW, 100)
    assert mine
    assert claims.claim("email", NOW + claims.LEASE, 100) == []
    again = claims.claim("email", NOW + claims.LEASE * 1.01, 100)
    assert {n.pk for n in again} == {n.pk for n in mine}


def test_every_time_limit_is_below_the_lease() -> None:
    longest = sender.BEGIN_SECONDS + max(SEND_SECONDS, sender.LEAVE_SECONDS)
    assert longest < claims.LEASE.total_seconds()
    # Celery ends a task that takes longer; by then the call has left what hangs.
    assert longest < settings.CELERY_TASK_SOFT_TIME_LIMIT
    assert max(settings.EMAIL_TIMEOUT, 2 * settings.GATEWAY_TIMEOUT) < breaker.PROBE.total_seconds()


def test_the_message_id_is_the_same_at_every_try_and_counts_nothing(
    make_incident: Callable[..., Incident], cast: Cast
) -> None:
    make_incident(severity="critical")
    first, second = Notice.objects.order_by("pk")[:2]
    assert message_id(first) == message_id(Notice.objects.get(pk=first.pk)) != message_id(second)
    for notice in (first, second):
        token = message_id(notice).removeprefix("<").removesuffix("@incidents>")
        assert len(token) == 32
        assert int(token, 16) not in (notice.pk, notice.entry_id)


def test_a_drill_of_the_country_keeps_no_real_message_waiting(
    cast: Cast, make_incident: Callable[..., Incident]
) -> None:
    hold("KH20", "KH21")
    make_incident()
    kinds = []
    while leased := claims.claim("email", NOW, 2):
        kinds += [n.kind for n in leased]
    real = kinds.index("drill")
    assert real > 0 and set(kinds[real:]) == {"drill"}
