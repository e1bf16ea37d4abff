"""SMS and chat through an HTTP gateway that hangs, refuses, fails and loses its answers; each channel for itself."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest

from commands.models import ContactPoint
from incidents.delivery import breaker, outbox, sender
from incidents.delivery.messages import sms_room
from incidents.models import ChannelState, Notice
from tests.cast import NOW, Cast
from tests.incidents.delivery.sinks import Gateway, MailSink

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
MakeContact = Callable[..., ContactPoint]


@pytest.fixture
def phone(cast: Cast, gateway: Gateway, settings: Any, only_mail_to: Any, add_contact: MakeContact) -> ContactPoint:
    """The duty commander is reached by SMS alone."""
    settings.SMS_URL = gateway.sms_url
    only_mail_to()
    return add_contact(cast.duty_commander, "sms", "+85512000001")


def test_an_sms_says_what_to_do_by_when_and_the_code(phone: ContactPoint, gateway: Gateway, make_incident: Any) -> None:
    case = make_incident(severity="medium")
    assert outbox.deliver(NOW).sent == 1
    [post] = gateway.posts
    said = post.json
    assert said["to"] == "+85512000001"
    assert said["id"] == outbox.message_id(Notice.objects.get(channel="sms"))
    text = said["message"]
    assert text.startswith(
        f"{case.reference} Medium: new case. Please acknowledge it by 10:00. To do so, say the code "
    )
    assert sms_room(text) >= 0


@pytest.mark.parametrize("fault", ["hang", "500", "drop"])
def test_what_a_gateway_does_not_take_comes_again_under_the_same_id(
    phone: ContactPoint, gateway: Gateway, make_incident: Any, fault: str
) -> None:
    gateway.fault, gateway.times = fault, 1
    make_incident(severity="medium")
    assert outbox.deliver(NOW).failed == 1
    row = Notice.objects.get(channel="sms")
    assert row.last_error
    assert phone.address not in row.last_error
    assert outbox.deliver(NOW + MINUTE).sent == 1
    assert {p.json["id"] for p in gateway.posts} == {outbox.message_id(row)}
    # The code is the same too, so that the first message to be read is right.
    assert len({p.json["message"] for p in gateway.posts}) == 1


def test_a_number_that_is_refused_is_not_the_gateways_fault(
    phone: ContactPoint, gateway: Gateway, make_incident: Any
) -> None:
    gateway.fault = "refuse"
    make_incident(severity="medium")
    assert outbox.deliver(NOW).failed == 1
    assert ChannelState.objects.get(pk="sms").failures == 0


def test_no_redirect_of_a_gateway_is_followed(phone: ContactPoint, gateway: Gateway, make_incident: Any) -> None:
    gateway.fault, gateway.times = "redirect", 1
    make_incident(severity="medium")
    assert outbox.deliver(NOW).failed == 1
    assert gateway.posts == []


def fill(cast: Cast, count: int, channel: str) -> None:
    """`count` notices of a drill's end to one person each: never put together, wanted whatever happens."""
    from commands.models import User
    from incidents.models import Entry

    entry = Entry.objects.create(act="duty", at=NOW, channel="browser", by=cast.psc, after={"what": "shift"})
    for number in range(count):
        person = User.objects.create(username=f"person-{channel}-{number}", language="en")
        address = f"+8551200{number:04}" if channel == "sms" else f"p{number}@example.org"
        contact = ContactPoint.objects.create(
            user=person, channel=channel, address=address, created_at=NOW, verified_at=NOW
        )
        Notice.objects.create(
            entry=entry, recipient=person, contact=contact, channel=channel, kind="policy", created_at=NOW,
            next_try_at=NOW,
        )  # fmt: skip


def test_after_failures_in_a_row_the_channel_rests_and_nothing_is_used_up(
    cast: Cast, gateway: Gateway, settings: Any, only_mail_to: Any
) -> None:
    settings.SMS_URL = gateway.sms_url
    only_mail_to()
    fill(cast, 40, "sms")
    gateway.fault = "500"
    outbox.deliver(NOW)
    state = ChannelState.objects.get(pk="sms")
    assert state.opened_at
    assert state.retry_at
    tried = Notice.objects.filter(channel="sms", attempts__gt=0)
    # Those under way when it opened count too, one a lane.
    assert breaker.FAILURES <= tried.count() <= breaker.FAILURES + sender.LANES["sms"]  # type: ignore[index]
    assert not Notice.objects.filter(channel="sms").exclude(status="pending").exists()
    assert not Notice.objects.filter(channel="sms", lease_until__isnull=False).exists()
    # While it is open nothing is tried, then one message alone.
    assert outbox.deliver(NOW + dt.timedelta(seconds=5)) == sender.Sent()
    retry = state.retry_at
    assert outbox.deliver(retry).failed == 1
    # The probe that works lets everything through.
    gateway.fault = ""
    later = ChannelState.objects.get(pk="sms").retry_at
    assert later and later > retry
    assert outbox.deliver(later + 10 * MINUTE).sent == 40
    assert ChannelState.objects.get(pk="sms").opened_at is None
    assert len(gateway.posts) == 40


def test_a_channel_that_hangs_holds_up_no_other(
    cast: Cast, gateway: Gateway, mail_sink: MailSink, settings: Any, only_mail_to: Any
) -> None:
    settings.SMS_URL = gateway.sms_url
    settings.GATEWAY_TIMEOUT = 2
    only_mail_to()
    fill(cast, 12, "sms")
    fill(cast, 30, "email")
    gateway.fault = "hang"
    seen: list[int] = []
    ready = mail_sink.by_id

    begun = time.monotonic()
    result = outbox.deliver(NOW)
    took = time.monotonic() - begun
    seen.append(len(ready()))
    assert seen == [30]
    assert Notice.objects.filter(channel="email", status="sent").count() == 30
    assert result.failed >= breaker.FAILURES
    # All mail had gone before the first time limit of the gateway.
    last = Notice.objects.filter(channel="email").order_by("-sent_at").values_list("sent_at", flat=True)[0]
    assert last and last - NOW < dt.timedelta(seconds=took) - dt.timedelta(seconds=1)


def test_a_code_to_verify_an_address_goes_there_at_once(phone: ContactPoint, gateway: Gateway) -> None:
    from incidents.delivery.codes import send_code

    send_code(phone, "123456", NOW)
    assert "123456" in gateway.posts[0].json["message"]


def test_a_code_that_cannot_be_sent_says_what_to_do(phone: ContactPoint, gateway: Gateway, settings: Any) -> None:
    from django.core.exceptions import ValidationError

    from incidents.delivery.codes import send_code

    gateway.fault = "500"
    with pytest.raises(ValidationError, match="ask for another code"):
        send_code(phone, "123456", NOW)
    settings.SMS_URL = ""
    with pytest.raises(ValidationError, match="Ask your administrator"):
        send_code(phone, "123456", NOW)
