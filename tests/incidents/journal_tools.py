"""Ways round the journal's triggers, for tests that plant what a database owner could do. Production has none."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

from django.db import connection

from incidents import append_only
from incidents.choices import Act, Channel
from incidents.models import Entry


@contextlib.contextmanager
def unprotected() -> Iterator[None]:
    """The journal without its triggers, as for an insider who owns the database; they are put back."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A table with deferred checks outstanding cannot lose a trigger.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    append_only.remove(connection)
    try:
        yield
    finally:
        append_only.install(connection)


def add_entry(at: dt.datetime, **fields: object) -> Entry:
    """An entry about no case."""
    defaults = {"act": Act.EXPORT, "channel": Channel.BROWSER, "after": {"rows": 1}, "note": "ឧប្បត្តិហេតុ"}
    return Entry.objects.create(**{"at": at, **defaults, **fields})
