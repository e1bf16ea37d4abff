"""The rows of the outbox as the sender moves them: leased, sent, put off, obsolete, given up. The database's part."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from incidents.delivery import drills
from incidents.delivery.channels import Fault, Refused
from incidents.models import Notice, NoticeChannel, NoticeStatus

#: Longer than one call of the sender can hold a message: 40 s of beginning and 60 s more at most.
LEASE = dt.timedelta(minutes=5)
#: Tries at a message that its receiver refuses: for good, for now; and how long a channel that is down is waited for.
TRIES_REFUSED, TRIES = 3, 12
WAIT_FOR_CHANNEL = dt.timedelta(days=2)
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=15), dt.timedelta(minutes=15)
#: Of one address at most so many are told together.
MOST_TOGETHER = 500


def _due(channel: str, now: dt.datetime) -> QuerySet[Notice]:
    due = Notice.objects.filter(status=NoticeStatus.PENDING, channel=channel, next_try_at__lte=now)
    return due.filter(Q(lease_until=None) | Q(lease_until__lt=now)).order_by("next_try_at", "id")


def claim(channel: str, now: dt.datetime, most: int) -> list[Notice]:
    """Lease what is due longest; what another sender holds is left to it. A drill goes out when nothing real waits."""
    due = _due(channel, now)
    return _leased(due.exclude(kind=drills.KIND), now, most) or _leased(due.filter(kind=drills.KIND), now, most)


def claim_for_hooks(now: dt.datetime, most: int, *, is_late: bool) -> list[Notice]:
    """Lease what is due for webhooks: for those that owe an answer to a message tried before, or for all others.

    Apart, so that systems that are down share connections with each other and not with those that work.
    """
    waiting = Notice.objects.filter(status=NoticeStatus.PENDING, channel=NoticeChannel.WEBHOOK, webhook__isnull=False)
    due, hooks = _due(NoticeChannel.WEBHOOK, now), waiting.exclude(last_error="").values("webhook")
    return _leased(due.filter(webhook__in=hooks) if is_late else due.exclude(webhook__in=hooks), now, most)


def claim_rest(notices: Sequence[Notice], now: dt.datetime) -> list[Notice]:
    """Lease what else waits for the addresses that have more than one of `notices`."""
    counts = Counter(n.contact_id for n in notices if n.contact_id is not None)
    several = [contact for contact, number in counts.items() if number > 1]
    if not several:
        return []
    return _leased(_due(notices[0].channel, now).filter(contact__in=several), now, MOST_TOGETHER)


def _leased(due: QuerySet[Notice], now: dt.datetime, most: int) -> list[Notice]:
    skip = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        keys = list(due.select_for_update(skip_locked=skip).values_list("pk", flat=True)[:most])
        if not keys:
            return []
        Notice.objects.filter(pk__in=keys).update(lease_until=now + LEASE, attempts=F("attempts") + 1)
    read = Notice.objects.filter(pk__in=keys).select_related(
        "recipient", "contact", "webhook", "entry", "entry__command", "incident", "incident__owner",
        "incident__category", "incident__place__parent__parent__parent",
    )  # fmt: skip
    return list(read.order_by("next_try_at", "id"))


def _rows(notices: Iterable[Notice]) -> QuerySet[Notice]:
    return Notice.objects.filter(pk__in=[n.pk for n in notices], status=NoticeStatus.PENDING)


def sent(bundles: Sequence[Sequence[Notice]], now: dt.datetime) -> int:
    """Each bundle went out in one message; how many notices that were."""
    if not bundles:
        return 0
    gone = {"sent_at": now, "lease_until": None, "last_error": ""}
    _rows(b[0] for b in bundles).update(status=NoticeStatus.SENT, **gone)
    for bundle in bundles:
        if len(bundle) > 1:
            _rows(bundle[1:]).update(status=NoticeStatus.DIGEST, sent_with=bundle[0].pk, **gone)
    return sum(len(bundle) for bundle in bundles)


def drop(notices: Sequence[Notice]) -> int:
    """Nobody needs them any more."""
    if notices:
        _rows(notices).update(status=NoticeStatus.OBSOLETE, lease_until=None)
    return len(notices)


def hold(notices: Sequence[Notice], until: dt.datetime) -> int:
    """Not now: no try was made."""
    _rows(notices).update(next_try_at=until, lease_until=None, attempts=F("attempts") - 1)
    return len(notices)


def release(notices: Sequence[Notice]) -> None:
    """Not tried because the channel had failed meanwhile; its breaker says when it is tried again."""
    if notices:
        _rows(notices).update(lease_until=None, attempts=F("attempts") - 1)


def failed(notices: Sequence[Notice], fault: Fault, now: dt.datetime) -> tuple[int, int]:
    """Not taken: later again, or given up. How many of each."""
    later: list[Notice] = []
    dead: list[Notice] = []
    for notice in notices:
        (dead if _is_hopeless(notice, fault, now) else later).append(notice)
    error = f"{fault}"[:500]
    _rows(dead).update(status=NoticeStatus.DEAD, lease_until=None, last_error=error)
    if later:
        again = now + pause(max(n.attempts for n in later))
        _rows(later).update(next_try_at=again, lease_until=None, last_error=error)
    return len(later), len(dead)


def _is_hopeless(notice: Notice, fault: Fault, now: dt.datetime) -> bool:
    if isinstance(fault, Refused):
        return notice.attempts >= (TRIES_REFUSED if fault.permanent else TRIES)
    return notice.attempts >= TRIES and now - notice.created_at > WAIT_FOR_CHANNEL


def pause(attempts: int) -> dt.timedelta:
    """From 15 seconds, doubled with each try up to 15 minutes, a fifth more or less by chance."""
    doubled: dt.timedelta = FIRST_PAUSE * 2 ** min(max(attempts - 1, 0), 10)
    jitter: float = random.uniform(0.8, 1.2)  # noqa: S311  not a secret
    return min(doubled, LONGEST_PAUSE) * jitter
