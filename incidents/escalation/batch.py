"""A batch of due cases: claimed, read in a few queries, decided one by one, written with one statement a table.

Every case is held by its row lock from the claim to the commit; what another holds is left to the next batch. All of a
batch commits or nothing: steps, entries, custody, clocks, notices and the case itself.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from elections.models import Election
from incidents import append_only, bulk
from incidents.choices import OPEN, Act, Channel, ClockKind, Severity, State
from incidents.delivery.notices import hook_rows, rows_for
from incidents.escalation.chains import Chain, Chains
from incidents.escalation.decide import Course, Happening, Level, Ticking, played
from incidents.models import (
    Clock,
    Custody,
    EngineRun,
    Entry,
    Escalation,
    EscalationKind,
    Incident,
    Notice,
    NoticeChannel,
    Policy,
)
from incidents.policies import Rules, known_rules, rules_of, targets_at
from incidents.turn import wake

#: A case fires at most this many steps in one tick: more than any ladder has, so only a defect reaches it.
STEPS_AT_MOST = 60
K = EscalationKind
_ACT = {
    K.WARNING: Act.WARN,
    K.OWNER_MOVED: Act.AUTO_ESCALATE,
    K.NEXT_TOLD: Act.INFORM,
    K.EXHAUSTED: Act.INFORM,
    K.RESUMED: Act.RESUME,
}


@dataclass(slots=True)
class Case:
    """A claimed case: the columns the engine reads and writes. `key` as the database's own text of it."""

    key: str
    state: str
    severity: str
    is_sealed: bool
    is_drill: bool
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


@dataclass
class Done:
    """What a batch did."""

    claimed: int = 0
    fired: int = 0
    moved: int = 0
    late_seconds: float = 0.0


# ---- Reading ----

_COLUMNS = """i.state, i.severity, i.is_sealed, i.is_drill, i.owner_id, i.place_id, i.policy_id, i.clock_phase,
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
        row[0], row[1], row[2], bool(row[3]), bool(row[4]), row[5], row[6], row[7], row[8], row[9], row[10],
        row[11], bool(row[12]), None if row[13] is None else bulk.from_text(row[13]), row[14],
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


# ---- Firing ----


def fire(
    now: dt.datetime,
    until: dt.datetime,
    size: int,
    chains: Chains,
    run: EngineRun,
    keys: Sequence[str] | None = None,
    *,
    catching_up: bool = False,
) -> Done:
    """Claim, play and write one batch in one transaction; only of `keys` where given.

    `catching_up`: after an outage, who is passed over is told once for all of it, and not here.
    """
    with transaction.atomic():
        cases = claim(now, until, size, keys)
        if not cases:
            return Done()
        clocks = clocks_of([c.key for c in cases], now)
        rules = rules_of_all(c.policy for c in cases)
        chains.prepare((c.owner for c in cases), {c.place[:6] for c in cases})
        sealed = chains.sealed_chains({c.key: c.owner for c in cases if c.is_sealed})
        written = Written(now, chains, run, catching_up)
        for case in cases:
            chain = sealed[case.key] if case.is_sealed else chains.chain(case.owner, case.place)
            course = _course(case, chain, clocks[case.key], rules[case.policy], chains.elections, until)
            happenings = played(course, until, now, STEPS_AT_MOST)
            written.add(case, chain, course, happenings)
        written.write()
    return Done(len(cases), written.fired, written.moved, written.late_seconds)


def _course(
    case: Case,
    chain: Chain,
    clocks: list[Ticking],
    rules: Rules,
    elections: Mapping[int, Election],
    until: dt.datetime,
) -> Course:
    if case.state == State.RESOLVED:
        for clock in clocks:
            clock.is_held = clock.is_held or clock.kind != ClockKind.LEGAL
    return Course(
        owner=chain.owner,
        chain=chain.above,
        clocks=clocks,
        rules=rules,
        take_over=ClockKind.ACKNOWLEDGE if case.state == State.REPORTED else ClockKind.ACCEPT,
        minutes=targets_at(
            rules, elections[case.election], case.clock_phase, case.severity, case.place, until
        ).acknowledge,
    )


# ---- Writing ----

_ESCALATION = (
    "incident_id",
    "clock",
    "about",
    "episode",
    "step",
    "part",
    "kind",
    "from_command_id",
    "to_command_id",
    "due_at",
)
_ENTRY = ("id", "incident_id", "act", "command_id", "before", "after", "version")
_NOTICE = (
    "incident_id", "recipient_id", "webhook_id", "contact_id", "channel", "kind", "status", "sent_at", "next_try_at",
    "entry_id",
)  # fmt: skip
_CUSTODY = ("incident_id", "command_id", "from_command_id", "reason", "due_at")
_NEW_CLOCK = (
    "incident_id", "kind", "about", "episode", "step", "anchor_at", "target_minutes", "deadline_at", "fires_at",
    "state", "stopped_at",
)  # fmt: skip
_CLOCK = ("step", "anchor_at", "deadline_at", "fires_at", "state", "stopped_at", "paused_at", "paused_seconds")
_CASE = (
    "owner_id", "rung", "highest_rung", "is_accepted", "next_due_at", "next_due_kind", "snoozed_until", "version",
    "updated_at",
)  # fmt: skip


@dataclass
class Written:
    """The rows of a batch, by table, in the order in which things happened."""

    now: dt.datetime
    chains: Chains
    run: EngineRun
    catching_up: bool
    fired: int = 0
    moved: int = 0
    late_seconds: float = 0.0
    rings: bool = False
    _texts: dict[dt.datetime | None, str | None] = field(default_factory=lambda: {None: None})
    _cases: list[tuple[Any, ...]] = field(default_factory=list)
    _clocks: list[tuple[Any, ...]] = field(default_factory=list)
    _new_clocks: list[tuple[Any, ...]] = field(default_factory=list)
    _custodies: list[tuple[Any, ...]] = field(default_factory=list)
    _escalations: list[tuple[Any, ...]] = field(default_factory=list)
    #: Entries without their keys, which are drawn at the end; a notice names its entry by the place in this list.
    _entries: list[tuple[Any, ...]] = field(default_factory=list)
    _notices: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, case: Case, chain: Chain, course: Course, happenings: Sequence[Happening]) -> None:
        """Everything that follows from what happened to one case."""
        first_version = case.version
        told = Told(self.chains, chain, case, self.catching_up)
        for happening in happenings:
            self._step(case, happening)
            told.of(happening, len(self._entries) - 1)
        self._clocks_of(case, course)
        if case.version != first_version:
            self._case(case, course)
        self._notices_of(case, told)

    def _step(self, case: Case, what: Happening) -> None:
        due = self._text(what.due_at)
        sender, target = what.sender, what.target
        # What a command only passed would have been told of was told to nobody: such a row names none.
        is_unsaid = what.kind == K.PASSED and what.act != K.OWNER_MOVED
        to = target.key if target and not is_unsaid else None
        kept = (case.key, what.clock, what.about, what.episode, what.step)
        for part, level in enumerate(what.left_out, 1):
            self._escalations.append((*kept, part, K.VACANT.value, level.key, to, due))
            self._entry(
                case,
                Act.SKIP,
                level.key,
                "{}",
                {"clock": what.clock, "due_at": what.due_at.isoformat(), "left_out": level.key},
            )
        self._escalations.append((*kept, 0, what.kind.value, sender.key, to, due))
        after: dict[str, Any] = {"clock": what.clock, "due_at": what.due_at.isoformat()}
        # By the deed and not by the kind: what only PASSED a command did move there.
        moves = what.act == K.OWNER_MOVED and target is not None
        if what.kind == K.PASSED:
            after["passed"] = True
        if what.kind == K.EXHAUSTED:
            after["exhausted"] = True
        if moves and target is not None:
            after["owner"] = target.key
            self._custodies.append((case.key, target.key, sender.key, what.clock, due))
            case.owner, case.rung = target.key, min(target.height, 3) if not case.is_sealed else 0
            case.highest_rung = max(case.highest_rung, case.rung)
            case.is_accepted = False
            self.moved += 1
        elif target is not None:
            after["told"] = target.key
        if what.left_out:
            after["left_out"] = [level.key for level in what.left_out]
        if what.kind == K.RESUMED:
            case.snoozed_until = None
        before = json.dumps({"owner": sender.key}) if moves else "{}"
        self._entry(case, _ACT[what.act], sender.key, before, after)
        self.fired += 1
        self.late_seconds = max(self.late_seconds, (self.now - what.due_at).total_seconds())

    def _entry(self, case: Case, act: Act, command: int, before: str, after: dict[str, Any]) -> None:
        case.version += 1
        self._entries.append((case.key, act.value, command, before, json.dumps(after), case.version))

    def _case(self, case: Case, course: Course) -> None:
        earliest = course.earliest() if case.state in OPEN else None
        self._cases.append(
            (
                case.key, case.owner, case.rung, case.highest_rung, case.is_accepted,
                self._text(earliest.deadline_at if earliest else None), earliest.kind if earliest else "",
                self._text(case.snoozed_until), case.version, self._text(self.now),
            )
        )  # fmt: skip

    def _clocks_of(self, case: Case, course: Course) -> None:
        text = self._text
        for c in course.clocks:
            if c.key is None:
                self._new_clocks.append(
                    (
                        case.key, c.kind, c.about, c.episode, c.step, text(c.anchor_at), c.target_minutes,
                        text(c.deadline_at), text(c.fires_at), c.state, text(c.stopped_at),
                    )
                )  # fmt: skip
            elif c.is_changed:
                self._clocks.append(
                    (
                        c.key, c.step, text(c.anchor_at), text(c.deadline_at), text(c.fires_at), c.state,
                        text(c.stopped_at), text(c.paused_at), c.paused_seconds,
                    )
                )  # fmt: skip

    def _notices_of(self, case: Case, told: Told) -> None:
        text = self._text
        rows = [
            (row, place)
            for (kind, place), people in told.people().items()
            for row in rows_for(people, kind, self.now, case.severity, self.chains.contacts)
        ]
        if not case.is_sealed and not case.is_drill and told.commands and self.chains.hooks:
            kind, place = told.loudest()
            paths = [self.chains.path_of(key) for key in told.commands]
            rows += [(row, place) for row in hook_rows(paths, kind, self.now, self.chains.hooks)]
        for row, place in rows:
            self.rings = self.rings or row.channel != NoticeChannel.INBOX
            self._notices.append(
                (
                    case.key, row.recipient, row.webhook, row.contact, str(row.channel), row.kind, str(row.status),
                    text(row.sent_at), text(row.next_try_at), place,
                )
            )  # fmt: skip

    def _text(self, at: dt.datetime | None) -> str | None:
        """The text of a moment; of one batch many are the same."""
        found = self._texts.get(at)
        if found is None and at is not None:
            found = self._texts[at] = bulk.moment(at)
        return found

    def write(self) -> None:
        """One statement a table. What ends comes before what begins, or a clock would run twice for a moment."""
        now = self._text(self.now)
        append_only.begin_writing(connection)
        keys = bulk.draw_keys(Entry, len(self._entries)) if self._entries else ()
        bulk.insert(
            Entry, _ENTRY, [(key, *row) for key, row in zip(keys, self._entries, strict=True)],
            at=now, channel=Channel.ENGINE.value,
        )  # fmt: skip
        bulk.insert(Escalation, _ESCALATION, self._escalations, fired_at=now, run_id=self.run.pk)
        bulk.update(Clock, _CLOCK, self._clocks)
        bulk.insert(Clock, _NEW_CLOCK, self._new_clocks)
        bulk.insert(Custody, _CUSTODY, self._custodies, at=now)
        bulk.update(Incident, _CASE, self._cases)
        bulk.insert(Notice, _NOTICE, [(*row[:-1], keys[row[-1]]) for row in self._notices], created_at=now)
        if self.rings:
            transaction.on_commit(partial(wake, "incidents.deliver"), robust=True)


# ---- Who is told ----


class Told:
    """Who hears of what happened to one case in this tick: everybody once, of the thing that concerns them most.

    Domain 3.3: the new owner is asked to act, who lost the case stays informed, of a critical one every rung and the
    NEC are told; nobody left above is said to the owner, to everybody at the top, and to the NEC. A sealed case is told
    to integrity desks alone, and there to nobody who serves at a unit it is about.
    """

    __slots__ = (
        "_case", "_catching_up", "_chain", "_chains", "_exhausted", "_left_out", "_lost", "_move", "_others",
        "commands",
    )  # fmt: skip

    def __init__(self, chains: Chains, chain: Chain, case: Case, catching_up: bool) -> None:
        self._chains, self._chain, self._case, self._catching_up = chains, chain, case, catching_up
        #: Keys of commands told, for their webhooks.
        self.commands: dict[int, None] = {}
        self._move: tuple[Level, int] | None = None
        self._lost: list[Level] = []
        self._left_out = False
        self._others: list[tuple[str, Level, int]] = []
        self._exhausted: int | None = None

    def of(self, what: Happening, place: int) -> None:
        """Take note of one step, whose entry stands at `place`."""
        if what.act == K.OWNER_MOVED and what.target:
            if what.kind == K.OWNER_MOVED:
                self._move = (what.target, place)
            if not self._lost or not self._catching_up:
                self._lost.append(what.sender)
            self._left_out = self._left_out or bool(what.left_out)
        elif what.kind == K.WARNING:
            self._others.append(("warn", what.sender, place))
        elif what.kind == K.NEXT_TOLD and what.target:
            self._others.append(("inform", what.target, place))
        elif what.kind == K.RESUMED:
            self._others.append(("resume", what.sender, place))
        elif what.kind == K.EXHAUSTED:
            self._exhausted = place

    def loudest(self) -> tuple[str, int]:
        """The kind and the entry that webhooks are told of."""
        if self._move:
            return "auto_escalate", self._move[1]
        if self._exhausted is not None:
            return "exhausted", self._exhausted
        kind, _level, place = self._others[0]
        return kind, place

    def people(self) -> Mapping[tuple[str, int], list[int]]:
        """People (keys) by kind of notice and place of its entry; nobody twice."""
        found: dict[tuple[str, int], list[int]] = {}
        seen = set(self._chain.barred)

        def tell(kind: str, place: int, command: int | None, *, everybody: bool = False) -> None:
            if command is None:
                return
            self.commands[command] = None
            people = self._chains.everybody(command) if everybody else self._chains.on_duty(command)
            for person in people:
                if person not in seen:
                    seen.add(person)
                    found.setdefault((kind, place), []).append(person)

        if self._move:
            owner, place = self._move
            tell("skip" if self._left_out else "auto_escalate", place, owner.key)
        if self._exhausted is not None:
            self._tell_of_the_end(tell)
        if self._move:
            for command in self._hearing_of_a_move():
                tell("moved_up", self._move[1], command)
        for kind, level, place in self._others:
            tell(kind, place, level.key)
        return found

    def _hearing_of_a_move(self) -> Iterable[int | None]:
        yield from (level.key for level in self._lost)
        if self._case.severity != Severity.CRITICAL:
            return
        yield from (level.key for level in self._chain.whole)
        if not self._case.is_sealed:
            yield self._chains.secretariat()

    def _tell_of_the_end(self, tell: Any) -> None:
        place = self._exhausted
        tell("exhausted", place, self._case.owner, everybody=True)
        if self._chain.whole:
            tell("exhausted", place, self._chain.whole[-1].key, everybody=True)
        if not self._case.is_sealed:
            tell("exhausted", place, self._chains.secretariat())
