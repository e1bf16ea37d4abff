"""When an election enters its next phase, the deadlines of open cases are timed anew, once, in batches.

A shorter target holds from the beginning of the phase: the deadline becomes that moment plus the new target, where this
is earlier. A longer one leaves running deadlines alone. All of it follows from the calendar, not from when a tick runs.
The silence-day rules shorten the time to acknowledge of medium cases in the same way (domain 3.3).
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet

from elections import calendar
from elections.choices import Phase
from elections.models import Election
from incidents import bulk
from incidents.choices import OPEN, Act, Channel, ClockKind, Severity
from incidents.escalation.claims import clocks_of, rules_of_all
from incidents.escalation.decide import Ticking, shown, tighten
from incidents.escalation.turnings import entered_since, local_places, moments
from incidents.models import Clock, ClockState, EngineRun, Entry, Incident, Policy
from incidents.policies import Rules, targets_at

log = logging.getLogger(__name__)

BATCH = {"postgresql": 1_000, "sqlite": 200}
#: A calendar that an administrator changes is read again after so long at most.
LOOK_AGAIN = dt.timedelta(hours=1)
_TAKING = (ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT)
#: What waited for a case that somebody was acting on.
SOON = dt.timedelta(seconds=5)


# ---- The pass over the cases ----


def moments_between(first: dt.datetime, last: dt.datetime) -> list[dt.datetime]:
    """Every moment from `first` to `last` at which clocks of open cases are timed anew, in order."""
    found: set[dt.datetime] = set()
    for election in Election.objects.filter(is_locked=False):
        found |= {t for t in moments(election, _hours(_rules_in_use(election))) if first <= t <= last}
    return sorted(found)


def first_report(until: dt.datetime) -> dt.datetime:
    """When the oldest open case was reported, or `until`: where the calendar begins for an engine that never ran."""
    oldest = Incident.objects.filter(state__in=OPEN).aggregate(at=Min("reported_at"))["at"]
    return min(oldest or until, until)


@dataclass(frozen=True)
class Passed:
    """When to look again, and whether time was over before all was timed: then some of it was, in every pass."""

    looks_at: dt.datetime
    is_cut_off: bool


def pass_to(
    until: dt.datetime,
    now: dt.datetime,
    run: EngineRun,
    end: float | None = None,
    again: dt.timedelta = LOOK_AGAIN,
) -> Passed:
    """Time anew every open case whose phase is another at `until`. `end`: of the monotonic clock.

    What could not be timed (a target is missing) keeps its deadlines, is logged and named in `run`: the engine goes on.
    """
    looks, is_cut_off = [until + again], False
    for election in Election.objects.filter(is_locked=False):
        rules = _rules_in_use(election)
        if not rules:
            continue
        going = _Pass(election, until, now, run, end, rules)
        if not going.through():
            looks.append(until + SOON)
        is_cut_off = is_cut_off or going.is_cut_off
        looks += [moment for moment in moments(election, _hours(rules)) if moment > until]
    return Passed(min(looks), is_cut_off)


def _rules_in_use(election: Election) -> dict[int, Rules]:
    """Of the policies that open cases of the election run under."""
    used = Policy.objects.filter(Q(election=election) | Q(election=None))
    keys = [
        key
        for key in used.values_list("pk", flat=True)
        if Incident.objects.filter(election=election, policy=key, state__in=OPEN).exists()
    ]
    return rules_of_all(keys)


def _hours(rules: Mapping[int, Rules]) -> set[int]:
    return {r.tight_from_hour for r in rules.values()}


@dataclass
class _Pass:
    """Of one election, to `until`."""

    election: Election
    until: dt.datetime
    now: dt.datetime
    run: EngineRun
    end: float | None
    rules: dict[int, Rules]
    #: Time was over while cases were left; otherwise what is left is held by somebody who acts on it.
    is_cut_off: bool = False
    _timed: int = 0
    _changes: dict[str, list[calendar.Change]] = field(default_factory=dict)
    _failed: set[Any] = field(default_factory=set)

    def through(self) -> bool:
        """All batches; False where something is left for a later tick."""
        is_whole = True
        for condition in (self._in_another_phase(), *self._tight()):
            waiting = Incident.objects.filter(condition, election=self.election, state__in=OPEN)
            while not (is_over := self._is_over()) and self._batch(waiting):
                pass
            if waiting.exclude(pk__in=self._failed).exists():
                is_whole = False
                if is_over:
                    self.is_cut_off = True
                    return False
        return is_whole

    def _is_over(self) -> bool:
        """Whether time is over. Never before one case was timed: a pass that times none is begun again for ever."""
        return self.end is not None and self._timed > 0 and time.monotonic() >= self.end

    def _in_another_phase(self) -> Q:
        condition, smaller = Q(pk__in=[]), Q(pk__in=[])
        for place in (*local_places(self.election), ""):
            here = Q(place__pcode__startswith=place) if place else Q()
            phase = calendar.phase_at(self.election, self.until, place)
            condition |= here & ~smaller & ~Q(clock_phase=phase)
            smaller |= here
        return condition

    def _tight(self) -> Iterator[Q]:
        """Medium cases that may wait longer for somebody to take them than the silence-day rules let them.

        Each place is asked by its own calendar alone, as `_tighten` times it: a case that one condition finds and the
        other leaves as it is would be found again in every batch.
        """
        for rules in self.rules.values():
            smaller = Q(pk__in=[])
            for place in (*local_places(self.election), ""):
                here = Q(place__pcode__startswith=place) if place else Q()
                start = self._tight_since(rules, place)
                if start is not None:
                    latest = start + dt.timedelta(minutes=rules.tight_medium_minutes)
                    slow = Clock.objects.filter(
                        kind__in=_TAKING, state=ClockState.RUNNING, anchor_at__lt=start, deadline_at__gt=latest
                    )
                    medium = Q(policy=rules.key, severity=Severity.MEDIUM, pk__in=slow.values("incident"))
                    yield here & ~smaller & medium
                smaller |= here

    def _tight_since(self, rules: Rules, place: str) -> dt.datetime | None:
        spans = calendar.tight_spans(self.election, rules.tight_from_hour, place)
        return next((start for start, end in spans if start <= self.until < end), None)

    def _batch(self, waiting: QuerySet[Incident]) -> int:
        """Time some of them anew, in one transaction; how many were taken."""
        skip = connection.features.has_select_for_update_skip_locked
        names = ("pk", "severity", "policy", "clock_phase", "version", "place", "reported_at", "owner")
        with transaction.atomic():
            rows = list(
                waiting.exclude(pk__in=self._failed)
                .select_for_update(skip_locked=skip)
                .order_by("pk")
                .values_list(*names)[: BATCH[connection.vendor]]
            )
            clocks = clocks_of([row[0].hex for row in rows], self.now)
            written = _Retimed(self.now)
            for row in rows:
                try:
                    self._retime(row, clocks[row[0].hex], written)
                    self._timed += 1
                except (ValidationError, KeyError) as fault:
                    self._failed.add(row[0])
                    self.run.error = f"{type(fault).__name__}: {fault}"[:500]
                    log.error("The deadlines of %s could not be timed by the new phase: %s", row[0], fault)
            written.write()
        return len(rows)

    def _retime(self, row: Sequence[Any], clocks: list[Ticking], written: _Retimed) -> None:
        key, severity, policy, phase, version, place, reported_at, owner = row
        rules = self.rules[policy]
        current = calendar.phase_at(self.election, self.until, place)
        moved: dict[str, str] = {}
        for since, entered in entered_since(self._changes_at(place), phase, reported_at, self.until):
            targets = targets_at(rules, self.election, entered, severity, place, since)
            for clock in clocks:
                minutes = targets.of(clock.kind)
                if minutes is not None and tighten(clock, since, minutes, rules):
                    moved[clock.kind] = clock.deadline_at.isoformat()
        if severity == Severity.MEDIUM:
            moved |= self._tighten(clocks, rules, place)
        written.add(key.hex, clocks, phase, current, version, moved, owner)

    def _tighten(self, clocks: list[Ticking], rules: Rules, place: str) -> dict[str, str]:
        since = self._tight_since(rules, place)
        if since is None:
            return {}
        return {
            clock.kind: clock.deadline_at.isoformat()
            for clock in clocks
            if clock.kind in _TAKING
            and clock.anchor_at < since
            and tighten(clock, since, rules.tight_medium_minutes, rules)
        }

    def _changes_at(self, place: str) -> list[calendar.Change]:
        nearest = next((p for p in local_places(self.election) if place.startswith(p)), "")
        if nearest not in self._changes:
            self._changes[nearest] = calendar.changes(self.election, nearest)
        return self._changes[nearest]


@dataclass
class _Retimed:
    """The rows of a batch."""

    now: dt.datetime
    _cases: list[tuple[Any, ...]] = field(default_factory=list)
    _phases: list[tuple[Any, ...]] = field(default_factory=list)
    _clocks: list[tuple[Any, ...]] = field(default_factory=list)
    _entries: list[tuple[Any, ...]] = field(default_factory=list)

    def add(
        self,
        key: str,
        clocks: list[Ticking],
        before: str,
        phase: Phase,
        version: int,
        moved: dict[str, str],
        owner: int,
    ) -> None:
        if not moved:
            self._phases.append((key, str(phase.value)))
            return
        first = shown(clocks)
        assert first is not None  # noqa: S101  one of them was moved just now
        self._cases.append(
            (key, phase.value, bulk.moment(first.deadline_at), first.kind, version + 1, bulk.moment(self.now))
        )
        self._clocks += [
            (c.key, bulk.moment(c.anchor_at), c.target_minutes, bulk.moment(c.deadline_at), bulk.moment(c.fires_at))
            for c in clocks
            if c.is_changed
        ]
        said = json.dumps({"clock_phase": phase.value, "deadlines": moved})
        self._entries.append((key, owner, json.dumps({"clock_phase": before}), said, version + 1))

    def write(self) -> None:
        bulk.insert(
            Entry,
            ("incident_id", "command_id", "before", "after", "version"),
            self._entries,
            act=Act.RETIME.value,
            at=bulk.moment(self.now),
            channel=Channel.ENGINE.value,
        )
        bulk.update(Clock, ("anchor_at", "target_minutes", "deadline_at", "fires_at"), self._clocks)
        bulk.update(Incident, ("clock_phase",), self._phases)
        bulk.update(Incident, ("clock_phase", "next_due_at", "next_due_kind", "version", "updated_at"), self._cases)
