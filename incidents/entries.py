"""Journal entries that are about no case, and those that belong to no module of their own: exports and accounts."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from commands.authority import judge_file
from commands.choices import Role
from commands.models import Posting, SecurityCommand, User
from incidents.choices import Act, Channel
from incidents.delivery.outbox import tell
from incidents.models import Entry
from incidents.routing import holders


def record(
    act: Act,
    what: str,
    *,
    by: User,
    posting: Posting | None,
    now: dt.datetime,
    channel: str = Channel.BROWSER,
    command: SecurityCommand | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    note: str = "",
) -> Entry:
    """Journal that `what` was done by `by` under `posting`, at its command where no other is named."""
    return Entry.objects.create(
        act=act,
        at=now,
        channel=channel,
        by=by,
        posting=posting,
        command=command or (posting.command if posting else None),
        before=dict(before or {}),
        after={"what": what, **(after or {})},
        reason=reason.strip(),
        note=note.strip(),
    )


def new_mark() -> str:
    """Eight letters by chance. No vowels and no digits: no word, number or date a spreadsheet would make of it."""
    return "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _place in range(8))


def record_export(
    what: str, asked: str, rows: int, *, by: User, now: dt.datetime, channel: str = Channel.BROWSER
) -> Entry:
    """Journal that `by` takes away `rows` rows of cases: `what` file, and the filter `asked` as a query string.

    Written before the first row leaves, because a download that breaks off has left too. Raises PermissionDenied.
    Its `after["mark"]` is for the copies to carry: the entry's own key would count everybody's acts, sealed cases too.
    """
    posting = judge_file("rows", by.current_postings)
    after = {"filter": asked, "rows": rows, "mark": new_mark()}
    return record(Act.EXPORT, what, by=by, posting=posting, now=now, channel=channel, after=after)


@transaction.atomic
def record_account(what: str, person: User, *, by: User, now: dt.datetime, **after: Any) -> Entry:
    """Journal what an administrator did to an account, and tell the NEC secretariat and the person concerned.

    `what`: made, changed, password, posted or reposted; `after` says it in stored values (`fields`, or role, command,
    starts_at and ends_at of a posting). Nobody is told of what they did themselves; with no NEC yet, only the person.
    """
    entry = _by_administrator(what, by, now, {"person": person.username, **after})
    tell(entry, [person, *holders([Role.NEC_SECRETARIAT], now)], "account")
    return entry


def record_posting(posting: Posting, *, by: User, now: dt.datetime, is_new: bool) -> Entry:
    """Journal and tell a posting as it stands now, new or changed."""
    return record_account(
        "posted" if is_new else "reposted",
        posting.user,
        by=by,
        now=now,
        role=posting.role,
        command=posting.command.code,
        starts_at=posting.starts_at.isoformat(),
        ends_at=posting.ends_at.isoformat() if posting.ends_at else None,
    )


@transaction.atomic
def record_reference(what: str, fields: Sequence[str], *, by: User, now: dt.datetime) -> Entry:
    """Journal that an administrator changed data which deadlines and chains rest on, and tell the PSC and the NEC.

    `what` is its model and name, as "election CC27"; `fields` the names of what changed, or "made" or "deleted".
    """
    entry = _by_administrator("reference", by, now, {"name": what, "fields": list(fields)})
    tell(entry, holders((Role.NEC_SECRETARIAT, Role.PSC_WATCH), now), "account")
    return entry


def _by_administrator(what: str, by: User, now: dt.datetime, after: Mapping[str, Any]) -> Entry:
    posting = next((p for p in by.current_postings if p.role == Role.ADMINISTRATOR), None)
    return record(Act.ACCOUNT, what, by=by, posting=posting, now=now, after=after)
