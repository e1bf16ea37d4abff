"""What a chaos run left behind, counted from the database and from what people were told; none of it by the engine.

missed   a due step of a running clock that did not fire, or one a clock went past without a row of it
double   a step that happened twice: two rows, two entries, two moves of custody or two messages for one
lost     somebody who had to be told and has no notice, or a notice outside that no state accounts for
orphans  a live clock of a case that ended, an open case without one, or with another deadline than its clocks say
acts     of those people were told had succeeded, how many stand in the journal, exactly once
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from commands.models import Posting
from incidents import journal, tallies
from incidents.choices import OPEN, Act, ClockKind, Deed, State
from incidents.models import (
    Clock,
    ClockState,
    Custody,
    Entry,
    Escalation,
    EscalationKind,
    Incident,
    Notice,
    NoticeChannel,
    NoticeStatus,
    Quarantine,
)
from incidents.policies import rules_for
from incidents.routing import ANSWERING

_BY_ENGINE = (
    EscalationKind.WARNING,
    EscalationKind.OWNER_MOVED,
    EscalationKind.NEXT_TOLD,
    EscalationKind.EXHAUSTED,
    EscalationKind.PASSED,
)
#: How the journal calls what the engine did with a clock.
_ENTRIES = (Act.WARN, Act.AUTO_ESCALATE, Act.INFORM, Act.SKIP, Act.RESUME)
_TELLS_ITS_TARGET = (EscalationKind.OWNER_MOVED, EscalationKind.NEXT_TOLD)
_MOVED = (EscalationKind.OWNER_MOVED, EscalationKind.PASSED, EscalationKind.MANUAL, EscalationKind.HAND_BACK)
_LIVE = (ClockState.RUNNING, ClockState.PAUSED, ClockState.EXHAUSTED)


@dataclass(kw_only=True)
class Counts:
    """The figures, and `problems`: a sentence for everything that should not be."""

    cases: int = 0
    kills: int = 0
    fired: int = 0
    missed: int = 0
    double: int = 0
    lost: int = 0
    orphans: int = 0
    acts_told: int = 0
    acts_kept: int = 0
    refused: int = 0
    unheard: int = 0
    quarantined: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.problems

    def line(self, what: str) -> str:
        return (
            f"chaos {what}: {self.cases} cases, {self.kills} kills, {self.fired} steps fired,"
            f" {self.missed} missed, {self.double} double, {self.lost} lost, {self.orphans} orphans,"
            f" {self.acts_kept}/{self.acts_told} acts ({self.refused} refused, {self.unheard} unheard)"
        )

    def note(self, name: str, problem: str) -> None:
        setattr(self, name, getattr(self, name) + 1)
        self.problems.append(f"{name}: {problem}")


def count(now: dt.datetime, *, diaries: dict[str, dict[str, Any]], kills: int = 0, keys: Iterable[UUID] = ()) -> Counts:
    """Everything there is in the database, which nobody else writes any more."""
    found = Counts(kills=kills, quarantined=Quarantine.objects.count())
    rows = list(Escalation.objects.exclude(clock="").select_related("to_command", "from_command"))
    cases = {c.pk: c for c in Incident.objects.select_related("policy", "election", "owner")}
    found.cases = len(cases)
    found.fired = sum(r.kind in _BY_ENGINE for r in rows)
    gone = set(keys) - set(cases)
    found.problems += [f"case {key} is not there" for key in gone]
    _missed(found, cases, rows, now)
    _double(found, cases, rows)
    _lost(found, cases, rows)
    _orphans(found, cases)
    _acts(found, diaries)
    _records(found, cases, now)
    return found


# ---- Steps ----


def _missed(found: Counts, cases: dict[UUID, Incident], rows: list[Escalation], now: dt.datetime) -> None:
    held = set(Quarantine.objects.filter(next_try_at__gt=now).values_list("clock", flat=True))
    fired = {(r.incident_id, r.clock, r.about, r.episode, r.step) for r in rows}
    for clock in Clock.objects.all():
        case = cases[clock.incident_id]
        counts = case.state in OPEN or (clock.kind == ClockKind.LEGAL and case.state == State.RESOLVED)
        if clock.state == ClockState.RUNNING and clock.fires_at <= now and counts and clock.pk not in held:
            found.note("missed", f"{case.reference} {clock} was due at {clock.fires_at}")
        steps = rules_for(case).steps(clock.kind)
        # A clock at its end stands at the step that ended it; a warning after its own deadline says nothing.
        past = clock.step + (clock.state == ClockState.EXHAUSTED)
        for number in range(past):
            deed = steps[number].deed if number < len(steps) else ""
            key = (clock.incident_id, clock.kind, clock.about, clock.episode, number)
            if key not in fired and deed != Deed.WARN:
                found.note("missed", f"{case.reference} {clock} went past step {number} without a row")


def _double(found: Counts, cases: dict[UUID, Incident], rows: list[Escalation]) -> None:
    once = Counter((r.incident_id, r.clock, r.about, r.episode, r.step, r.part) for r in rows)
    for key, times in once.items():
        if times > 1:
            found.note("double", f"{times} rows of {key}")
    # One entry for each row: a second worker that only wrote the journal twice would show here.
    # What an entry says of no clock (a new report past a command with nobody) is no step.
    said: Counter[Any] = Counter(
        (e.incident_id, e.after["clock"], e.after.get("due_at"), e.at)
        for e in Entry.objects.filter(act__in=_ENTRIES, by=None)
        if "clock" in e.after
    )
    rows_of = Counter((r.incident_id, r.clock, r.due_at.isoformat(), r.fired_at) for r in rows)
    for key in said | rows_of:
        if said[key] > rows_of[key]:
            found.note("double", f"{said[key]} entries for {rows_of[key]} rows of {key}")
        if said[key] < rows_of[key]:
            found.note("missed", f"{said[key]} entries for {rows_of[key]} rows of {key}")
    _moves(found, cases)


def _moves(found: Counts, cases: dict[UUID, Incident]) -> None:
    """Every move is one row, one change of custody and one entry, and each begins where the one before it ended."""
    handed = Escalation.objects.filter(kind__in=_MOVED, to_command__isnull=False)
    by_people = Counter(handed.filter(clock="").values_list("incident", flat=True))
    by_kind = Counter(handed.exclude(clock="").values_list("incident", "kind"))
    said = Counter(Entry.objects.filter(act=Act.AUTO_ESCALATE).values_list("incident", flat=True))
    moves: Counter[UUID] = Counter()
    for key in cases:
        certain, passed = by_kind[(key, "owner_moved")], by_kind[(key, "passed")]
        # What a command was only passed by may be a move, or what it would have been told of.
        if not certain <= said[key] <= certain + passed:
            found.note("double", f"{cases[key].reference}: {said[key]} entries for {certain} and {passed} moves")
        moves[key] = said[key] + by_people[key]
    held: dict[UUID, list[Custody]] = defaultdict(list)
    for custody in Custody.objects.order_by("pk"):
        held[custody.incident_id].append(custody)
    for key, chain in held.items():
        case = cases[key]
        if len(chain) - 1 != moves[key]:
            found.note("double", f"{case.reference} changed hands {len(chain) - 1} times in {moves[key]} moves")
        for before, after in itertools.pairwise(chain):
            if after.from_command_id != before.command_id:
                found.note("double", f"{case.reference} was taken from a command that did not hold it")
        if chain[-1].command_id != case.owner_id:
            found.note("double", f"{case.reference} is not with the command that holds it")


# ---- Who is told ----


def _lost(found: Counts, cases: dict[UUID, Incident], rows: list[Escalation]) -> None:
    told: dict[tuple[Any, ...], set[int | None]] = defaultdict(set)
    notices = Notice.objects.filter(channel=NoticeChannel.INBOX).select_related("entry")
    for notice in notices:
        told[(notice.incident_id, notice.entry.at)].add(notice.recipient_id)
    people: dict[int, list[Posting]] = defaultdict(list)
    for posting in Posting.objects.filter(role__in=ANSWERING, user__is_active=True):
        people[posting.command_id].append(posting)
    for row in rows:
        command = row.from_command if row.kind == EscalationKind.WARNING else row.to_command
        if command is None or row.kind not in (*_TELLS_ITS_TARGET, EscalationKind.WARNING):
            continue
        missing = [
            p.user_id
            for p in people[command.pk]
            if p.starts_at <= row.fired_at and (p.ends_at is None or p.ends_at > row.fired_at)
            if p.user_id not in told[(row.incident_id, row.fired_at)]
        ]
        if missing:
            found.note("lost", f"{cases[row.incident_id].reference} {row.clock} {row.kind}: {missing} not told")
    unaccounted = Q(status=NoticeStatus.PENDING, next_try_at=None) | Q(status=NoticeStatus.SENT, sent_at=None)
    unaccounted |= Q(status=NoticeStatus.DEAD, last_error="") | Q(status=NoticeStatus.DIGEST, sent_with=None)
    for notice in Notice.objects.exclude(channel=NoticeChannel.INBOX).filter(unaccounted):
        found.note("lost", f"notice {notice.pk} is {notice.status} and nothing says when or why")


# ---- Clocks ----


def _orphans(found: Counts, cases: dict[UUID, Incident]) -> None:
    live: dict[UUID, list[Clock]] = defaultdict(list)
    for clock in Clock.objects.filter(state__in=_LIVE):
        live[clock.incident_id].append(clock)
    for case in cases.values():
        clocks = live[case.pk]
        if not case.is_open:
            for clock in clocks:
                if not (clock.kind == ClockKind.LEGAL and case.state == State.RESOLVED):
                    found.note("orphans", f"{case.reference} is {case.state} and {clock} goes on")
            continue
        if not clocks:
            found.note("orphans", f"{case.reference} is open and nothing is due")
            continue
        going = [(c.kind == ClockKind.LEGAL, c.deadline_at) for c in clocks if c.state != ClockState.PAUSED]
        _is_legal, due = min(going, default=(False, None))
        if due and case.next_due_at != due:
            found.note("orphans", f"{case.reference} says {case.next_due_at} and its clocks {due}")
        # Who accepts what nobody acknowledged has taken it up as well.
        is_taken = case.custodies.order_by("-pk").values_list("accepted_at", flat=True)[0] is not None
        asks = (ClockKind.ACKNOWLEDGE, ClockKind.REVIEW)
        if case.state == State.REPORTED and not is_taken and not any(c.kind in asks for c in clocks):
            found.note("orphans", f"{case.reference} waits for nobody to acknowledge it")


# ---- People's acts ----


def _acts(found: Counts, diaries: dict[str, dict[str, Any]]) -> None:
    """Every act people heard succeed is in the journal exactly once, none that was refused, and none they never did."""
    kept = Counter(
        word for note in Entry.objects.filter(note__startswith="chaos ").values_list("note", flat=True)
        if (word := note.split()[1])
    )  # fmt: skip
    for mark, row in diaries.items():
        times = kept.pop(mark, 0)
        if row["said"] == "ok":
            found.acts_told += 1
            found.acts_kept += times == 1
            if times != 1:
                found.problems.append(f"{row['act']} of {row['case']} succeeded and is {times} times in the journal")
        elif row["said"] == "no":
            found.refused += 1
            if times:
                found.problems.append(f"{row['act']} of {row['case']} was refused and is in the journal")
        else:
            found.unheard += 1
            if times > 1:
                found.problems.append(f"{row['act']} of {row['case']} is {times} times in the journal")
    found.problems += [f"{mark} is in the journal and nobody did it" for mark in kept]


# ---- Journal and tallies ----


def _records(found: Counts, cases: dict[UUID, Incident], now: dt.datetime) -> None:
    versions: dict[UUID | None, list[int]] = defaultdict(list)
    for key, version in Entry.objects.filter(incident__in=cases).order_by("pk").values_list("incident", "version"):
        versions[key].append(version)
    for key, case in cases.items():
        if versions[key] != list(range(1, case.version + 1)):
            found.problems.append(f"{case.reference} is at {case.version} and its entries at {versions[key]}")
    journal.seal_backlog(now)
    verdict = journal.verify(now, backlog=dt.timedelta(days=3650))
    found.problems += [f"journal: {finding}" for finding in verdict.findings]
    found.problems += [f"tallies: {difference}" for difference in tallies.differences()]
