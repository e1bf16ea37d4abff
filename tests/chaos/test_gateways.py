"""A mail server that hangs and an SMS gateway that answers 500, while senders are killed: escalation does not wait for
them, and afterwards every message went out, or says why not.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.utils import timezone

from commands.models import ContactPoint
from incidents.models import Notice, NoticeChannel, NoticeStatus
from tests.cast import Cast
from tests.chaos.counts import Counts
from tests.chaos.stage import SCALE, Stage, wait_until
from tests.incidents.delivery.sinks import Gateway, MailSink

Report = Callable[[str, Counts], None]
#: How long after the faults the senders go on, in made time: every pause, lease and quiet minute is over by then.
AFTERWARDS = dt.timedelta(hours=4)
#: A digest names some cases, and says how many it does not.
_MORE = re.compile(r"and \d+ more cases| \+\d+")
OUTSIDE = (NoticeChannel.EMAIL, NoticeChannel.SMS)


@pytest.fixture
def mail() -> Iterator[MailSink]:
    sink = MailSink().start()
    yield sink
    sink.stop()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    http = Gateway()
    yield http
    http.stop()


def _give_numbers(*names: str) -> None:
    """Verified numbers, for those of the cast who have none."""
    cast = Cast()
    for place, name in enumerate(names):
        ContactPoint.objects.create(
            user=getattr(cast, name), channel="sms", address=f"+8551234500{place}", created_at=timezone.now(),
            verified_at=timezone.now(),
        )  # fmt: skip


def _not_arrived(mail: MailSink, gateway: Gateway) -> list[str]:
    """Notices that count as told, and no message to their address names their case or says that there are more."""
    told: dict[str, list[str]] = defaultdict(list)
    for letter in mail.letters:
        told[str(letter["X-To"])].append(f"{letter['Subject']} {letter.get_content()}")
    for post in gateway.posts:
        told[str(post.json["to"])].append(post.json["message"])
    rows = Notice.objects.filter(channel__in=OUTSIDE, status__in=(NoticeStatus.SENT, NoticeStatus.DIGEST))
    return [
        f"{n.channel} {n.pk} of {n.incident.reference} counts as {n.status} and did not arrive"
        for n in rows.select_related("contact", "incident")
        if n.contact and n.incident
        if not any(n.incident.reference in text or _MORE.search(text) for text in told[n.contact.address])
    ]


def _twice(mail: MailSink, gateway: Gateway) -> int:
    """Messages that came again, under the same name: a crash after sending and before writing it down."""
    names = Counter(str(letter["Message-ID"]) for letter in mail.letters)
    names.update(str(post.json.get("id")) for post in gateway.posts)
    return sum(times - 1 for times in names.values())


def test_nothing_is_lost_when_the_mail_server_hangs_and_the_sms_gateway_answers_500(
    open_stage: Callable[..., Stage], mail: MailSink, gateway: Gateway, report_counts: Report
) -> None:
    stage = open_stage(
        EMAIL_URL=f"smtp://127.0.0.1:{mail.port}", EMAIL_TIMEOUT="1", SMS_URL=gateway.sms_url, GATEWAY_TIMEOUT="1"
    )
    _give_numbers("duty_commander", "provincial", "psc")
    mail.fault, gateway.fault = "hang", "500"
    stage.seed(60)
    connection.close()
    stage.start_engines(2)
    stage.start_people(2)
    for _number in range(2):
        stage.start("sender", every=0.2)
    stage.kill_at_random("sender", seconds=5 * SCALE, least=0.2, most=0.8)
    assert not mail.letters
    assert not gateway.posts
    # Escalation did not wait for either of them.
    assert Notice.objects.filter(channel=NoticeChannel.INBOX, kind="auto_escalate").count() > 20, stage.logs()
    stage.stop()
    mail.fault = gateway.fault = ""
    connection.close()
    # One at a time: in made time the lease of one would be over for the next while it still sends.
    stage.start("sender_through", hours=AFTERWARDS.total_seconds() / 3600)
    stage.kill_at_random("sender_through", seconds=2 * SCALE, least=0.2, most=0.6)
    waiting = Notice.objects.filter(channel__in=OUTSIDE, status=NoticeStatus.PENDING)
    wait_until(lambda: not waiting.exists(), seconds=60, what="the outbox is empty")
    counts = stage.count()
    for problem in _not_arrived(mail, gateway):
        counts.note("lost", problem)
    assert mail.letters and gateway.posts, "nothing arrived: this run proves nothing"
    states = Counter(Notice.objects.filter(channel__in=OUTSIDE).values_list("status", flat=True))
    again = _twice(mail, gateway)
    told = ", ".join(f"{number} {status}" for status, number in sorted(states.items()))
    report_counts(f"mail hangs, SMS answers 500 ({told}; {again} messages twice)", counts)
    assert not states[NoticeStatus.DEAD]


def test_who_was_posted_elsewhere_between_claim_and_send_is_not_told(
    open_stage: Callable[..., Stage], mail: MailSink, report_counts: Report
) -> None:
    """Their notices were written while they answered; they no longer may see the case when the message would leave."""
    stage = open_stage(EMAIL_URL=f"smtp://127.0.0.1:{mail.port}", EMAIL_TIMEOUT="1")
    stage.seed(30, spread=dt.timedelta(seconds=20))
    cast = Cast()
    mine = Notice.objects.filter(recipient=cast.duty_commander, channel=NoticeChannel.EMAIL)
    assert mine.filter(status=NoticeStatus.PENDING).exists()
    # The senders have leased them, and wait for a server that does not answer.
    mail.fault = "hang"
    connection.close()
    stage.start("sender", every=0.1)
    wait_until(lambda: mine.filter(lease_until__isnull=False).exists(), seconds=10, what="the sender has leased them")
    now = timezone.now()
    posting = cast.duty_commander.postings.get()
    posting.ends_at = now - dt.timedelta(seconds=1)
    posting.save(update_fields=["ends_at"])
    stage.stop()
    mail.fault = ""
    connection.close()
    stage.start("sender_through", hours=AFTERWARDS.total_seconds() / 3600)
    waiting = Notice.objects.filter(channel=NoticeChannel.EMAIL, status=NoticeStatus.PENDING)
    wait_until(lambda: not waiting.exists(), seconds=60, what="the outbox is empty")
    told = {str(letter["X-To"]) for letter in mail.letters}
    assert cast.duty_commander.email not in told
    assert set(mine.values_list("status", flat=True)) == {NoticeStatus.OBSOLETE}
    assert told, f"nobody was told anything: this run proves nothing\n{stage.logs()}"
    report_counts("posted elsewhere before the message left", stage.count())
