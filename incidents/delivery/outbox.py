"""The doors of delivery: rows for who writes an entry, and the sender for who empties the outbox."""

from __future__ import annotations

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
from incidents.models import Notice

__all__ = [
    "Row", "Sent", "contacts_of", "deliver", "hook_rows", "hooks_on", "message_id", "notices_for", "notices_told",
    "rows_for",
]  # fmt: skip


def message_id(notice: Notice) -> str:
    """The Message-ID of a notice that goes out by itself."""
    return token_of([notice])
