"""Journal entries that are about no case: rows taken away. Like `turn`, the only place where such an entry is made."""

from __future__ import annotations

import datetime as dt
import secrets

from commands.authority import judge_file
from commands.models import User
from incidents.choices import Act, Channel
from incidents.models import Entry


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
    return Entry.objects.create(
        act=Act.EXPORT,
        at=now,
        channel=channel,
        by=by,
        posting=posting,
        command=posting.command,
        after={"what": what, "filter": asked, "rows": rows, "mark": new_mark()},
    )
