"""After the engine was away: since when and until when, what then fired late, and one digest for who was passed over.

Steps fire by the moments they were due at, so a case is where it belongs after the first tick. Commands that it only
passed, because their own time was over too, are told once for the whole outage instead of once for every case.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.dateparse import parse_datetime

from incidents.choices import Act, Channel, ClockKind
from incidents.delivery.outbox import notices_for, post, tell
from incidents.delivery.texts import PASSED_DIGEST
from incidents.lifecycle import ENGINE_ACTS, TIMES_ANEW
from incidents.models import EngineState, Entry, Escalation, EscalationKind, Outage
from incidents.routing import people_at, serving_under

#: Acts of people that may put a deadline into the past: until then there was nothing to be late with.
_TIMES_ANEW = tuple(TIMES_ANEW - ENGINE_ACTS)


@dataclass(frozen=True)
class Late:
    """By how much a step came after it could have fired, and the outage that explains it, None where none does."""

    by: dt.timedelta
    outage: Outage | None = None


def late_steps(entries: Iterable[Entry]) -> dict[int, Late]:
    """Those of `entries`, by key, that are steps of a rule and came late: three queries, none where none did.

    Not late before somebody set the deadline: the raised severity, the other version of the policy that put it into the
    past. An outage explains what was to fire while it lasted; what waited when it began was late for another reason.
    """
    late = [(entry, due) for entry in entries if (due := _due_at(entry)) and _is_late(entry.at - due)]
    if not late:
        return {}
    cases = {entry.incident_id for entry, _due in late}
    anew: dict[tuple[Any, bool], list[tuple[int, dt.datetime]]] = defaultdict(list)
    acts = Entry.objects.filter(incident__in=cases, act__in=_TIMES_ANEW).order_by("pk")
    for case, act, key, at in acts.values_list("incident", "act", "pk", "at"):
        # A referral sets the time that a body has by law, and no other.
        anew[case, act == Act.REFER].append((key, at))
    first, last = min(due for _entry, due in late), max(entry.at for entry, _due in late)
    outages = list(Outage.objects.filter(ended_at__gt=first, ended_at__lte=last).order_by("-started_at"))
    found = {}
    for entry, due in late:
        acts_before = anew[entry.incident_id, entry.after.get("clock") == ClockKind.LEGAL]
        since = max([due, *(at for key, at in acts_before if key < entry.pk)])
        if _is_late(entry.at - since):
            found[entry.pk] = Late(entry.at - since, _explains(outages, since, entry.at))
    return found


def _due_at(entry: Entry) -> dt.datetime | None:
    text = entry.after.get("due_at") if entry.by_id is None else None
    return parse_datetime(text) if isinstance(text, str) else None


def _is_late(span: dt.timedelta) -> bool:
    return span > dt.timedelta(seconds=settings.ENGINE_STALE_SECONDS)


def _explains(outages: Sequence[Outage], since: dt.datetime, fired_at: dt.datetime) -> Outage | None:
    slack = dt.timedelta(seconds=settings.ENGINE_STALE_SECONDS)
    # Catching up takes a while, and ends before the next outage begins.
    return next((o for o in outages if o.started_at - slack <= since < o.ended_at <= fired_at), None)


def began_at(state: EngineState, now: dt.datetime, leapt: dt.timedelta) -> dt.datetime | None:
    """Since when the engine was away, at the first tick after it; None where it was not.

    A clock that leapt by `leapt` took no time away.
    """
    patience = dt.timedelta(seconds=settings.ENGINE_STALE_SECONDS)
    if state.last_ok_at is None or now - state.last_ok_at - max(leapt, dt.timedelta()) <= patience:
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
