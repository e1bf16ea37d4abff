"""Which rows an entry puts into the outbox: the inbox of everybody told, and each address of theirs that is in use.

Written in the transaction of the entry. What becomes of the rows is the sender's.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from commands.models import ContactPoint, User
from elections.prepared import prepared
from incidents.choices import Severity
from incidents.models import Entry, Incident, Notice, NoticeChannel, NoticeStatus, Webhook

#: Kinds that wake people whatever their quiet hours, besides everything about a critical case.
NEVER_HELD = frozenset({"exhausted"})


class Row(NamedTuple):
    """One notice as plain values, for whoever writes many at once; the columns of `Notice` that are not empty."""

    recipient: int | None
    webhook: int | None
    contact: int | None
    channel: str
    kind: str
    status: str
    created_at: dt.datetime
    sent_at: dt.datetime | None
    next_try_at: dt.datetime | None


#: Switched-on webhooks: key, and the path of the command it belongs to.
Hooks = Sequence[tuple[int, str]]


def configured() -> dict[str, bool]:
    """Every channel with addresses, and whether this installation can send through it."""
    return {
        NoticeChannel.EMAIL: bool(settings.EMAIL_CONFIGURED),
        NoticeChannel.SMS: bool(settings.SMS_URL),
        NoticeChannel.CHAT: bool(settings.CHAT_URL),
    }


def contacts_of(people: Iterable[User | int]) -> dict[int, list[ContactPoint]]:
    """The verified, switched-on addresses of people (or keys) on configured channels, by key. At most one query."""
    keys = sorted({p if isinstance(p, int) else p.pk for p in people})
    channels = [channel for channel, works in configured().items() if works]
    found: dict[int, list[ContactPoint]] = defaultdict(list)
    if keys and channels:
        for contact in _in_use(keys, channels):
            found[contact.user_id].append(contact)
    return found


@prepared
def _in_use(people: Any, channels: Any) -> QuerySet[ContactPoint]:
    found = ContactPoint.objects.filter(user__pk__in=people, channel__in=channels)
    return found.filter(is_on=True, verified_at__isnull=False).order_by("pk")


def hooks_on() -> Hooks:
    """The switched-on webhooks of the country; one query."""
    return [(hook.pk, hook.command.path) for hook in _hooks_on()]


@prepared
def _hooks_on() -> QuerySet[Webhook]:
    return Webhook.objects.filter(is_on=True).select_related("command").order_by("pk")


def is_urgent(kind: str, severity: str) -> bool:
    """Never held back, whatever the hour: of a critical case, and a chain with nobody left above."""
    return kind in NEVER_HELD or severity == Severity.CRITICAL


def quiet_until(contact: ContactPoint, at: dt.datetime) -> dt.datetime | None:
    """The end of the quiet hours `at` falls into, in local time; None outside them."""
    first, last = contact.quiet_from, contact.quiet_to
    if first is None or last is None or first == last:
        return None
    local = timezone.localtime(at)
    hour = local.time().replace(tzinfo=None)
    is_inside = first <= hour < last if first < last else hour >= first or hour < last
    if not is_inside:
        return None
    end = local.replace(hour=last.hour, minute=last.minute, second=last.second, microsecond=0)
    return end if end > local else end + dt.timedelta(days=1)


def rows_for(
    people: Iterable[int],
    kind: str,
    at: dt.datetime,
    severity: str,
    contacts: Mapping[int, Sequence[ContactPoint]],
) -> list[Row]:
    """Rows for people (keys) told of one entry made `at`: no query. `contacts` is of `contacts_of`, for many at once.

    `severity` is the case's, "" where there is no case. An address in its quiet hours waits for their end.
    """
    urgent = is_urgent(kind, severity)
    rows = []
    for person in dict.fromkeys(people):
        rows.append(Row(person, None, None, NoticeChannel.INBOX, kind, NoticeStatus.SENT, at, at, None))
        for contact in contacts.get(person, ()):
            held = None if urgent else quiet_until(contact, at)
            rows.append(
                Row(person, None, contact.pk, contact.channel, kind, NoticeStatus.PENDING, at, None, held or at)
            )
    return rows


def hook_rows(commands: Iterable[str], kind: str, at: dt.datetime, hooks: Hooks) -> list[Row]:
    """Rows for the webhooks of the commands told (paths), or of a command above one of them. Never of a sealed case."""
    told = list(commands)
    return [
        Row(None, hook, None, NoticeChannel.WEBHOOK, kind, NoticeStatus.PENDING, at, None, at)
        for hook, path in hooks
        if any(c.startswith(path) for c in told)
    ]


def notices_for(entry: Entry, incident: Incident | None, people: Iterable[User], kind: str) -> list[Notice]:
    """Unsaved notices of `entry` to `people`: the inbox, and each of their addresses that is in use. One query."""
    keys = [person.pk for person in people]
    severity = incident.severity if incident else ""
    rows = rows_for(keys, kind, entry.at, severity, contacts_of(keys))
    return [_notice(entry.pk, incident.pk if incident else None, row) for row in rows]


def notices_told(
    entry: Entry,
    incident: Incident,
    told: Sequence[tuple[str, Iterable[User]]],
    commands: Sequence[tuple[str, Iterable[str]]],
) -> list[Notice]:
    """Unsaved notices of one act: each person once, of the first kind they are in, and the webhooks of `commands`.

    `commands` are paths by kind. At most two queries; a sealed case is told to no webhook.
    """
    people: dict[int, str] = {}
    for kind, group in told:
        for person in group:
            people.setdefault(person.pk, kind)
    contacts = contacts_of(people)
    rows = [r for key, kind in people.items() for r in rows_for([key], kind, entry.at, incident.severity, contacts)]
    if commands and not incident.is_sealed and (hooks := hooks_on()):
        hooked: dict[int | None, Row] = {}
        for kind, paths in commands:
            for row in hook_rows(paths, kind, entry.at, hooks):
                hooked.setdefault(row.webhook, row)
        rows += hooked.values()
    return [_notice(entry.pk, incident.pk, row) for row in rows]


def _notice(entry: int, incident: UUID | None, row: Row) -> Notice:
    return Notice(
        entry_id=entry,
        incident_id=incident,
        recipient_id=row.recipient,
        webhook_id=row.webhook,
        contact_id=row.contact,
        channel=row.channel,
        kind=row.kind,
        status=row.status,
        created_at=row.created_at,
        sent_at=row.sent_at,
        next_try_at=row.next_try_at,
    )
