"""A day of the scenarios, minute by minute: people come through the API, the engine ticks each minute, time is ours.

In one process, because the running system of the other journeys lives in real time, and these are about hours of a
phase that is not today's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.test import Client

from incidents.choices import Act
from incidents.escalation import engine
from incidents.models import Clock, Entry, Incident, Notice
from tests.cast import Cast
from tests.incidents.api import clients

API = clients.API
MINUTE = dt.timedelta(minutes=1)


@dataclass
class Day:
    """`minute` counts from `t0`; `until` lets the time pass with a tick each minute, and never goes back."""

    t0: dt.datetime
    cast: Cast
    time_machine: Any
    minute: float = 0
    _clients: dict[str, Client] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.time_machine.move_to(self.t0, tick=False)

    @property
    def now(self) -> dt.datetime:
        return self.t0 + self.minute * MINUTE

    def at(self, minute: float) -> dt.datetime:
        return self.t0 + minute * MINUTE

    def until(self, minute: float, *, every: int = 1) -> Day:
        """Tick each minute, or in the long quiet of a scenario less often, up to and at this one."""
        assert minute >= self.minute, "time does not go back"
        for step in range(int(self.minute) + every, int(minute) + 1, every):
            self._tick(step)
        self._tick(minute)
        return self

    def reach(self, minute: float) -> Day:
        """This minute before its tick: somebody acts at the last moment."""
        assert minute >= self.minute, "time does not go back"
        self.minute = minute
        self.time_machine.move_to(self.now, tick=False)
        return self

    def _tick(self, minute: float) -> None:
        self.minute = minute
        self.time_machine.move_to(self.now, tick=False)
        engine.tick(self.now, "test")

    # ---- People ----

    def client(self, name: str) -> Client:
        if name not in self._clients:
            self._clients[name] = clients.client(getattr(self.cast, name))
        return self._clients[name]

    def get(self, name: str, path: str) -> Any:
        return self.client(name).get(f"{API}{path}")

    def report(self, name: str, **content: Any) -> Incident:
        body = {"occurred_at": (self.now - MINUTE).isoformat(), **content}
        answer = self.client(name).post(f"{API}incidents/", body, content_type="application/json")
        assert answer.status_code == 201, answer.content
        return Incident.objects.get(pk=answer.json()["id"])

    def try_to(self, name: str, act: Act, case: Incident, **content: Any) -> Any:
        """The answer of the API to one act on the case as it is now."""
        case.refresh_from_db()
        body = {"act": act.value, "version": case.version, **content}
        answer = self.client(name).post(f"{API}incidents/{case.pk}/acts/", body, content_type="application/json")
        case.refresh_from_db()
        return answer

    def do(self, name: str, act: Act, case: Incident, **content: Any) -> dict[str, Any]:
        answer = self.try_to(name, act, case, **content)
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    # ---- Looking ----

    def weekly(self, name: str, *, weeks_ago: int = 0) -> dict[str, Any]:
        """The weekly summary of this week up to now, or of an earlier week; not from the short memory."""
        answer = self.get(name, f"reports/weekly?{self._week(weeks_ago)}")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def weekly_csv(self, name: str, *, weeks_ago: int = 0) -> bytes:
        """The same as the file that people keep."""
        answer = self.get(name, f"reports/weekly?{self._week(weeks_ago)}&format=csv")
        assert answer.status_code == 200
        return b"".join(answer.streaming_content)

    def _week(self, weeks_ago: int) -> str:
        cache.clear()
        year, week, _day = (self.now - weeks_ago * 7 * 24 * 60 * MINUTE).astimezone(self.t0.tzinfo).isocalendar()
        return f"week={year}-W{week:02}&election=CC27"

    def owner(self, case: Incident) -> str:
        case.refresh_from_db()
        return case.owner.code

    def code(self, name: str) -> str:
        return self.cast.command(name).code

    @staticmethod
    def last(case: Incident, act: Act) -> Entry:
        return case.entries.filter(act=act).order_by("-pk")[0]

    @staticmethod
    def told(case: Incident, *, kind: str = "", entry: Entry | None = None) -> set[str]:
        """Who has a notice of the case: all, of one kind, or of one entry; names as in the cast."""
        found = Notice.objects.filter(incident=case, channel="inbox")
        found = found.filter(kind=kind) if kind else found
        found = found.filter(entry=entry) if entry else found
        names = found.values_list("recipient__username", flat=True)
        return {str(name).removeprefix("cast-").replace("-", "_") for name in names}

    def due(self, case: Incident, kind: str) -> float | None:
        """Minute at which the running clock of this kind is due; None where none runs."""
        clock: Clock | None = case.clocks.filter(kind=kind, state="running").first()
        return (clock.deadline_at - self.t0) / MINUTE if clock else None
