"""The sender of notices: each is leased for longer than a slow mail server takes, and sent once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from incidents.delivery import outbox
from incidents.delivery.outbox import message_id
from incidents.models import Incident, Notice
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db


def test_what_one_sender_holds_no_other_takes_however_slow_the_server_is(
    cast: Cast, make_incident: Callable[..., Incident], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_incident()
    sent: list[int] = []
    seconds = dt.timedelta(seconds=settings.EMAIL_TIMEOUT)

    def slowly(notice: Any) -> None:
        sent.append(notice.pk)
        # Meanwhile, as long as a full batch may take, another worker looks for work.
        outbox.deliver(NOW + outbox.BATCH * seconds)

    monkeypatch.setattr(outbox, "_mail", slowly)
    outbox.deliver(NOW)
    assert sent
    assert len(sent) == len(set(sent))


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
