"""Drills move on: who is called when, who is over their time, when a drill ends. What people do in one is in `drills`.

A drill's row is the lock of the whole drill, so any number of workers may come at once: each call is made once. Only
drills and their calls are read and written here, never a case, a clock or a tally. `now` is passed in.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from commands.authority import DRILL_WHOLE
from commands.models import SecurityCommand, User
from commands.models.people import read_postings
from incidents.choices import Act, Channel
from incidents.delivery.outbox import notices_for, post
from incidents.escalation.beginnings import heirs, holding, latest_end, vote_within
from incidents.models import Drill, DrillCall, Entry
from incidents.routing import people_at

log = logging.getLogger(__name__)

#: Calls made in one transaction: SQLite has one writer, and people who act must not wait for a whole country.
AT_ONCE = 60


# ---- Pure: the order of the calls ----


def is_vacant(call: DrillCall) -> bool:
    """Whether nobody answered for the command when its turn came."""
    return call.called_at is not None and call.people == 0


def settled_at(call: DrillCall) -> dt.datetime | None:
    """From when on the command holds up nobody: it answered, was vacant, or its time was over. None before its turn."""
    if call.called_at is None or call.due_at is None:
        return None
    if call.people == 0:
        return call.called_at
    return min(call.answered_at, call.due_at) if call.answered_at else call.due_at


def below(calls: Sequence[DrillCall]) -> dict[int, list[DrillCall]]:
    """By key of a call: the calls right below it among `calls`, along the tree of commands."""
    by_path = {call.command.path: call for call in calls}
    found: dict[int, list[DrillCall]] = defaultdict(list)
    for call in calls:
        if above := next((by_path[path] for path in paths_above(call.command.path) if path in by_path), None):
            found[above.pk].append(call)
    return found


def paths_above(path: str) -> list[str]:
    """Paths of the commands above `path`, nearest first: of `PSC.KH21.KH2108.` these are `PSC.KH21.` and `PSC.`."""
    parts = path.strip(".").split(".")
    return [".".join(parts[:n]) + "." for n in range(len(parts) - 1, 0, -1)]


def turns(drill: Drill, calls: Sequence[DrillCall]) -> dict[int, dt.datetime]:
    """By key of a call: when its turn comes at the latest, as things stand; for one that was called, when it came.

    The lowest commands of the drill are called at its start, any other when every command right below it is settled.
    """
    minutes = dt.timedelta(minutes=drill.minutes)
    under = below(calls)
    turn: dict[int, dt.datetime] = {}
    over: dict[int, dt.datetime] = {}
    for call in sorted(calls, key=lambda c: -c.command.path.count(".")):
        waited_for = [over[c.pk] for c in under[call.pk]]
        turn[call.pk] = call.turn_at if call.called_at else max([drill.starts_at, *waited_for])
        over[call.pk] = settled_at(call) or turn[call.pk] + minutes
    return turn


def is_over(calls: Iterable[DrillCall], now: dt.datetime) -> bool:
    """Whether every command was called and answered, was vacant or had its time."""
    return all((at := settled_at(call)) is not None and at <= now for call in calls)


# ---- The step ----


def advance(now: dt.datetime) -> int:
    """Bring every running drill to where it stands at `now`; how many commands were called.

    One query where no drill runs. A drill that fails is logged and stops no other.
    """
    called = 0
    for key in Drill.objects.filter(ended_at=None, starts_at__lte=now).order_by("pk").values_list("pk", flat=True):
        try:
            called += run(key, now)
        except Exception:  # a drill may fail, and is tried again; what it rehearses may not wait for it
            log.exception("Drill %s failed", key)
    return called


def run(key: int, now: dt.datetime) -> int:
    """Bring one drill to where it stands at `now`, in transactions of at most AT_ONCE calls; how many were called."""
    called = 0
    skip = connection.features.has_select_for_update_skip_locked
    while True:
        with transaction.atomic():
            running = Drill.objects.filter(pk=key, ended_at=None, starts_at__lte=now)
            drill = running.select_for_update(skip_locked=skip).first()
            made = (_begun(drill, now) and step(drill, now)) if drill else 0
        called += made
        if made < AT_ONCE:
            return called


def _begun(drill: Drill, now: dt.datetime) -> bool:
    """Whether the drill has begun, or may begin at `now`; one that may not is cancelled, and it is told why."""
    if drill.calls.exclude(called_at=None).exists():
        return True
    read_postings([drill.made_by], now)
    posting = holding(drill, drill.made_by.current_postings)
    if posting is None:
        why = "relieved"
    elif posting.role not in DRILL_WHOLE and _meets_vote(drill, now):
        why = "vote"
    else:
        return True
    drill.ended_at = now
    drill.save(update_fields=["ended_at"])
    entry = entry_about(drill, "cancelled", now)
    entry.after |= {"why": why}
    entry.save()
    tell([(entry, heirs(drill, now))])
    return False


def _meets_vote(drill: Drill, now: dt.datetime) -> bool:
    commands = [c.command for c in drill.calls.select_related("command__jurisdiction")]
    return vote_within(commands, now, now + (latest_end(drill) - drill.starts_at), now) is not None


def step(drill: Drill, now: dt.datetime) -> int:
    """Call whose turn has come, at most AT_ONCE; keep the turns of the others; end what is over. How many were called.

    Only inside a transaction that holds the lock of the drill.
    """
    calls = list(drill.calls.select_related("command"))
    made = 0
    turn = turns(drill, calls)
    while due := [c for c in calls if c.called_at is None and turn[c.pk] <= now][: AT_ONCE - made]:
        for call in due:
            call.turn_at = turn[call.pk]
        _call(drill, due, now)
        made += len(due)
        turn = turns(drill, calls)
    moved = [c for c in calls if c.called_at is None and c.turn_at != turn[c.pk]]
    for call in moved:
        call.turn_at = turn[call.pk]
    DrillCall.objects.bulk_update(moved, ["turn_at"])
    if is_over(calls, now):
        _end(drill, calls, now)
    return made


def entry_about(drill: Drill, what: str, at: dt.datetime, command: SecurityCommand | None = None) -> Entry:
    """An unsaved journal entry of the engine: `what` is called, vacant or ended."""
    after = {"what": what, "drill": drill.pk, "name": drill.name, **({"command": command.code} if command else {})}
    return Entry(act=Act.DRILL, at=at, channel=Channel.ENGINE, command=command, after=after)


def tell(told: Iterable[tuple[Entry, Iterable[User]]]) -> None:
    """Tell people of entries about a drill."""
    post([notice for entry, people in told for notice in notices_for(entry, None, people, "drill")])


def _call(drill: Drill, calls: Sequence[DrillCall], now: dt.datetime) -> None:
    """Call these commands at `now`; one where nobody answers is over at once. One entry a command."""
    people = people_at([c.command_id for c in calls], now)
    entries = []
    for call in calls:
        call.people = len(people.get(call.command_id, []))
        call.called_at = now
        call.due_at = now + dt.timedelta(minutes=drill.minutes) if call.people else now
        entry = entry_about(drill, "called" if call.people else "vacant", now, call.command)
        entry.after |= {"call": call.pk, "people": call.people, "due_at": call.due_at.isoformat()}
        entries.append(entry)
    DrillCall.objects.bulk_update(calls, ["turn_at", "called_at", "due_at", "people"])
    made = Entry.objects.bulk_create(entries)
    tell((entry, people.get(call.command_id, [])) for entry, call in zip(made, calls, strict=True))


def _end(drill: Drill, calls: Sequence[DrillCall], now: dt.datetime) -> None:
    """The drill is over; who started it is told how it went."""
    drill.ended_at = now
    drill.save(update_fields=["ended_at"])
    entry = entry_about(drill, "ended", now)
    entry.after |= {
        "commands": len(calls),
        "answered": sum(c.answered_at is not None for c in calls),
        "unreachable": sum(c.answered_at is None and not is_vacant(c) for c in calls),
        "vacant": sum(is_vacant(c) for c in calls),
    }
    entry.save()
    tell([(entry, [drill.made_by] if drill.made_by.is_active else [])])
