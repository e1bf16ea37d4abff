"""Who hears of what happened to one case in one tick: everybody once, of the thing that concerns them most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from incidents.choices import Severity
from incidents.escalation.chains import Chain, Chains
from incidents.escalation.claims import Case
from incidents.escalation.decide import Happening, Level
from incidents.models import EscalationKind

K = EscalationKind


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
