"""What a batch reads: cases claimed by their row locks, their clocks, the rules they run under. As plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q

from incidents import bulk
from incidents.choices import OPEN, ClockKind, State
from incidents.escalation.decide import Ticking
from incidents.models import Policy
from incidents.policies import Rules, known_rules, rules_of


@dataclass(slots=True)
class Case:
    """A claimed case: the columns the engine reads and writes. `key` as the database's own text of it."""

    key: str
    state: str
    severity: str
    is_sealed: bool
    owner: int
    place: str
    policy: int
    clock_phase: str
    version: int
    rung: int
    highest_rung: int
    is_accepted: bool
    snoozed_until: dt.datetime | None
    election: int


_COLUMNS = """i.state, i.severity, i.is_sealed, i.owner_id, i.place_id, i.policy_id, i.clock_phase,
    i.version, i.rung, i.highest_rung, i.is_accepted, i.snoozed_until, i.election_id"""
#: Legal deadlines run on while a case is resolved; everything else only while it is open.
_DUE = """
FROM incidents_clock c
JOIN incidents_incident i ON i.id = c.incident_id
JOIN elections_election e ON e.id = i.election_id
WHERE c.state = 'running' AND c.fires_at <= %s AND NOT e.is_locked
  AND (i.state IN ('reported', 'acknowledged', 'responding', 'contained')
       OR (i.state = 'resolved' AND c.kind = 'legal'))
  AND NOT EXISTS (SELECT 1 FROM incidents_quarantine q WHERE q.clock_id = c.id AND q.next_try_at > %s)
"""


def claim(now: dt.datetime, until: dt.datetime, size: int, keys: Sequence[str] | None = None) -> list[Case]:
    """Lock and read up to `size` cases with a step due at `until`, the longest due first; only of `keys` where given.

    Inside a transaction. Cases that another transaction holds are passed over, also by the count of `size`.
    """
    only, values = _among("i.id", keys) if keys is not None else ("", [])
    lock = "FOR UPDATE OF i SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_key('i.id')}, {_COLUMNS} {_DUE} {only} ORDER BY c.fires_at, c.id LIMIT %s {lock}",
            [bulk.moment(until), bulk.moment(now), *values, size],
        )
        found = {row[0]: row for row in cursor.fetchall()}
    return [_case(row) for row in found.values()]


def claimable() -> Q:
    """As in the statement above, for querysets of clocks: what may fire at all."""
    resolved = Q(incident__state=State.RESOLVED, kind=ClockKind.LEGAL)
    return Q(incident__state__in=OPEN) | resolved


def is_any_due(until: dt.datetime) -> bool:
    """Whether any clock is due at all, whatever its case: the look of an idle tick.

    Of the clocks alone: to plan a join with a table of so many partial indexes takes longer than to run it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM incidents_clock WHERE state = 'running' AND fires_at <= %s LIMIT 1", [bulk.moment(until)]
        )
        return cursor.fetchone() is not None


def due_cases(now: dt.datetime, after: dt.datetime | None, until: dt.datetime, at_most: int) -> int:
    """How many cases have a step due after `after` and at `until`, counted up to `at_most`."""
    since, values = (" AND c.fires_at > %s", [bulk.moment(after)]) if after else ("", [])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT DISTINCT c.incident_id {_DUE} {since} LIMIT %s) AS due",  # noqa: S608
            [bulk.moment(until), bulk.moment(now), *values, at_most],
        )
        return int(cursor.fetchone()[0])


def _among(column: str, keys: Sequence[str]) -> tuple[str, list[Any]]:
    """A condition on a column of UUIDs, and its values."""
    if connection.vendor == "postgresql":
        return f" AND {column} = ANY(%s::uuid[])", ["{" + ",".join(keys) + "}"]
    return f" AND {column} IN ({', '.join(['%s'] * len(keys))})", list(keys)


def _key(column: str) -> str:
    """A column of UUIDs as the text SQLite keeps: objects of them would be made and taken apart for every row."""
    return f"replace({column}::text, '-', '')" if connection.vendor == "postgresql" else column


def _case(row: Sequence[Any]) -> Case:
    return Case(
        row[0], row[1], row[2], bool(row[3]), row[4], row[5], row[6], row[7], row[8], row[9], row[10],
        bool(row[11]), None if row[12] is None else bulk.from_text(row[12]), row[13],
    )  # fmt: skip


_CLOCKS = """c.id, c.kind, c.about, c.episode, c.step, c.anchor_at, c.target_minutes, c.deadline_at,
    c.fires_at, c.state, c.paused_at, c.paused_seconds, q.id IS NOT NULL
FROM incidents_clock c LEFT JOIN incidents_quarantine q ON q.clock_id = c.id AND q.next_try_at > %s
"""


def clocks_of(keys: Sequence[str], now: dt.datetime) -> dict[str, list[Ticking]]:
    """Every clock of these cases, in the order they were started. One in quarantine is held still."""
    found: dict[str, list[Ticking]] = {key: [] for key in keys}
    among, values = _among("c.incident_id", keys)
    moment = bulk.from_text if connection.vendor == "sqlite" else _as_is
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_key('c.incident_id')}, {_CLOCKS} WHERE true {among} ORDER BY c.id",
            [bulk.moment(now), *values],
        )
        for row in cursor.fetchall():
            found[row[0]].append(
                Ticking(
                    key=row[1],
                    kind=row[2],
                    about=row[3],
                    episode=row[4],
                    step=row[5],
                    anchor_at=moment(row[6]),
                    target_minutes=row[7],
                    deadline_at=moment(row[8]),
                    fires_at=moment(row[9]),
                    state=row[10],
                    paused_at=None if row[11] is None else moment(row[11]),
                    paused_seconds=row[12],
                    is_held=bool(row[13]),
                )
            )
    return found


def _as_is(value: Any) -> Any:
    return value


def rules_of_all(policies: Iterable[int]) -> dict[int, Rules]:
    """Rules by key of the policy; a query where one is not known to this process."""
    wanted = set(policies)
    found = {key: rules for key in wanted if (rules := known_rules(key))}
    if missing := wanted - found.keys():
        found |= {policy.pk: rules_of(policy) for policy in Policy.objects.filter(pk__in=missing)}
    return found
