"""The triggers that keep a published policy as it was, as SQL for each database: `install`, `remove`, `missing`.

Of a published version no value, target or step is changed, added or taken away by any door, a database shell included.
On SQLite a migration that rebuilds one of these tables drops its triggers with it: it must end with the operation of
migration `published_policies_are_frozen`, and a test says so when it did not.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

POLICY = "incidents_policy"
ROWS = ("incidents_responsetarget", "incidents_policystep")
REFUSAL = "A published policy is never changed."

_POSTGRES = f"""
CREATE OR REPLACE FUNCTION policy_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END $$;
CREATE OR REPLACE FUNCTION policy_row_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched bigint[] := ARRAY[]::bigint[];
BEGIN
  IF TG_OP <> 'INSERT' THEN touched := touched || OLD.policy_id; END IF;
  IF TG_OP <> 'DELETE' THEN touched := touched || NEW.policy_id; END IF;
  IF EXISTS (SELECT 1 FROM {POLICY} WHERE id = ANY(touched) AND published_at IS NOT NULL) THEN
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
"""  # noqa: S608  constants of this module


def _triggers(vendor: str) -> dict[str, str]:
    """Name of each trigger, and the statement that makes it."""
    return _for_postgres() if vendor == "postgresql" else _for_sqlite()


def _for_postgres() -> dict[str, str]:
    refuse = "EXECUTE FUNCTION policy_refuse()"
    made = {
        f"{POLICY}_frozen_{event.lower()}": (
            f"BEFORE {event} ON {POLICY} FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) {refuse}"
        )
        for event in ("UPDATE", "DELETE")
    }
    for table in (POLICY, *ROWS):
        made[f"{table}_frozen_truncate"] = f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}"
    for table in ROWS:
        made[f"{table}_frozen_rows"] = (
            f"BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION policy_row_refuse()"
        )
    return made


def _for_sqlite() -> dict[str, str]:
    abort = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    made = {
        f"{POLICY}_frozen_{event.lower()}": f"BEFORE {event} ON {POLICY} WHEN OLD.published_at IS NOT NULL {abort}"
        for event in ("UPDATE", "DELETE")
    }
    # INSERT OR REPLACE deletes the old row without firing the DELETE trigger.
    made[f"{POLICY}_frozen_replace"] = f"BEFORE INSERT ON {POLICY} WHEN {_published('NEW.id')} {abort}"
    for table in ROWS:
        for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW")), ("DELETE", ("OLD",))):
            keys = ", ".join(f"{row}.policy_id" for row in rows)
            made[f"{table}_frozen_{event.lower()}"] = f"BEFORE {event} ON {table} WHEN {_published(keys)} {abort}"
        old = f"SELECT policy_id FROM {table} WHERE id = NEW.id"  # noqa: S608
        made[f"{table}_frozen_replace"] = f"BEFORE INSERT ON {table} WHEN {_published(old)} {abort}"
    return made


def _published(keys: str) -> str:
    return f"EXISTS (SELECT 1 FROM {POLICY} WHERE id IN ({keys}) AND published_at IS NOT NULL)"  # noqa: S608


def install(connection: BaseDatabaseWrapper) -> None:
    """Make every trigger, replacing those that are there."""
    remove(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES)
        for name, body in _triggers(connection.vendor).items():
            cursor.execute(f"CREATE TRIGGER {name} {body}")


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take every trigger away: to undo the migration, or around one that rewrites published rows on purpose."""
    with connection.cursor() as cursor:
        for name in _triggers(connection.vendor):
            table = next(t for t in (POLICY, *ROWS) if name.startswith(f"{t}_"))
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of protecting triggers that are not there or switched off; empty when published policies are safe."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        present = {row[0] for row in cursor.fetchall()}
    return sorted(set(_triggers(connection.vendor)) - present)
