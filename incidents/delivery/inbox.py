"""A person's notices in the product: read through the scope of now, marked as read by the person alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from commands.models import User
from incidents.delivery.texts import sentence
from incidents.models import Incident, Notice, NoticeChannel


@dataclass(frozen=True)
class Line:
    """One notice as a row: what it says in the language active now, and what it is about."""

    notice: Notice
    text: str


def notices_of(user: User) -> QuerySet[Notice]:
    """Notices of `user`, unread first, newest first. One whose case is no longer theirs to see is not there."""
    mine = Notice.objects.filter(recipient=user, channel=NoticeChannel.INBOX)
    seen = Q(incident=None) | Q(incident__in=Incident.objects.visible_to(user))
    return (
        mine.filter(seen)
        .select_related("incident", "incident__owner", "incident__category", "incident__place")
        .order_by(F("read_at").asc(nulls_first=True), "-created_at", "-pk")
    )


def line(notice: Notice) -> Line:
    """The notice in words."""
    case = notice.incident
    return Line(notice, sentence(notice.kind, case.reference, case.owner.name) if case else "")


def mark_read(user: User, now: dt.datetime, pk: int | None = None) -> int:
    """Mark one notice of `user`, or all, as read at `now`; how many were unread. The first reading counts."""
    unread = Notice.objects.filter(recipient=user, channel=NoticeChannel.INBOX, read_at=None)
    return (unread.filter(pk=pk) if pk is not None else unread).update(read_at=now)
