"""A batch of due cases: claimed, read in a few queries, decided one by one, written with one statement a table.

Every case is held by its row lock from the claim to the commit; what another holds is left to the next batch. All of a
batch commits or nothing: steps, entries, custody, clocks, notices and the case itself.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from elections.models import Election
from incidents import append_only, bulk
from incidents.bell import wake_after
from incidents.choices import OPEN, Act, Channel, ClockKind, State
from incidents.delivery.notices import hook_rows, rows_for
from incidents.escalation.chains import Chain, Chains
from incidents.escalation.claims import Case, claim, clocks_of, rules_of_all
from incidents.escalation.decide import Course, Happening, Ticking, played, shown
from incidents.escalation.telling import Told
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
)
from incidents.policies import Rules, targets_at

#: A case fires at most this many steps in one batch: more than any ladder has, so that no case keeps others waiting.
STEPS_AT_MOST = 60
K = EscalationKind
_ACT = {
    K.WARNING: Act.WARN,
    K.OWNER_MOVED: Act.AUTO_ESCALATE,
    K.NEXT_TOLD: Act.INFORM,
    K.EXHAUSTED: Act.INFORM,
    K.RESUMED: Act.RESUME,
}


@dataclass
class Done:
    """What a batch did."""

    claimed: int = 0
    fired: int = 0
    moved: int = 0
    late_seconds: float = 0.0


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
    alone: int | None = None,
) -> Done:
    """Claim, play and write one batch in one transaction; only of `keys` where given.

    `catching_up`: after an outage, who is passed over is told once for all of it, and not here. `alone`: the key of the
    only clock that goes; the others of its case stand still.
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
            if alone is not None:
                for clock in clocks[case.key]:
                    clock.is_held = clock.is_held or clock.key != alone
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
        first = shown(course.clocks) if case.state in OPEN else None
        self._cases.append(
            (
                case.key, case.owner, case.rung, case.highest_rung, case.is_accepted,
                self._text(first.deadline_at if first else None), first.kind if first else "",
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
        if not case.is_sealed and told.commands and self.chains.hooks:
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
            wake_after("incidents.deliver")
