"""The triggers that make the journal append-only, as SQL for each database: `install`, `remove`, `missing`.

Used by migrations. On SQLite a migration that rebuilds a protected table drops its triggers with it: such a migration
must end with the operation of migration 0003, and `verify_journal` and a test say so when it did not.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from incidents.triggers import Guard, Trigger, abort

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


def _triggers(vendor: str) -> list[Trigger]:
    made = []
    for table in TABLES:
        if vendor == "postgresql":
            for event, level in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
                then = f"FOR EACH {level} EXECUTE FUNCTION journal_refuse()"
                made.append(Trigger(f"{table}_no_{event.lower()}", event, table, then))
        else:
            for event in ("UPDATE", "DELETE"):
                made.append(Trigger(f"{table}_no_{event.lower()}", event, table, abort(REFUSAL)))
            # INSERT OR REPLACE deletes the old row without firing the DELETE trigger.
            is_there = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608
            made.append(Trigger(f"{table}_no_replace", "INSERT", table, f"{is_there} {abort(REFUSAL)}"))
    if vendor == "postgresql":
        then = "FOR EACH STATEMENT EXECUTE FUNCTION journal_writer()"
        made.append(Trigger("incidents_entry_writer", "INSERT", "incidents_entry", then))
    return made


_GUARD = Guard(_POSTGRES, _triggers)
install, remove, missing = _GUARD.install, _GUARD.remove, _GUARD.missing


def begin_writing(connection: BaseDatabaseWrapper) -> None:
    """What the trigger does before an id is drawn, for a writer that draws the ids of its entries by itself.

    Held to the end of the transaction. SQLite has one writer anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK_KEY])
