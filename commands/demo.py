"""Accounts of a demonstration system: one password, known to everybody, working only where DEMO is set."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from commands.choices import Role
from commands.models import Posting

#: Names of demonstration accounts begin with this.
PREFIX = "demo-"
#: Printed by `make run` and on the sign-in page; no other system has an account with it.
PASSWORD = "look-around-2027"  # noqa: S105


def accounts(now: dt.datetime) -> list[Posting]:
    """Postings of the demonstration accounts, one for each person, in the order of the roles; none elsewhere."""
    if not settings.DEMO:
        return []
    order = list(Role.values)
    found = Posting.objects.current(now).filter(user__username__startswith=PREFIX).select_related("user", "command")
    return sorted({p.user_id: p for p in found}.values(), key=lambda p: (order.index(p.role), p.user.username))
