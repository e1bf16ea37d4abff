"""Two drills of the demonstration, both over: the whole country a month ago, and two provinces again last week.

They are held as people hold them, through `drills` and the engine's step, on the timeline of the cases.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.utils import timezone

from commands.models import Posting, SecurityCommand, User
from incidents import drills
from incidents.choices import Channel
from incidents.demo.stage import Stage
from incidents.escalation import rehearsal
from incidents.models import Drill, DrillCall

MINUTES = 15
#: Nobody is posted there in the days of the first drill.
VACANT = ("KH9903", "KH1102", "KH1609", "KH2202")
#: Nobody answers there, whatever drill it is.
SILENT = ("KH9902", "KH1605", "KH1901")
#: Out of a hundred commands: how many do not answer in the first drill, answer late, and answer by radio.
NEVER, LATE, BY_RADIO = 4, 5, 7


def plan(stage: Stage, now: dt.datetime) -> None:
    """Put both drills on the timeline."""
    morning = _at(now - dt.timedelta(days=33), 9)
    _leave_vacant(morning)
    Rehearsal(stage, "ទូទាំងប្រទេស មុនយុទ្ធនាការឃោសនា", ("PSC",), stage.person("nec-secretariat")).plan(morning)
    again = _at(now - dt.timedelta(days=6), 15)
    second = Rehearsal(stage, "គំរូ និងតាកែវ ម្តងទៀត", ("KH99", "KH21"), stage.person("psc-watch"), never=0, late=2)
    second.plan(again)


def _at(day: dt.datetime, hour: int) -> dt.datetime:
    return timezone.localtime(day).replace(hour=hour, minute=0, second=0, microsecond=0)


def _leave_vacant(morning: dt.datetime) -> None:
    """People of those commands leave two days before and come back two days after."""
    away = dt.timedelta(days=2)
    for posting in Posting.objects.filter(command__code__in=VACANT, ends_at=None, role="duty_commander"):
        Posting.objects.filter(pk=posting.pk).update(ends_at=morning - away)
        posting.pk, posting.starts_at = None, morning + away
        posting.save(force_insert=True)


@dataclass
class Rehearsal:
    """One drill: who answers after how many minutes is drawn once for each command."""

    stage: Stage
    name: str
    codes: tuple[str, ...]
    by: User
    never: int = NEVER
    late: int = LATE
    drill: Drill | None = None
    _delays: dict[int, float | None] = field(default_factory=dict)

    def plan(self, start: dt.datetime) -> None:
        self.stage.at(start, self._start)
        for minute in range(1, 3 * MINUTES + 2):
            self.stage.at(start + dt.timedelta(minutes=minute), self._minute)

    def _start(self, now: dt.datetime) -> None:
        self.drill = drills.start(self.name, self.codes, minutes=MINUTES, by=self.by, now=now)

    def _minute(self, now: dt.datetime) -> None:
        """The engine's step, then the answers of that minute."""
        if self.drill is None:
            return
        rehearsal.advance(now)
        waiting = self.drill.calls.filter(called_at__lt=now, answered_at=None, people__gt=0, drill__ended_at=None)
        for call in waiting.select_related("command", "drill").order_by("pk"):
            delay = self._delay(call.command)
            if delay is not None and call.called_at and call.called_at + dt.timedelta(minutes=delay) <= now:
                self._answer(call, now)

    def _delay(self, command: SecurityCommand) -> float | None:
        """Minutes until the command answers; None where it does not."""
        if command.pk not in self._delays:
            drawn, chance = self.stage.chance.uniform(0, 100), self.stage.chance
            if command.code in SILENT or (drawn < self.never and command.rung == 1):
                self._delays[command.pk] = None
            elif drawn < self.never + self.late and command.rung == 1:
                self._delays[command.pk] = chance.uniform(MINUTES + 1, MINUTES + 8)
            else:
                self._delays[command.pk] = min(chance.lognormvariate(1.2, 0.6), MINUTES - 1)
        return self._delays[command.pk]

    def _answer(self, call: DrillCall, now: dt.datetime) -> None:
        if not Drill.objects.filter(pk=call.drill_id, ended_at=None).exists():
            return
        person = self.stage.commander(call.command_id)
        if self.stage.chance.uniform(0, 100) < BY_RADIO:
            operator = self.stage.person("psc-watch")
            drills.answer_for(call, person, by=operator, now=now, channel=Channel.RADIO)
        else:
            drills.answer(call, by=person, now=now)
