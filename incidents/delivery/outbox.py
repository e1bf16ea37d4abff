"""The doors of delivery: rows for who writes an entry, and the sender for who empties the outbox."""

from __future__ import annotations

from collections.abc import Iterable

from commands.models import User
from incidents.bell import wake_after
from incidents.delivery.digests import token_of
from incidents.delivery.notices import (
    Row,
    contacts_of,
    hook_rows,
    hooks_on,
    notices_for,
    notices_told,
    rows_for,
)
from incidents.delivery.sender import Sent, deliver
from incidents.models import Entry, Notice, NoticeChannel

__all__ = [
    "Row", "Sent", "contacts_of", "deliver", "hook_rows", "hooks_on", "message_id", "notices_for", "notices_told",
    "post", "rows_for", "tell",
]  # fmt: skip


def post(notices: list[Notice], *, again: bool = False) -> None:
    """Write notices, and wake the sender where any leaves the system. `again`: those that are there already stay."""
    Notice.objects.bulk_create(notices, ignore_conflicts=again)
    if any(n.channel != NoticeChannel.INBOX for n in notices):
        wake_after("incidents.deliver")


def tell(entry: Entry, people: Iterable[User], kind: str) -> None:
    """Tell people of an entry about no case, once each; nobody of what they did themselves."""
    told = [p for p in people if p.is_active and p.pk != entry.by_id]
    post(notices_for(entry, None, told, kind))


def message_id(notice: Notice) -> str:
    """The Message-ID of a notice that goes out by itself."""
    return token_of([notice])
