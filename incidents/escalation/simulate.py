"""What a policy would have done: past or made-up cases played through the engine's own `Course`, counted.

Pure: plain rows in, counts out, no clock, and no database but the windows of an election that its object has read; the
same seed gives the same answer. Phases that begin while a case is open time it anew, as the engine does. Kept out on
purpose: pauses.
"""

from __future__ import annotations

import datetime as dt
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from elections import calendar
from elections.choices import IN_USE, Phase
from elections.models import Election
from incidents.choices import ClockKind, Severity
from incidents.deadlines import Targets, opening_clocks
from incidents.escalation import turnings
from incidents.escalation.decide import Course, Happening, Level, Ticking, above_of, nearest
from incidents.escalation.turnings import Turning
from incidents.models import EscalationKind
from incidents.policies import Rules, targets_at

#: Nobody looks further ahead: a low case has a month to be resolved.
HORIZON = dt.timedelta(days=30)
#: The end of a play is in it.
_MOMENT = dt.timedelta(microseconds=1)
_EVER = dt.datetime.min.replace(tzinfo=dt.UTC)
PROVINCE, PSC = 2, 3
_HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """When people acted, in minutes. `takes[n]`: how long the n-th owner needs to acknowledge or accept, None never.

    Of a past case `taken_at` counts from the report whoever owned it, and so do the later acts; of a made-up one there
    is none, and the later acts count from when it was taken.
    """

    takes: tuple[float | None, ...]
    taken_at: float | None = None
    is_past: bool = False
    updates: tuple[float, ...] = ()
    contained: float | None = None
    resolved: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One report: `levels` is the ladder of its place, lowest first; `hour` the local hour it came in."""

    at: dt.datetime
    hour: int
    phase: str
    severity: str
    levels: tuple[Level, ...]
    response: Response
    #: What people do later is not known: an open case is played up to here.
    until: dt.datetime | None = None
    #: Whose calendar times it, at which P-code; None: the phase of its report lasts.
    election: Election | None = None
    place: str = ""


@dataclass(slots=True)
class Result:
    """What a policy did with all the cases. `load` counts what arrives at a command in an hour: cases, moves, words.

    `came_up[height]`: cases a step moved to a command so high; `told[height]`: cases it was told of and did not get.
    """

    cases: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    by_clock: Counter[tuple[str, str]] = field(default_factory=Counter)
    moved: int = 0
    came_up: Counter[int] = field(default_factory=Counter)
    told: Counter[int] = field(default_factory=Counter)
    exhausted: int = 0
    #: How often such an alarm was said again until somebody came; in no load, or it would hide all else.
    repeats: int = 0
    untaken: int = 0
    left_out: int = 0
    load: Counter[tuple[int, dt.datetime]] = field(default_factory=Counter)

    @property
    def fired(self) -> int:
        return sum(self.steps.values())

    def busiest(self, most: int = 10) -> list[tuple[int, dt.datetime, int]]:
        """The fullest hour of each command, the fullest first: (command, hour, how much)."""
        fullest: dict[int, tuple[int, dt.datetime]] = {}
        for (command, hour), count in self.load.items():
            if command not in fullest or (-count, hour) < (-fullest[command][0], fullest[command][1]):
                fullest[command] = (count, hour)
        rows = sorted(fullest.items(), key=lambda row: (-row[1][0], row[1][1], row[0]))
        return [(command, hour, count) for command, (count, hour) in rows[:most]]

    def fullest(self) -> int:
        """The most that arrives at any command in any hour."""
        return max(self.load.values(), default=0)

    def by_hour(self, commands: Iterable[int]) -> Counter[dt.datetime]:
        """What arrives at these commands together, by hour."""
        wanted, found = set(commands), Counter[dt.datetime]()
        for (command, hour), count in self.load.items():
            if command in wanted:
                found[hour] += count
        return found


def run(cases: Iterable[Case], rules: Rules) -> Result:
    """Play every case under `rules`. Raises ValidationError where the policy lacks a target or a clock."""
    result, calendars = Result(), _Calendars(rules)
    for case in cases:
        _Play(case, rules, result, calendars.ahead(case)).go()
    return result


class _Calendars:
    """The turnings of every calendar in play, each worked out once; places without windows of their own share one."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[tuple[int, str, str], list[Turning]] = {}
        self._local: dict[int, list[str]] = {}

    def ahead(self, case: Case) -> list[Turning]:
        """What the calendar does to the clocks of `case` after its report, soonest first."""
        election = case.election
        if election is None:
            return []
        if election.pk not in self._local:
            self._local[election.pk] = turnings.local_places(election)
        place = next((p for p in self._local[election.pk] if case.place.startswith(p)), "")
        key = (election.pk, place, case.severity)
        if key not in self._known:
            self._known[key] = turnings.ahead(election, self._rules, case.severity, place, _EVER)
        known = self._known[key]
        return known[bisect_right(known, case.at, key=lambda turning: turning.at) :]


def is_tight(phase: str, hour: int, rules: Rules) -> bool:
    """Whether the tighter rules of the silence day hold for a report of that local hour (domain 3.3)."""
    return phase in IN_USE or (phase == Phase.SILENCE and hour >= rules.tight_from_hour)


class _Play:
    """One case under one policy: the engine's steps and people's acts in the order of their times."""

    def __init__(self, case: Case, rules: Rules, result: Result, ahead: Sequence[Turning]) -> None:
        self.case, self.rules, self.result = case, rules, result
        self.end = min(case.at + HORIZON, case.until or case.at + HORIZON)
        self.targets = self._first_targets()
        #: What the calendar does while the case is open; the next one is `ahead[turned]`.
        self.ahead, self.turned = ahead, 0
        minutes = opening_clocks(case.severity, self.targets)
        owner = self._first_owner()
        self.course = Course(
            owner=owner,
            chain=above_of(case.levels, owner),
            clocks=[],
            rules=rules,
            take_over=ClockKind.ACKNOWLEDGE,
            minutes=minutes.get(ClockKind.ACKNOWLEDGE, self.targets.acknowledge),
        )
        self.course.clocks = [self.course.new_clock(kind, m, case.at) for kind, m in minutes.items()]
        self.owners = self.moves = 0
        self.is_taken = False
        self.heard: set[int] = set()
        self.owned: set[int] = set()
        self.take: dt.datetime | None = None
        #: What people do after they took it, latest first.
        self.later: list[tuple[dt.datetime, str]] = []

    def _first_targets(self) -> Targets:
        case, rules = self.case, self.rules
        if case.election is not None:
            return targets_at(rules, case.election, case.phase, case.severity, case.place, case.at)
        found = rules.targets(case.phase, case.severity)
        if case.severity == Severity.MEDIUM and is_tight(case.phase, case.hour, rules):
            return replace(found, acknowledge=min(found.acknowledge, rules.tight_medium_minutes))
        return found

    def _first_owner(self) -> Level:
        levels = self.case.levels
        if self.case.severity == Severity.CRITICAL:
            levels = tuple(level for level in levels if level.height >= PROVINCE) or levels
        staffed, left_out = nearest(levels)
        self.result.left_out += len(left_out)
        return staffed or levels[0]

    def go(self) -> None:
        self.result.cases += 1
        self._arrives(self.course.owner, self.case.at)
        if self.case.severity == Severity.CRITICAL:
            for level in self.case.levels:
                if level.key != self.course.owner.key:
                    self._arrives(level, self.case.at)
        if self.case.response.is_past:
            self._plan(self.case.at)
        self._await_take(self.case.at)
        while self._next():
            pass
        # What nobody stopped rings to the end.
        self._count_repeats(self.course.clocks, self.end + _MOMENT)
        self.result.untaken += not self.is_taken
        self.result.moved += self.moves > 0
        self.result.came_up.update(self.owned)
        self.result.told.update(self.heard - self.owned)

    # ---- What comes next ----

    def _next(self) -> bool:
        """The next thing that happens, a person before a step of the same moment; False at the end."""
        person = min((at for at in (self.take, self.later[-1][0] if self.later else None) if at), default=None)
        clock = self.course.due(self.end)
        if self._turns_before(person, clock):
            return True
        if person is not None and person <= self.end and (clock is None or person <= clock.fires_at):
            return self._act(person)
        if clock is None:
            return False
        happening = self.course.fire(clock, clock.fires_at)
        if happening is not None:
            self._happened(happening, clock)
        return True

    def _happened(self, happening: Happening, clock: Ticking) -> None:
        kind, target, at = happening.kind, happening.target, happening.due_at
        self.result.steps[kind] += 1
        self.result.by_clock[happening.clock, kind] += 1
        self.result.left_out += len(happening.left_out)
        if kind == EscalationKind.OWNER_MOVED and target is not None:
            self.moves += 1
            self.owned.add(target.height)
            self.owners += 1
            self._await_take(at)
        elif kind == EscalationKind.NEXT_TOLD and target is not None:
            self.heard.add(target.height)
        elif kind == EscalationKind.EXHAUSTED:
            self.result.exhausted += 1
            # Nothing but its end changes an alarm that rings: it is set aside, and what it says again counted then.
            clock.is_held = clock.step >= len(self.rules.steps(clock.kind))
        self._arrives(target if target is not None else happening.sender, at)

    def _turns_before(self, person: dt.datetime | None, clock: Ticking | None) -> bool:
        """Let the calendar time the clocks anew where that comes next. What is due at that very moment comes first."""
        if self.turned == len(self.ahead):
            return False
        turning = self.ahead[self.turned]
        others = [at for at in (person, clock.fires_at if clock else None) if at is not None]
        if turning.at > self.end or turning.at >= min(others, default=self.end):
            return False
        self.turned += 1
        self.targets = turning.targets
        self.course.enter(turning.at, turning.targets)
        return True

    def _count_repeats(self, clocks: Iterable[Ticking], until: dt.datetime) -> None:
        """What the alarms among `clocks` said again before `until`, when somebody came or the play ended."""
        for clock in clocks:
            if clock.is_held and clock.fires_at < until:
                pause = dt.timedelta(minutes=self.rules.repeat_every(clock.kind))
                # At `until` itself the person comes first.
                self.result.repeats += -((clock.fires_at - until) // pause)

    def _arrives(self, level: Level, at: dt.datetime) -> None:
        self.result.load[level.key, at.replace(minute=0, second=0, microsecond=0)] += 1

    # ---- People ----

    def _await_take(self, at: dt.datetime) -> None:
        """When the present owner takes the case up, having got it at `at`."""
        response = self.case.response
        if response.is_past and not self.is_taken:
            self.take = None if response.taken_at is None else self.case.at + dt.timedelta(minutes=response.taken_at)
            return
        needs = response.takes[min(self.owners, len(response.takes) - 1)] if response.takes else None
        self.take = None if needs is None else at + dt.timedelta(minutes=needs)

    def _act(self, at: dt.datetime) -> bool:
        if self.take is not None and self.take == at:
            self.take = None
            self._stop(at, ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT)
            if not self.is_taken:
                self.is_taken = True
                self.course.take_over, self.course.minutes = ClockKind.ACCEPT, self.targets.acknowledge
                if not self.case.response.is_past:
                    self._plan(at)
            return True
        what = self.later.pop()[1]
        if what == "update":
            self._stop(at, ClockKind.FIRST_UPDATE, ClockKind.UPDATE)
            if self.targets.update_every and self.case.severity == Severity.CRITICAL:
                self._start(ClockKind.UPDATE, self.targets.update_every, at)
        elif what == "contain":
            self._stop(at, ClockKind.CONTAIN, ClockKind.FIRST_UPDATE, ClockKind.UPDATE)
            self._start(ClockKind.RESOLVE, self.targets.resolve, at)
        elif what == "resolve":
            self._stop(at, *ClockKind)
        return what != "resolve"

    def _plan(self, since: dt.datetime) -> None:
        response = self.case.response
        acts = [(minutes, "update") for minutes in response.updates]
        if response.contained is not None:
            acts = [act for act in acts if act[0] < response.contained] + [(response.contained, "contain")]
        if response.resolved is not None:
            acts.append((response.resolved, "resolve"))
        self.later = sorted(((since + dt.timedelta(minutes=m), what) for m, what in acts), reverse=True)

    def _stop(self, at: dt.datetime, *kinds: str) -> None:
        self._count_repeats((clock for clock in self.course.clocks if clock.kind in kinds), at)
        self.course.clocks = [clock for clock in self.course.clocks if clock.kind not in kinds]

    def _start(self, kind: str, minutes: int, at: dt.datetime) -> None:
        self.course.clocks.append(self.course.new_clock(kind, minutes, at))


# ---- Cases nobody reported ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How made-up commands answer: `share` of them at all (0 to 1), typically after `minutes`; the rest never.

    Whoever took a case gives a word typically every `update` minutes and contains it typically after `contain`.
    """

    share: float = 0.9
    minutes: float = 12
    update: float = 25
    contain: float = 180


#: Shares of a hundred made-up reports: what the cases of past campaigns look like.
USUAL_MIX: Mapping[str, int] = {Severity.CRITICAL: 3, Severity.HIGH: 17, Severity.MEDIUM: 40, Severity.LOW: 40}
_MOST_UPDATES = 40


def generated(
    ladders: Sequence[tuple[Level, ...]],
    *,
    count: int,
    start: dt.datetime,
    hours: int,
    phase: str,
    local_hour: int,
    mix: Mapping[str, int] = USUAL_MIX,
    behaviour: Behaviour = Behaviour(),
    seed: int = 1,
    election: Election | None = None,
    places: Sequence[str] = (),
) -> list[Case]:
    """`count` cases spread over `hours` from `start` (whose local hour is `local_hour`), at any of `ladders` alike.

    With an `election` each has the phase of its calendar, at the P-code in `places` of its ladder, and not `phase`.
    Raises ValueError where there is no ladder or the mix is empty.
    """
    weights = {severity: share for severity, share in mix.items() if share > 0}
    if not ladders or not weights:
        raise ValueError("nothing to make cases of")
    chance = random.Random(seed)  # noqa: S311  made cases, no secret
    seconds = sorted(chance.random() * hours * 3600 for _case in range(count))
    cases = []
    for offset in seconds:
        severity = chance.choices(list(weights), list(weights.values()))[0]
        at, number = start + dt.timedelta(seconds=offset), chance.randrange(len(ladders))
        place = places[number] if places else ""
        cases.append(
            Case(
                at=at,
                hour=int(local_hour + offset // 3600) % 24,
                phase=calendar.phase_at(election, at, place) if election else phase,
                severity=severity,
                levels=ladders[number],
                response=_made_up(chance, behaviour),
                election=election,
                place=place,
            )
        )
    return cases


def _made_up(chance: random.Random, behaviour: Behaviour) -> Response:
    """The same draws for every case whatever is done with them, so that two policies meet the same people."""
    takes = tuple(
        minutes if chance.random() < behaviour.share else None
        for minutes in (_around(chance, behaviour.minutes) for _owner in range(4))
    )
    contained = _around(chance, behaviour.contain)
    updates: list[float] = []
    at = _around(chance, behaviour.update)
    while at < contained and len(updates) < _MOST_UPDATES:
        updates.append(at)
        at += max(_around(chance, behaviour.update), 1)
    return Response(takes=takes, updates=tuple(updates), contained=contained, resolved=contained * 2)


def _around(chance: random.Random, minutes: float) -> float:
    """A time whose half is shorter than `minutes` and whose tail is long, as answers are."""
    return chance.lognormvariate(0, 0.8) * minutes
