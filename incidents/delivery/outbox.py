"""Notices written in the transaction of their entry, and the sender that empties the outbox outside any transaction.

At least once: a crash after sending and before marking sends again, with the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import translation
from django.utils.crypto import salted_hmac

from commands.models import User
from incidents.delivery.texts import message
from incidents.models import Entry, Incident, Notice, NoticeChannel, NoticeStatus

#: Longer than a round of `deliver` takes at a slow mail server: a lease that ends sooner sends everything twice.
LEASE = dt.timedelta(minutes=20)
MAX_ATTEMPTS = 12
BATCH = 50


def notices_for(entry: Entry, incident: Incident | None, people: Iterable[User], kind: str) -> list[Notice]:
    """Unsaved notices of `entry` to `people`: the inbox, and e-mail where there is an address."""
    rows = []
    for person in {p.pk: p for p in people}.values():
        common = {"entry": entry, "incident": incident, "recipient": person, "kind": kind, "created_at": entry.at}
        rows.append(Notice(**common, channel=NoticeChannel.INBOX, status=NoticeStatus.SENT, sent_at=entry.at))
        if person.email and settings.EMAIL_CONFIGURED:
            rows.append(Notice(**common, channel=NoticeChannel.EMAIL, next_try_at=entry.at))
    return rows


@dataclass
class Sent:
    """What one round did."""

    sent: int = 0
    failed: int = 0
    obsolete: int = 0
    dead: int = 0


def deliver(now: dt.datetime, limit: int = 200) -> Sent:
    """Send what is due, in leased batches; safe beside any number of other senders."""
    result = Sent()
    for _round in range(0, limit, BATCH):
        batch = _claim(now)
        for notice in batch:
            _send(notice, now, result)
        if len(batch) < BATCH:
            break
    return result


def _claim(now: dt.datetime) -> list[Notice]:
    skip = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        due = (
            Notice.objects.filter(status=NoticeStatus.PENDING, next_try_at__lte=now)
            .filter(Q(lease_until=None) | Q(lease_until__lt=now))
            .order_by("next_try_at", "id")
            .select_for_update(skip_locked=skip)[:BATCH]
        )
        keys = [n.pk for n in due]
        Notice.objects.filter(pk__in=keys).update(lease_until=now + LEASE, attempts=F("attempts") + 1)
    return list(Notice.objects.filter(pk__in=keys).select_related("recipient", "entry", "incident", "incident__owner"))


def _send(notice: Notice, now: dt.datetime, result: Sent) -> None:
    row = Notice.objects.filter(pk=notice.pk)
    if not is_still_wanted(notice):
        row.update(status=NoticeStatus.OBSOLETE, lease_until=None)
        result.obsolete += 1
        return
    try:
        _mail(notice)
    except Exception as fault:  # any fault of a mail server or its library; the row keeps it and is tried again
        pause = min(2**notice.attempts, 60) * random.uniform(0.8, 1.2)  # noqa: S311  jitter, not a secret
        gone = notice.attempts >= MAX_ATTEMPTS
        row.update(
            status=NoticeStatus.DEAD if gone else NoticeStatus.PENDING,
            next_try_at=now + dt.timedelta(minutes=pause),
            lease_until=None,
            last_error=f"{type(fault).__name__}: {fault}"[:500],
        )
        result.dead += gone
        result.failed += not gone
        return
    row.update(status=NoticeStatus.SENT, sent_at=now, lease_until=None, last_error="")
    result.sent += 1


def is_still_wanted(notice: Notice) -> bool:
    """Read again at the moment of sending: the person still may see the case, and a warning still has an open case."""
    if notice.recipient is None:
        return False
    if notice.incident is None:
        return notice.recipient.is_active
    case = notice.incident
    if notice.kind in ("warn", "auto_escalate", "moved_up", "inform") and not case.is_open:
        return False
    return Incident.objects.visible_to(notice.recipient).filter(pk=case.pk).exists()


def _mail(notice: Notice) -> None:
    assert notice.recipient is not None  # noqa: S101  mail is for a person
    with translation.override(notice.recipient.language):
        subject, body = message(notice)
    EmailMessage(
        subject,
        body,
        to=[notice.recipient.email],
        headers={"Message-ID": message_id(notice), "Auto-Submitted": "auto-generated"},
    ).send()


def message_id(notice: Notice) -> str:
    """The same for every try at one notice, and no number: gaps of a running key would count acts on sealed cases."""
    token = salted_hmac("incidents.delivery.outbox", str(notice.pk), algorithm="sha256").hexdigest()[:32]
    return f"<{token}@incidents>"
