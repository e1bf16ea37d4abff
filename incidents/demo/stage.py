"""A timeline of made cases: steps at moments, the escalation engine between them, all through the actions.

Everything happens in order of time, so that what the engine does stands in the journal where it would have stood.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet

from commands.choices import Role
from commands.demo import PREFIX
from commands.models import Posting, User
from elections.prepared import prepared
from incidents import actions
from incidents.choices import Act, Channel, State
from incidents.classification import apply_rules
from incidents.escalation import engine
from incidents.models import Clock, ClockState, Incident

log = logging.getLogger(__name__)

Step = Callable[[dt.datetime], None]
#: Stands for whoever commands the case's owner when the moment comes.
OWNER = "owner"
#: Columns of a case that steps look at: whole rows, read before every act, are a tenth of the time of a demonstration.
_ASKED = ("owner", "state", "is_accepted", "is_sealed", "request_act", "place", "category", "reported_at", "version")
_COMMANDING = [Role.DUTY_COMMANDER, Role.PROVINCIAL_COMMAND, Role.PSC_WATCH, Role.NEC_SECRETARIAT, Role.INTEGRITY]


@prepared
def _next_clock() -> QuerySet[Clock]:
    """The clock that fires next; asked before every step."""
    return Clock.objects.filter(state=ClockState.RUNNING).order_by("fires_at").only("fires_at")[:1]


@prepared
def _case(pk: Any) -> QuerySet[Incident]:
    return Incident.objects.only(*_ASKED).filter(pk=pk)


@dataclass
class Stage:
    """What is to happen up to `end`; later steps stay undone, which is what leaves cases open today."""

    end: dt.datetime
    chance: random.Random
    #: No tick succeeds in here; what was due is found at its end.
    outage: tuple[dt.datetime, dt.datetime] | None = None
    refused: Counter[str] = field(default_factory=Counter)
    reported: int = 0
    _steps: list[tuple[dt.datetime, int, Step]] = field(default_factory=list)
    _order: Any = field(default_factory=itertools.count)
    _people: dict[str, User] = field(default_factory=dict)
    _commanders: dict[int, User] = field(default_factory=dict)

    def __post_init__(self) -> None:
        postings = Posting.objects.filter(role__in=_COMMANDING, ends_at=None).select_related("user", "command")
        for posting in postings.order_by("-pk"):
            self._commanders[posting.command_id] = posting.user

    def at(self, moment: dt.datetime, step: Step) -> None:
        """Plan `step` for a moment."""
        heapq.heappush(self._steps, (moment.astimezone(dt.UTC), next(self._order), step))

    def person(self, name: str) -> User:
        """The demonstration account of this name, or else the staff of this username."""
        if name not in self._people:
            self._people[name] = User.objects.get(username__in=[PREFIX + name, name])
        return self._people[name]

    def commander(self, command: int) -> User:
        """Who answers for cases at a command (by primary key)."""
        return self._commanders[command]

    def run(self, tell: Callable[[int], None] = lambda _: None) -> None:
        """Play every step up to `end`, then the engine up to `end`; `tell` hears each further tenth, in per cent."""
        planned = sum(moment <= self.end for moment, _, _ in self._steps)
        played = told = 0
        while self._steps and self._steps[0][0] <= self.end:
            moment, _, step = heapq.heappop(self._steps)
            self._engine_until(moment)
            step(moment)
            played += 1
            # A step may plan others, so the last tenth is told at the end alone.
            tenth = min(10 * played // planned, 9)
            if tenth > told:
                told = tenth
                tell(10 * tenth)
        self._engine_until(self.end)
        tell(100)

    def daily_rules(self, first: dt.datetime, last: dt.datetime) -> None:
        """The NEC's default rules decide once a day."""
        for day in range((min(last, self.end) - first).days + 1):
            self.at(first + dt.timedelta(days=day), lambda now: void(apply_rules(now)))

    def _engine_until(self, moment: dt.datetime) -> None:
        before: dt.datetime | None = None
        while True:
            clock = _next_clock.first()
            if clock is None or clock.fires_at > moment:
                return
            due = clock.fires_at
            if self.outage and self.outage[0] <= due < self.outage[1]:
                due = self.outage[1]
                if due > moment:
                    return
            if before is not None and due <= before:
                # A clock the engine cannot move would be asked for without end.
                log.warning("a clock stays due at %s", due)
                return
            engine.tick(now=due, source="demo")
            before = due


def void(_: object) -> None:
    """For a step that returns something."""


@dataclass
class Case:
    """One case of the timeline: its key is known before it is reported."""

    stage: Stage
    t0: dt.datetime
    key: UUID

    @classmethod
    def plan(cls, stage: Stage, t0: dt.datetime, *, by: str, channel: str = Channel.BROWSER, **report: Any) -> Case:
        """Plan a report at `t0`; `report` as in `actions.Report`, `occurred_at` ten minutes earlier unless given."""
        case = cls(stage, t0, _key(t0, stage.chance))
        data = {"occurred_at": t0 - dt.timedelta(minutes=10)} | report

        def step(now: dt.datetime) -> None:
            actions.report(actions.Report(id=case.key, **data), by=stage.person(by), now=now, channel=channel)
            stage.reported += 1

        stage.at(t0, step)
        return case

    def read(self) -> Incident:
        """The case as it is, with what the plans ask of it; more is read when it is asked for."""
        found = _case.first(self.key)
        if found is None:
            raise Incident.DoesNotExist
        return found

    def after(self, minutes: float, act: str, *by: str, channel: str = Channel.BROWSER, **data: Any) -> Case:
        """Plan an act so many minutes after the report, by the first of `by` whose post allows it (OWNER without)."""

        def step(now: dt.datetime) -> None:
            self.do(act, *(by or (OWNER,)), now=now, channel=channel, **data)

        self.stage.at(self.t0 + dt.timedelta(minutes=minutes), step)
        return self

    def call(self, minutes: float, step: Callable[[Incident, dt.datetime], None]) -> Case:
        """Plan something that is no plain act, with the case as it then is."""
        self.stage.at(self.t0 + dt.timedelta(minutes=minutes), lambda now: step(self.read(), now))
        return self

    def refer(self, minutes: float, body: str, document: str, *by: str) -> Case:
        """Plan that the case goes to a body of the law, with a paper sent half an hour before."""

        def step(incident: Incident, now: dt.datetime) -> None:
            sent_at = now - dt.timedelta(minutes=30)
            self.do(Act.REFER, *by, now=now, case=incident, body=body, document=document, sent_at=sent_at, note="")

        return self.call(minutes, step)

    def take(self, minutes: float) -> Case:
        """Plan that whoever owns the case acknowledges it, or accepts it where that has been done."""

        def step(now: dt.datetime) -> None:
            incident = self.read()
            if incident.state == State.REPORTED:
                self.do(Act.ACKNOWLEDGE, OWNER, now=now, case=incident, note="")
            elif incident.is_open and not incident.is_accepted:
                self.do(Act.ACCEPT, OWNER, now=now, case=incident, note="")

        self.stage.at(self.t0 + dt.timedelta(minutes=minutes), step)
        return self

    def countersign(self, minutes: float, *by: str, note: str = "") -> Case:
        """Plan that the second person agrees, where something then waits for one."""

        def step(incident: Incident, now: dt.datetime) -> None:
            if incident.request_act:
                self.do(Act.COUNTERSIGN, *by, now=now, case=incident, note=note)

        return self.call(minutes, step)

    def do(
        self,
        act: str,
        *by: str,
        now: dt.datetime,
        channel: str = Channel.BROWSER,
        case: Incident | None = None,
        **data: Any,
    ) -> bool:
        """Do it now, by the first person who may. False, and counted, where nobody may or the state refuses.

        `case` is the case as just read, for who has it.
        """
        incident = case or self.read()
        for name in by:
            person = self.stage.commander(incident.owner_id) if name == OWNER else self.stage.person(name)
            try:
                actions.perform(act, incident, by=person, version=None, now=now, channel=channel, **data)
                return True
            except PermissionDenied as refusal:
                reason = str(refusal)
            except Incident.DoesNotExist:
                reason = "not theirs to see"
            except ValidationError as refusal:
                reason = "; ".join(refusal.messages)
        self.stage.refused[f"{act}: {reason}"] += 1
        return False


def _key(moment: dt.datetime, chance: random.Random) -> UUID:
    """A version 7 UUID of the moment, so that keys follow time as they do in real use."""
    bits = chance.getrandbits(74)
    return UUID(
        int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & (1 << 62) - 1
    )
