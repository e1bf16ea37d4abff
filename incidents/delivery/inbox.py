"""A person's notices in the product: read through the scope of now, marked as read by the person alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from commands.models import SecurityCommand, User
from incidents.delivery import drills, duty_texts
from incidents.delivery.texts import (
    ENDED,
    PASSED_DIGEST,
    account_sentence,
    moved_sentence,
    outcome_sentence,
    passed_sentence,
    policy_sentence,
    request_sentence,
    sentence,
)
from incidents.models import Incident, Notice, NoticeChannel


@dataclass(frozen=True)
class Line:
    """One notice as a row: what it says in the language active now, and what it is about."""

    notice: Notice
    text: str
    #: Key of the call of a drill that still waits for this person's answer.
    call: int | None = None
    #: Nothing is asked by it any more: it is not shown as new.
    is_past: bool = False


def notices_of(user: User) -> QuerySet[Notice]:
    """Notices of `user`, unread first, newest first. One whose case is no longer theirs to see is not there."""
    mine = Notice.objects.filter(recipient=user, channel=NoticeChannel.INBOX)
    seen = Q(incident=None) | Q(incident__in=Incident.objects.visible_to(user))
    return (
        mine.filter(seen)
        .select_related("entry", "entry__by", "incident", "incident__owner", "incident__category", "incident__place")
        .order_by(F("read_at").asc(nulls_first=True), "-created_at", "-pk")
    )


def lines(notices: Iterable[Notice]) -> list[Line]:
    """The notices in words; the owner they name is the one of then, not of now. One query for all names each."""
    shown = list(notices)
    codes = {code for n in shown if n.incident_id is None for code in duty_texts.codes_of(n.entry)}
    bodies = {c.code: c.name for c in SecurityCommand.objects.filter(code__in=codes)} if codes else {}
    keys = {_owner_then(n) for n in shown} | {n.entry.command_id for n in shown if n.kind == "moved_up"}
    owners = SecurityCommand.objects.in_bulk(keys - {None})
    calls = drills.waiting(shown)
    return [_drill(n, bodies, calls) if n.kind == drills.KIND else _line(n, owners, bodies) for n in shown]


def _drill(notice: Notice, bodies: Mapping[str, str], calls: Mapping[int, int]) -> Line:
    code = notice.entry.after.get("command", "")
    call = calls.get(notice.pk)
    is_past = call is None and notice.entry.after.get("what") == "called"
    return Line(notice, drills.sentence(notice.entry, bodies.get(code, code), is_past=is_past), call, is_past)


def _owner_then(notice: Notice) -> int | None:
    """Key of who owned the case when it was told: what the entry says, or for the engine whose clock it was."""
    owner = notice.entry.after.get("owner")
    return owner if isinstance(owner, int) else notice.entry.command_id if notice.entry.by_id is None else None


def _line(notice: Notice, owners: Mapping[int, SecurityCommand], bodies: Mapping[str, str]) -> Line:
    case, key = notice.incident, _owner_then(notice)
    if case is None:
        if notice.kind == duty_texts.KIND:
            return Line(notice, duty_texts.sentence(notice.entry, bodies))
        code = notice.entry.after.get("command", "")
        if notice.kind == PASSED_DIGEST:
            return Line(notice, passed_sentence(notice.entry, bodies.get(code, code)))
        if notice.kind == "policy":
            return Line(notice, policy_sentence(notice.entry))
        if notice.kind != "account":
            return Line(notice, "")
        return Line(notice, account_sentence(notice.entry, bodies.get(code, code)))
    owner = owners.get(key, case.owner) if key is not None else case.owner
    if notice.kind in ENDED:
        # A case reopened since has no outcome any more; what was told then stays true.
        told = notice.entry.after.get("outcome") or case.outcome
        return Line(notice, outcome_sentence(notice.kind, case.reference, told))
    if notice.kind == "request":
        return Line(notice, request_sentence(notice.entry, case.reference, owner.name))
    sender = owners.get(notice.entry.command_id or 0)
    if notice.kind == "moved_up" and sender:
        return Line(notice, moved_sentence(notice.entry.after["clock"], case.reference, owner.name, sender.name))
    return Line(notice, sentence(notice.kind, case.reference, owner.name))


def mark_read(user: User, now: dt.datetime, pk: int | None = None) -> int:
    """Mark one notice of `user`, or all, as read at `now`; how many were unread. The first reading counts."""
    unread = Notice.objects.filter(recipient=user, channel=NoticeChannel.INBOX, read_at=None)
    return (unread.filter(pk=pk) if pk is not None else unread).update(read_at=now)
