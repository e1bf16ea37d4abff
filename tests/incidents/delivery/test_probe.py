"""A channel that failed is probed with a message that somebody still needs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from commands.models import User
from incidents.delivery import outbox
from incidents.models import ChannelState, Notice
from tests.cast import NOW, Cast
from tests.incidents.delivery.sinks import Gateway
from tests.incidents.delivery.test_gateways import fill

pytestmark = pytest.mark.django_db


def test_what_nobody_needs_any_more_uses_up_no_probe(
    cast: Cast, gateway: Gateway, settings: Any, only_mail_to: Any
) -> None:
    settings.SMS_URL = gateway.sms_url
    only_mail_to()
    fill(cast, 9, "sms")
    left = Notice.objects.filter(channel="sms").order_by("pk").values_list("recipient", flat=True)[:6]
    User.objects.filter(pk__in=list(left)).update(is_active=False)
    ChannelState.objects.create(pk="sms", failures=9, opened_at=NOW, retry_at=NOW)
    result = outbox.deliver(NOW + dt.timedelta(minutes=5))
    assert (result.obsolete, result.sent) == (6, 3)
    assert ChannelState.objects.get(pk="sms").opened_at is None
