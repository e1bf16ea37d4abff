"""The triggers that keep a published policy as it was, as SQL for each database: `install`, `remove`, `missing`.

Of a published version no value, target or step is changed, added or taken away by any door, a database shell included.
On SQLite a migration that rebuilds one of these tables drops its triggers with it: it must end with the operation of
migration `published_policies_are_frozen`, and a test says so when it did not.
"""

from __future__ import annotations

from incidents.triggers import Guard, Trigger, abort

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


def _triggers(vendor: str) -> list[Trigger]:
    return _for_postgres() if vendor == "postgresql" else _for_sqlite()


def _for_postgres() -> list[Trigger]:
    refuse = "EXECUTE FUNCTION policy_refuse()"
    was_published = f"FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) {refuse}"
    made = [Trigger(f"{POLICY}_frozen_{event.lower()}", event, POLICY, was_published) for event in ("UPDATE", "DELETE")]
    for table in (POLICY, *ROWS):
        made.append(Trigger(f"{table}_frozen_truncate", "TRUNCATE", table, f"FOR EACH STATEMENT {refuse}"))
    for table in ROWS:
        then = "FOR EACH ROW EXECUTE FUNCTION policy_row_refuse()"
        made.append(Trigger(f"{table}_frozen_rows", "INSERT OR UPDATE OR DELETE", table, then))
    return made


def _for_sqlite() -> list[Trigger]:
    refuse = abort(REFUSAL)
    was_published = f"WHEN OLD.published_at IS NOT NULL {refuse}"
    made = [Trigger(f"{POLICY}_frozen_{event.lower()}", event, POLICY, was_published) for event in ("UPDATE", "DELETE")]
    # INSERT OR REPLACE deletes the old row without firing the DELETE trigger.
    made.append(Trigger(f"{POLICY}_frozen_replace", "INSERT", POLICY, f"WHEN {_published('NEW.id')} {refuse}"))
    for table in ROWS:
        for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW")), ("DELETE", ("OLD",))):
            then = f"WHEN {_published(', '.join(f'{row}.policy_id' for row in rows))} {refuse}"
            made.append(Trigger(f"{table}_frozen_{event.lower()}", event, table, then))
        old = f"SELECT policy_id FROM {table} WHERE id = NEW.id"  # noqa: S608
        made.append(Trigger(f"{table}_frozen_replace", "INSERT", table, f"WHEN {_published(old)} {refuse}"))
    return made


def _published(keys: str) -> str:
    return f"EXISTS (SELECT 1 FROM {POLICY} WHERE id IN ({keys}) AND published_at IS NOT NULL)"  # noqa: S608


_GUARD = Guard(_POSTGRES, _triggers)
install, remove, missing = _GUARD.install, _GUARD.remove, _GUARD.missing
