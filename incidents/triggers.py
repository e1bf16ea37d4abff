"""Triggers that hold a promise against every door, a database shell included: put up, taken down and looked for.

What is promised is said where it belongs: `append_only` of the journal, `frozen` of published policies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper


class Trigger(NamedTuple):
    """Before `event` on `table` the database does what `then` says, in its own SQL."""

    name: str
    event: str
    table: str
    then: str


def abort(text: str) -> str:
    """What a trigger of SQLite does to refuse, saying `text`."""
    return f"BEGIN SELECT RAISE(ABORT, '{text}'); END"


@dataclass(frozen=True)
class Guard:
    """One promise: `functions` is the SQL of what its triggers call on PostgreSQL, `of` gives the triggers by vendor.

    On SQLite a migration that rebuilds a guarded table drops its triggers with it, so it must end with `install`.
    """

    functions: str
    of: Callable[[str], Sequence[Trigger]]

    def install(self, connection: BaseDatabaseWrapper) -> None:
        """Make every trigger, replacing those that are there."""
        self.remove(connection)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(self.functions)
            for name, event, table, then in self.of(connection.vendor):
                cursor.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} {then}")

    def remove(self, connection: BaseDatabaseWrapper) -> None:
        """Take every trigger away: to undo the migration, or around one that rewrites guarded rows on purpose."""
        with connection.cursor() as cursor:
            for trigger in self.of(connection.vendor):
                on = f" ON {trigger.table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}{on}")

    def missing(self, connection: BaseDatabaseWrapper) -> list[str]:
        """Names of triggers that are not there or switched off; empty when the promise is kept."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')")
            else:
                cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            present = {row[0] for row in cursor.fetchall()}
        return sorted({trigger.name for trigger in self.of(connection.vendor)} - present)
