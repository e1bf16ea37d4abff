"""Since when a step of a rule could fire, and what explains that it came later: for one case as for a whole week.

An act that times clocks anew may put a step into the past, and nobody was late before it. Where the clock it replaced
was waiting for the engine already, that wait goes on: no act of a person forgives it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils.dateparse import parse_datetime

from incidents.choices import Act, ClockKind
from incidents.lifecycle import ENGINE_ACTS, TIMES_ANEW
from incidents.models import Clock, Entry, Escalation, EscalationKind

#: What `Fired` needs of an `Escalation`, in its order.
FIELDS = ("incident", "clock", "about", "episode", "due_at", "fired_at")
#: What the engine itself times anew lies ahead of the moment it follows from.
_SET_ANEW = tuple(TIMES_ANEW - ENGINE_ACTS)


class Fired(NamedTuple):
    """A step of a rule, of which clock, and when it was due and fired."""

    incident: UUID
    clock: str
    about: int
    episode: int
    due_at: dt.datetime
    fired_at: dt.datetime


def patience() -> dt.timedelta:
    """A step that fires within this after its moment is in time: the engine looks every quarter of a minute."""
    return dt.timedelta(seconds=settings.ENGINE_STALE_SECONDS)


def is_late(since: dt.datetime, fired_at: dt.datetime) -> bool:
    return fired_at - since > patience()


def explains(started_at: dt.datetime, ended_at: dt.datetime, since: dt.datetime, fired_at: dt.datetime) -> bool:
    """Whether an outage is why a step that could fire `since` then did so late: it was to fire while that lasted."""
    return started_at - patience() <= since < ended_at <= fired_at


def could_fire(steps: Sequence[Fired]) -> list[dt.datetime]:
    """Since when each of `steps` could fire: its moment, or when that was set. One query, three where something was."""
    if not steps:
        return []
    pasts: dict[UUID, _Past] = defaultdict(_Past)
    acts = Entry.objects.filter(
        incident__in={s.incident for s in steps},
        act__in=_SET_ANEW,
        at__gt=min(s.due_at for s in steps),
        at__lte=max(s.fired_at for s in steps),
    )
    for case, at, act, after in acts.order_by("pk").values_list("incident", "at", "act", "after"):
        pasts[case].acts[at] = act, after
    if pasts:
        _read(pasts)
    set_at = [pasts[s.incident].set_at((s.clock, s.about, s.episode)) if s.incident in pasts else None for s in steps]
    return [max(step.due_at, at or step.due_at) for step, at in zip(steps, set_at, strict=True)]


#: Kind, what it is about, episode: one clock of a case.
_Key = tuple[str, int, int]
_MOVES = (EscalationKind.OWNER_MOVED, EscalationKind.PASSED)


class _Row(NamedTuple):
    """A clock as it stands in its table."""

    step: int
    anchor_at: dt.datetime
    deadline_at: dt.datetime
    fires_at: dt.datetime
    stopped_at: dt.datetime | None


def _read(pasts: Mapping[UUID, _Past]) -> None:
    clocks = Clock.objects.filter(incident__in=pasts)
    for case, kind, about, episode, *row in clocks.values_list("incident", "kind", "about", "episode", *_Row._fields):
        pasts[case].clocks[kind, about, episode] = _Row(*row)
    kept = Escalation.objects.filter(incident__in=pasts, part=0).exclude(clock="")
    for case, clock, about, episode, due_at, at, step, kind in kept.values_list(*FIELDS, "step", "kind"):
        past = pasts[case]
        past.fired[clock, about, episode, step] = at
        if kind in _MOVES:
            past.moves[due_at] = clock, about, episode


@dataclass
class _Past:
    """Of one case: acts that time anew by their moments, clocks, and when which step fired.

    `moves`: clocks that moved the case, by when that was due.
    """

    acts: dict[dt.datetime, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    clocks: dict[_Key, _Row] = field(default_factory=dict)
    fired: dict[tuple[str, int, int, int], dt.datetime] = field(default_factory=dict)
    moves: dict[dt.datetime, _Key] = field(default_factory=dict)

    def set_at(self, key: _Key) -> dt.datetime | None:
        """Before when no step of a clock could fire, because nobody had set its moments; None where no act set them."""
        clock, replaced = self.clocks.get(key), self._before(key)
        if clock is None:
            return None
        begun = self._begun(key, clock)
        if begun is not None:
            return begun
        if replaced is not None:
            row = self.clocks[replaced]
            ended, due = row.stopped_at or row.fires_at, row.fires_at
            return ended if self._was_done(replaced) else min(ended, max(due, self.set_at(replaced) or due))
        # A new owner's own clock runs from when the case was to move there: it was set together with that move.
        moved = self.moves.get(clock.anchor_at)
        return self.set_at(moved) if moved is not None else None

    def _before(self, key: _Key) -> _Key | None:
        """The clock whose place this one took by an act that timed it anew."""
        kind, about, episode = key
        before = self.clocks.get((kind, about, episode - 1))
        if before is None or before.stopped_at not in self.acts:
            return None
        fired_at = self.fired.get((kind, about, episode - 1, before.step))
        # Of two at the same moment the engine ended a clock that fired then.
        return (kind, about, episode - 1) if fired_at is None or fired_at < before.stopped_at else None

    def _was_done(self, key: _Key) -> bool:
        """Whether a clock that was replaced waited for nothing: all its steps had fired."""
        if (*key, self.clocks[key].step) in self.fired:
            return True
        # What had fired all its steps stays so under another version of the policy, and no other way.
        before = self._before(key)
        ended = before and self.clocks[before].stopped_at
        return bool(before and ended and self.acts[ended][0] == Act.REBASE and self._was_done(before))

    def _begun(self, key: _Key, clock: _Row) -> dt.datetime | None:
        """When an act started a clock that took no other's place, from a moment that had passed."""
        kind, about, episode = key
        for at, (act, after) in self.acts.items():
            if act == Act.REFER and kind == ClockKind.LEGAL:
                if episode == 1 and clock.deadline_at == parse_datetime(after.get("due_at", "")):
                    return at
            elif act == Act.REBASE and kind == ClockKind.UPDATE and after.get("clocks", 0) > self._ended_at(at):
                # A version that asks for further updates counts them from the last one there was.
                before = self.clocks.get((kind, about, episode - 1))
                is_later = before is not None and (before.stopped_at is None or before.stopped_at > at)
                if not is_later and (clock.stopped_at is None or clock.stopped_at > at) and clock.anchor_at < at:
                    return at
        return None

    def _ended_at(self, at: dt.datetime) -> int:
        return sum(row.stopped_at == at for row in self.clocks.values())
