"""The triggers that make the journal append-only, as SQL for each database: `install`, `remove`, `missing`.

Used by migrations. On SQLite a migration that rebuilds a protected table drops its triggers with it: such a migration
must end with the operation of migration 0003, and `verify_journal` and a test say so when it did not.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("incidents_entry", "incidents_block")
#: Key of the advisory lock that writers of entries share and the sealer takes alone: "journal" as a number.
LOCK_KEY = 0x6A6F75726E616C
REFUSAL = "The journal is append-only."

_POSTGRES = f"""
CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END $$;
-- Before the first row of a statement, so before its id is drawn: an id at or below the sealer's horizon that is not in
-- a block can then only have been slipped in afterwards. In the database, so that no writer can forget it.
CREATE OR REPLACE FUNCTION journal_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared({LOCK_KEY});
  RETURN NULL;
END $$;
"""


def _triggers(vendor: str) -> dict[str, str]:
    """Name of each trigger, and the statement that makes it."""
    made: dict[str, str] = {}
    for table in TABLES:
        if vendor == "postgresql":
            for event, level in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
                made[f"{table}_no_{event.lower()}"] = (
                    f"BEFORE {event} ON {table} FOR EACH {level} EXECUTE FUNCTION journal_refuse()"
                )
        else:
            abort = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            for event in ("UPDATE", "DELETE"):
                made[f"{table}_no_{event.lower()}"] = f"BEFORE {event} ON {table} {abort}"
            # INSERT OR REPLACE deletes the old row without firing the DELETE trigger.
            made[f"{table}_no_replace"] = (
                f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) {abort}"  # noqa: S608
            )
    if vendor == "postgresql":
        made["incidents_entry_writer"] = (
            "BEFORE INSERT ON incidents_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_writer()"
        )
    return made


def install(connection: BaseDatabaseWrapper) -> None:
    """Make every trigger, replacing those that are there."""
    remove(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES)
        for name, body in _triggers(connection.vendor).items():
            cursor.execute(f"CREATE TRIGGER {name} {body}")


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take every trigger away: only to undo the migration."""
    with connection.cursor() as cursor:
        for name in _triggers(connection.vendor):
            table = next(t for t in TABLES if name.startswith(t))
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def begin_writing(connection: BaseDatabaseWrapper) -> None:
    """What the trigger does before an id is drawn, for a writer that draws the ids of its entries by itself.

    Held to the end of the transaction. SQLite has one writer anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK_KEY])


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of protecting triggers that are not there or switched off; empty when the journal is protected."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        present = {row[0] for row in cursor.fetchall()}
    return sorted(set(_triggers(connection.vendor)) - present)
