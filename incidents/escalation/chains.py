"""Who owns, what stands above, and who is there, for the cases of a batch: read once for a whole tick.

A tick is one moment, so who is on duty at it is asked once for each command. What changes while the tick runs counts
from the next one on; whoever may not see a case any more is not told anyway, because senders look again.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.models import ContactPoint, SecurityCommand
from elections.models import Election
from incidents.delivery.notices import Hooks, contacts_of, hooks_on
from incidents.escalation.decide import Level
from incidents.models import ConflictSubject
from incidents.routing import (
    LADDER_KINDS,
    answering,
    desk_chain,
    desks,
    further,
    height_of,
    higher,
    in_order,
    nec,
    serving_under,
)


@dataclass(frozen=True, slots=True)
class Chain:
    """Of one case: its owner, what stands above it, and who is to be told at each of them (keys of people)."""

    owner: Level
    above: Sequence[Level]
    #: Every level of the ladder of the place, for what the whole ladder hears of; the desks above for a sealed case.
    whole: Sequence[Level]
    #: People who serve at a unit that a sealed case is about: they count nowhere and are told nothing.
    barred: frozenset[int] = frozenset()


@dataclass
class Chains:
    """What a tick at `now` knows of commands and people; grows with what its batches ask for."""

    now: dt.datetime
    _commands: dict[int, SecurityCommand] = field(default_factory=dict)
    _by_place: dict[str, list[SecurityCommand]] = field(default_factory=dict)
    _on_duty: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _posted: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _contacts: dict[int, Sequence[ContactPoint]] = field(default_factory=dict)
    _open_chains: dict[tuple[str, int], Chain] = field(default_factory=dict)
    _desks: dict[str, SecurityCommand] | None = None
    _nec: tuple[int | None, bool] = (None, False)
    _hooks: Hooks | None = None

    @functools.cached_property
    def elections(self) -> dict[int, Election]:
        """Every election by key; their windows are read when asked for."""
        return {election.pk: election for election in Election.objects.all()}

    # ---- Commands ----

    def prepare(self, owners: Iterable[int], places: Iterable[str]) -> None:
        """Read commands and people of a batch: owners by key, places as P-codes. Few queries, none for known ones."""
        codes = {p[:n] for p in places for n in (2, 4, 6)} - self._by_place.keys()
        if codes:
            for code in codes:
                self._by_place[code] = []
            found = SecurityCommand.objects.active().filter(jurisdiction__in=codes, kind__in=LADDER_KINDS)
            for command in in_order(found):
                self._by_place[command.jurisdiction_id].append(command)
                self._commands[command.pk] = command
        if missing := set(owners) - self._commands.keys():
            self._commands |= SecurityCommand.objects.in_bulk(missing)
        self.secretariat()
        self.ask_people(self._commands)

    def ask_people(self, commands: Iterable[int]) -> None:
        """Who is at these commands, where that was not asked before."""
        if missing := set(commands) - self._on_duty.keys():
            found = answering(missing, self.now)
            for key in missing:
                self._on_duty[key] = tuple(p.pk for p in found.on_duty.get(key, ()))
                self._posted[key] = tuple(p.pk for p in found.posted.get(key, ()))
            people = {p for key in missing for p in (*self._on_duty[key], *self._posted[key])} - self._contacts.keys()
            contacts = contacts_of(people)
            self._contacts |= {person: contacts.get(person, ()) for person in people}

    def path_of(self, key: int) -> str:
        return self._commands[key].path

    def secretariat(self) -> int | None:
        """The key of the NEC's secretariat."""
        if not self._nec[1]:
            found = nec()
            if found:
                self._commands[found.pk] = found
            self._nec = (found.pk if found else None, True)
        return self._nec[0]

    def _level(self, command: SecurityCommand, barred: frozenset[int] = frozenset()) -> Level:
        people = self._on_duty.get(command.pk, ())
        return Level(command.pk, height_of(command), any(p not in barred for p in people))

    # ---- Chains ----

    def chain(self, owner: int, place: str) -> Chain:
        """Of an unsealed case. What is prepared is known; no query."""
        key = (place[:6], owner)
        if key not in self._open_chains:
            command = self._commands[owner]
            ladder = [c for code in (place[:6], place[:4], place[:2]) for c in self._by_place[code]]
            self._open_chains[key] = Chain(
                owner=self._level(command),
                above=[self._level(c) for c in higher(command, ladder)],
                whole=[self._level(c) for c in ladder],
            )
        return self._open_chains[key]

    def sealed_chains(self, cases: Mapping[str, int]) -> dict[str, Chain]:
        """Of sealed cases (key: owner); a query for whom they are about, and one each for who serves there."""
        if not cases:
            return {}
        subjects: dict[str, list[SecurityCommand]] = defaultdict(list)
        rows = ConflictSubject.objects.filter(incident__in=list(cases)).select_related("command")
        for row in rows:
            subjects[row.incident_id.hex].append(row.command)
        if self._desks is None:
            self._desks = desks()
            self._commands |= {d.pk: d for d in self._desks.values()}
        self._commands |= SecurityCommand.objects.in_bulk(set(cases.values()) - self._commands.keys())
        self.ask_people(self._commands)
        return {key: self._sealed(owner, subjects[_hex(key)], self._desks) for key, owner in cases.items()}

    def _sealed(self, owner: int, subjects: Sequence[SecurityCommand], by_path: dict[str, SecurityCommand]) -> Chain:
        barred = frozenset(serving_under([s.path for s in subjects], self.now))
        command = self._commands[owner]
        levels = [self._level(d, barred) for d in further(command, desk_chain(subjects, by_path))]
        return Chain(owner=self._level(command, barred), above=levels, whole=levels, barred=barred)

    # ---- People ----

    def on_duty(self, command: int) -> tuple[int, ...]:
        """Keys of who is told at a command."""
        return self._on_duty.get(command, ())

    def everybody(self, command: int) -> tuple[int, ...]:
        """Keys of who answers at a command, on duty or not."""
        return self._posted.get(command, ())

    @property
    def contacts(self) -> Mapping[int, Sequence[ContactPoint]]:
        """Addresses of everybody who was asked for."""
        return self._contacts

    @property
    def hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = hooks_on()
        return self._hooks


def _hex(key: Any) -> str:
    return str(key).replace("-", "")
