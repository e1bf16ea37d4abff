"""After the engine was away: since when and until when, what then fired late, and one digest for who was passed over.

Steps fire by the moments they were due at, so a case is where it belongs after the first tick. Commands that it only
passed, because their own time was over too, are told once for the whole outage instead of once for every case.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.dateparse import parse_datetime

from incidents.choices import Act, Channel
from incidents.delivery.outbox import notices_for, post, tell
from incidents.delivery.texts import PASSED_DIGEST
from incidents.escalation.lateness import FIELDS, Fired, could_fire, explains, is_late, patience
from incidents.models import EngineState, Entry, Escalation, EscalationKind, Outage
from incidents.routing import people_at, serving_under


@dataclass(frozen=True)
class Late:
    """By how much a step came after it could have fired, and the outage that explains it, None where none does."""

    by: dt.timedelta
    outage: Outage | None = None


def late_steps(entries: Iterable[Entry]) -> dict[int, Late]:
    """Those of `entries`, by key, that are steps of a rule and came late: five queries at most, none where none did.

    Not late before somebody set the deadline: the raised severity, the other version of the policy that put it into the
    past. An outage explains what was to fire while it lasted; what waited when it began was late for another reason.
    """
    late = [(entry, due) for entry in entries if (due := _due_at(entry)) and is_late(due, entry.at)]
    if not late:
        return {}
    first, last = min(due for _entry, due in late), max(entry.at for entry, _due in late)
    outages = list(Outage.objects.filter(ended_at__gt=first, ended_at__lte=last).order_by("-started_at"))
    found = {}
    for (entry, _due), since in zip(late, could_fire(_steps(late)), strict=True):
        if is_late(since, entry.at):
            # Catching up takes a while, and ends before the next outage begins.
            why = (o for o in outages if explains(o.started_at, o.ended_at, since, entry.at))
            found[entry.pk] = Late(entry.at - since, next(why, None))
    return found


def _due_at(entry: Entry) -> dt.datetime | None:
    text = entry.after.get("due_at") if entry.by_id is None else None
    return parse_datetime(text) if isinstance(text, str) else None


def _steps(late: Sequence[tuple[Entry, dt.datetime]]) -> list[Fired]:
    """What the entries are of: the journal says of which kind a clock was, the record of steps which one."""
    moments = {entry.at for entry, _due in late}
    rows = Escalation.objects.filter(incident__in={e.incident_id for e, _due in late}, fired_at__in=moments, part=0)
    kept = {(s.incident, s.clock, s.due_at, s.fired_at): s for s in map(Fired._make, rows.values_list(*FIELDS))}
    found = []
    for entry, due in late:
        assert entry.incident_id is not None  # noqa: S101  a step is of a case
        key = (entry.incident_id, entry.after.get("clock", ""), due, entry.at)
        found.append(kept.get(key) or Fired(key[0], key[1], 0, 0, due, entry.at))
    return found


def began_at(state: EngineState, now: dt.datetime, leapt: dt.timedelta) -> dt.datetime | None:
    """Since when the engine was away, at the first tick after it; None where it was not.

    A clock that leapt by `leapt` took no time away.
    """
    if state.last_ok_at is None or now - state.last_ok_at - max(leapt, dt.timedelta()) <= patience():
        return None
    return state.last_ok_at


def record(started_at: dt.datetime, now: dt.datetime, cases: int, steps: int) -> Outage:
    """Keep an outage, or add to it what another worker or a further tick caught up with."""
    row, made = Outage.objects.get_or_create(
        started_at=started_at, defaults={"ended_at": now, "cases": cases, "steps": steps}
    )
    if not made and (cases or steps):
        Outage.objects.filter(pk=row.pk).update(cases=F("cases") + cases, steps=F("steps") + steps)
    return row


def still_catching_up(state: EngineState) -> dt.datetime | None:
    """The beginning of the outage whose backlog the last tick did not get through."""
    if not state.backlog:
        return None
    return Outage.objects.order_by("-started_at").values_list("started_at", flat=True).first()


@transaction.atomic
def tell_passed(outage: Outage, now: dt.datetime) -> int:
    """One digest for each person at a command that cases passed; of a sealed case its own notice. How many were told.

    Once for an outage: a tick that finds the digest of a command written writes no second one.
    """
    # Of two workers who are done at once the second waits here, and finds what the first wrote.
    list(Outage.objects.select_for_update().filter(pk=outage.pk).values_list("pk"))
    passed = Escalation.objects.filter(
        kind=EscalationKind.PASSED, fired_at__gte=outage.ended_at, fired_at__lte=now, to_command__isnull=False
    )
    told = _digests(outage, now, passed.filter(incident__is_sealed=False))
    for row in passed.filter(incident__is_sealed=True).select_related("incident"):
        told += _one(row, now)
    return told


def _digests(outage: Outage, now: dt.datetime, passed: QuerySet[Escalation]) -> int:
    pairs = set(passed.values_list("to_command", "to_command__code", "incident"))
    counts = Counter((command, code) for command, code, _case in pairs)
    before = Entry.objects.filter(act=Act.ENGINE, at__gte=outage.ended_at, incident=None)
    done = {e.command_id for e in before if e.after.get("what") == "passed"}
    people = people_at([command for command, _code in counts], now)
    told = 0
    for (command, code), cases in sorted(counts.items()):
        if command in done:
            continue
        entry = Entry.objects.create(
            act=Act.ENGINE,
            at=now,
            channel=Channel.ENGINE,
            command_id=command,
            after={
                "what": "passed",
                "command": code,
                "cases": cases,
                "started_at": outage.started_at.isoformat(),
                "ended_at": outage.ended_at.isoformat(),
            },
        )
        tell(entry, people[command], PASSED_DIGEST)
        told += len(people[command])
    return told


def _one(row: Escalation, now: dt.datetime) -> int:
    """The notice of a sealed case: a count in an entry about no case would tell of it."""
    assert row.to_command is not None  # noqa: S101  asked for above
    entry = (
        Entry.objects.filter(incident=row.incident, at=row.fired_at, command=row.from_command, act=Act.AUTO_ESCALATE)
        .exclude(notices__kind=PASSED_DIGEST)
        .first()
    )
    if entry is None:
        return 0
    barred = serving_under([s.command.path for s in row.incident.subjects.select_related("command")], now)
    people = [p for p in people_at([row.to_command], now)[row.to_command_id or 0] if p.pk not in barred]
    post(notices_for(entry, row.incident, people, PASSED_DIGEST), again=True)
    return len(people)
