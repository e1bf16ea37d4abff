"""E-mail through a real mail server that refuses, postpones, hangs and hangs up: nothing lost, one Message-ID."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from commands.models import ContactPoint, Posting, SecurityCommand
from incidents import actions
from incidents.delivery import outbox
from incidents.models import ChannelState, Notice
from tests.cast import NOW, Cast
from tests.incidents.delivery.sinks import MailSink

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def row(cast: Cast, make_incident: Any, only_mail_to: Any) -> Notice:
    """The e-mail that asks the duty commander to take a new case; nobody else has an address."""
    only_mail_to(cast.duty_commander)
    return Notice.objects.get(incident=make_incident(severity="medium"), channel="email")


def test_it_goes_out_once(row: Notice, mail_sink: MailSink, cast: Cast) -> None:
    assert outbox.deliver(NOW).sent == 1
    assert outbox.deliver(NOW + MINUTE).sent == 0
    [letter] = mail_sink.letters
    assert letter["X-To"] == cast.duty_commander.email
    assert letter["Message-ID"] == outbox.message_id(row)
    row.refresh_from_db()
    assert (row.status, row.attempts, row.lease_until) == ("sent", 1, None)
    assert NOW <= row.sent_at < NOW + MINUTE  # type: ignore[operator]


@pytest.mark.parametrize("fault", ["451", "hang", "drop"])
def test_a_fault_of_the_server_is_tried_again_with_the_same_id(row: Notice, mail_sink: MailSink, fault: str) -> None:
    mail_sink.fault, mail_sink.times = fault, 1
    assert outbox.deliver(NOW).failed == 1
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("pending", 1)
    assert row.next_try_at and row.next_try_at > NOW
    assert row.last_error
    assert outbox.deliver(NOW + MINUTE).sent == 1
    # A server that hung up after it had taken the message has it twice, under one Message-ID.
    assert {k: len(v) for k, v in mail_sink.by_id().items()} == {outbox.message_id(row): 2 if fault == "drop" else 1}
    assert ChannelState.objects.get(pk="email").failures == 0


def test_an_address_that_is_refused_is_given_up_and_stops_nobody(
    mail_sink: MailSink, cast: Cast, make_incident: Any, only_mail_to: Any
) -> None:
    only_mail_to(cast.duty_commander, cast.provincial)
    mail_sink.fault = "refuse"
    make_incident(severity="high")
    at = NOW
    for _round in range(3):
        outbox.deliver(at)
        at += 5 * MINUTE
    rows = Notice.objects.filter(channel="email")
    assert {n.status for n in rows} == {"dead"}
    assert all("550" in n.last_error and "@" not in n.last_error for n in rows)
    # The channel answered each time: it is not what is broken.
    state = ChannelState.objects.get(pk="email")
    assert (state.failures, state.opened_at) == (0, None)


def test_many_letters_share_few_connections(mail_sink: MailSink, cast: Cast, make_incident: Any) -> None:
    for number in range(3):
        make_incident(
            severity="critical",
            now=NOW + dt.timedelta(seconds=number),
            narrative=f"The market was closed for case number {number}.",
        )
    outbox.deliver(NOW + MINUTE)
    assert len(mail_sink.letters) == Notice.objects.filter(channel="email", status="sent").count() > 4
    assert mail_sink.connections <= 4


def test_what_is_no_longer_wanted_is_not_sent(row: Notice, mail_sink: MailSink, cast: Cast) -> None:
    actions.acknowledge(row.incident, by=cast.provincial, version=None, now=NOW)  # type: ignore[arg-type]
    assert outbox.deliver(NOW).obsolete == 1
    assert mail_sink.letters == []


@pytest.mark.parametrize("change", ["unverified", "off", "gone", "relieved", "inactive"])
def test_an_address_or_posting_that_ended_meanwhile_gets_nothing(
    row: Notice, mail_sink: MailSink, cast: Cast, change: str
) -> None:
    contact = ContactPoint.objects.filter(user=cast.duty_commander)
    match change:
        case "unverified":
            contact.update(verified_at=None)
        case "off":
            contact.update(is_on=False)
        case "gone":
            contact.delete()
        case "relieved":
            ended = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
            Posting.objects.filter(user=cast.duty_commander).update(ends_at=ended)
        case "inactive":
            type(cast.duty_commander).objects.filter(pk=cast.duty_commander.pk).update(is_active=False)
    assert outbox.deliver(NOW).obsolete == 1
    assert mail_sink.letters == []


def test_a_retry_does_not_break_quiet_hours(row: Notice, mail_sink: MailSink, cast: Cast) -> None:
    ContactPoint.objects.filter(user=cast.duty_commander).update(quiet_from=dt.time(7), quiet_to=dt.time(9))
    assert outbox.deliver(NOW).held == 1
    row.refresh_from_db()
    assert (row.next_try_at, row.attempts, row.status) == (NOW.replace(hour=9), 0, "pending")
    assert outbox.deliver(NOW.replace(hour=9)).sent == 1


def test_a_report_after_a_crash_goes_out_again_with_the_same_id(row: Notice, mail_sink: MailSink) -> None:
    """Sent, and the process died before it could say so: the lease ends, and the receiver knows it by its id."""
    outbox.deliver(NOW)
    Notice.objects.filter(pk=row.pk).update(status="pending", sent_at=None, lease_until=NOW + 5 * MINUTE)
    assert outbox.deliver(NOW + 4 * MINUTE).sent == 0
    assert outbox.deliver(NOW + 6 * MINUTE).sent == 1
    assert [len(v) for v in mail_sink.by_id().values()] == [2]


def test_a_line_break_in_a_name_keeps_no_letter_back(row: Notice, mail_sink: MailSink) -> None:
    owner = SecurityCommand.objects.filter(pk=row.incident.owner_id)  # type: ignore[union-attr]
    owner.update(name_en="Doun Kaev\r\nBcc: somebody@example.org")
    assert outbox.deliver(NOW).sent == 1
    [letter] = mail_sink.letters
    assert "Bcc" not in letter and "Doun Kaev Bcc: somebody@example.org" in letter["Subject"]
