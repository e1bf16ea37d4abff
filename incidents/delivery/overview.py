"""What the page of deliveries shows: each channel's state, what waits, what failed; as far as its reader may know.

About a case only where the reader sees it, or, for who keeps the system and sees none, counts of unsealed ones.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet

from commands.choices import Role
from commands.models import User
from incidents.delivery import breaker
from incidents.delivery.notices import configured
from incidents.models import ChannelState, Incident, Notice, NoticeChannel, NoticeStatus

#: Who keeps the channels working.
KEEPERS = (Role.PSC_WATCH, Role.NEC_SECRETARIAT, Role.ADMINISTRATOR)
#: Tries that make a notice worth showing among those that fail.
FAILING = 2
SHOWN = 50


@dataclass(frozen=True)
class Channel:
    """One channel as the page shows it. `retry_at` is set while nothing but a probe is sent."""

    name: str
    label: str
    is_configured: bool
    retry_at: dt.datetime | None
    last_ok_at: dt.datetime | None
    last_error: str
    waiting: int
    oldest_at: dt.datetime | None
    dead: int


def outside(user: User) -> QuerySet[Notice]:
    """Notices of the channels outside that `user`, a keeper, may know of."""
    seen = Q(incident=None) | Q(incident__in=Incident.objects.visible_to(user))
    if user.has_role(Role.ADMINISTRATOR):
        seen |= Q(incident__is_sealed=False)
    return Notice.objects.exclude(channel=NoticeChannel.INBOX).filter(seen)


def channels(user: User) -> list[Channel]:
    """Every channel, configured or not; three queries."""
    works = configured() | {NoticeChannel.WEBHOOK: True}
    states = {s.channel: s for s in ChannelState.objects.all()}
    waiting = {
        name: (count, oldest)
        for name, count, oldest in outside(user)
        .filter(status=NoticeStatus.PENDING)
        .order_by()
        .values_list("channel")
        .annotate(Count("pk"), Min("created_at"))
    }
    dead = dict(outside(user).filter(status=NoticeStatus.DEAD).order_by().values_list("channel").annotate(Count("pk")))
    found = []
    for name, is_set in works.items():
        state = states.get(name)
        count, oldest = waiting.get(name, (0, None))
        found.append(
            Channel(
                name=name,
                label=str(NoticeChannel(name).label),
                is_configured=is_set,
                retry_at=state.retry_at if state and state.opened_at else None,
                last_ok_at=state.last_ok_at if state else None,
                last_error=state.last_error if state and state.failures else "",
                waiting=count,
                oldest_at=oldest,
                dead=dead.get(name, 0),
            )
        )
    return found


def not_leaving(found: list[Channel]) -> list[Channel]:
    """Those of `found` with messages given up, or with messages that wait though nothing can leave there."""
    return [c for c in found if c.dead or (c.waiting and not c.is_configured)]


def troubled(user: User) -> QuerySet[Notice]:
    """What was given up, newest first, and what fails again and again."""
    failing = Q(status=NoticeStatus.PENDING, attempts__gte=FAILING) & ~Q(last_error="")
    rows = outside(user).filter(Q(status=NoticeStatus.DEAD) | failing)
    return rows.select_related("incident", "webhook", "recipient").order_by("status", "-created_at", "-pk")


def again(user: User, keys: list[int] | None, now: dt.datetime) -> tuple[int, int]:
    """Try these, or with None all, once more from the beginning; whether they are still wanted is asked then.

    How many are tried, and how many stay as they are because their channel is not set up: nothing would try those.
    """
    rows = troubled(user).order_by()
    rows = rows if keys is None else rows.filter(pk__in=keys)
    works = configured()
    chosen = [(pk, works.get(channel, True)) for pk, channel in rows.values_list("pk", "channel")]
    again = {"status": NoticeStatus.PENDING, "attempts": 0, "next_try_at": now, "lease_until": None}
    tried = Notice.objects.filter(pk__in=[pk for pk, leaves in chosen if leaves]).update(**again)
    return tried, sum(not leaves for _pk, leaves in chosen)


def give_up(user: User, keys: list[int]) -> int:
    """Take these out of the list; the inbox of their recipients has them."""
    chosen = list(troubled(user).filter(pk__in=keys).order_by().values_list("pk", flat=True))
    return Notice.objects.filter(pk__in=chosen).update(status=NoticeStatus.OBSOLETE, lease_until=None)


def probe(channel: str, now: dt.datetime) -> None:
    """Somebody mended a channel: it is tried at once."""
    breaker.try_now(channel, now)
