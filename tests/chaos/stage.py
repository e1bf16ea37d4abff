"""The stage of a chaos run: a throw-away database with short deadlines, processes on it, and the count afterwards."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from incidents.escalation import engine
from tests.chaos import cases
from tests.chaos.counts import Counts, count
from tests.chaos.roles import read_diaries

ROOT = Path(__file__).resolve().parent.parent.parent
#: 1 keeps every run to some seconds; docs/operations.md has the counts of a larger one.
SCALE = float(os.environ.get("CHAOS_SCALE", "1"))
#: Another seed draws other cases, acts and kills. It is printed with the counts.
SEED = int(os.environ.get("CHAOS_SEED", "1"))


def database_url() -> str:
    """Where the connection of this process points, as its children are told."""
    s = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{s['NAME']}"
    return f"postgres://{s['USER']}:{s['PASSWORD']}@{s['HOST']}:{s['PORT']}/{s['NAME']}"


@dataclass
class Child:
    role: str
    options: dict[str, Any]
    pid: int


@dataclass
class Stage:
    """Starts and kills children, and counts. `environment` is what differs from the tests' own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    draw: random.Random = field(default_factory=lambda: random.Random(SEED))
    keys: list[UUID] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    kills: int = 0
    _nursery: subprocess.Popen[str] | None = None

    # ---- Ground ----

    def seed(self, count: int, **how: Any) -> list[UUID]:
        """So many cases, times the scale, under the short policy."""
        cases.short_policy(timezone.now())
        self.keys = cases.seed(max(6, round(count * SCALE)), timezone.now(), number=SEED, **how)
        return self.keys

    # ---- Processes ----

    @property
    def env(self) -> dict[str, str]:
        mail = f"filemail:///{self.folder}/mail"
        ours = {"DATABASE_URL": database_url(), "VAR_DIR": str(self.folder), "CONN_MAX_AGE": "60", "EMAIL_URL": mail}
        return {**os.environ, "PYTHONPATH": str(ROOT), **ours, **self.environment}

    def start(self, role: str, **options: Any) -> Child:
        if self._nursery is None:
            log = (self.folder / "nursery.log").open("wb")
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery"], cwd=ROOT, env=self.env, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
            assert self._read() == "ready", (self.folder / "nursery.log").read_text()
        assert self._nursery.stdin is not None
        asked = {"role": role, "options": options, "log": str(self.folder / f"{role}.log")}
        self._nursery.stdin.write(json.dumps(asked) + "\n")
        self._nursery.stdin.flush()
        child = Child(role, options, int(self._read()))
        self.children.append(child)
        return child

    def _read(self) -> str:
        assert self._nursery is not None
        assert self._nursery.stdout is not None
        return self._nursery.stdout.readline().strip()

    def start_people(self, number: int, **how: Any) -> None:
        for place in range(number):
            self.start("actor", log_to=str(self.folder / f"diary-{place}"), seed=SEED * 100 + place, **how)

    def start_engines(self, number: int, every: float = 0.2) -> None:
        for _place in range(number):
            self.start("escalate", every=every)

    def kill(self, child: Child, number: int = signal.SIGKILL) -> None:
        self.children.remove(child)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, number)

    def kill_at_random(self, *roles: str, seconds: float, least: float = 0.05, most: float = 0.4) -> None:
        """For so long: kill one of these, wait a little, start it again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.draw.uniform(least, most))
            child = self.draw.choice([c for c in self.children if c.role in roles])
            self.kill(child)
            self.kills += 1
            time.sleep(self.draw.uniform(0, 0.05))
            self.start(child.role, **child.options)

    def is_alive(self, child: Child) -> bool:
        """A child that ended by itself is gone, because the nursery's children are reaped by the system."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, 0)
            return True
        return False

    def stop(self) -> None:
        """End every child: people after their act, the others at once."""
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM if child.role == "actor" else signal.SIGKILL)
        end = time.monotonic() + 25
        for child in self.children:
            while self.is_alive(child):
                assert time.monotonic() < end, f"{child} does not end\n{self.logs()}"
                time.sleep(0.01)
        self.children.clear()

    def close(self) -> None:
        with contextlib.suppress(AssertionError):
            self.stop()
        for child in self.children:
            self.kill(child)
        if self._nursery is not None:
            self._nursery.kill()
            self._nursery.communicate()

    def logs(self) -> str:
        return "\n".join(f"== {p.name}\n{p.read_text()[-3000:]}" for p in sorted(self.folder.glob("*.log")))

    # ---- The end ----

    def count(self, now: dt.datetime | None = None, *, drain: bool = True) -> Counts:
        """Stop everything, let the engine look a last time at `now`, and count what it and people left behind."""
        self.stop()
        connection.close()
        at = now or timezone.now()
        if drain:
            engine.tick(at, "chaos")
        return count(at, diaries=read_diaries(self.folder), kills=self.kills, keys=self.keys)


def wait_until(holds: Callable[[], object], *, seconds: float, what: str) -> Any:
    """Ask until it is true and return that; a failure that names `what` when the time is over."""
    end = time.monotonic() + seconds
    while True:
        if answer := holds():
            return answer
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)


@contextlib.contextmanager
def opened(folder: Path, **environment: str) -> Iterator[Stage]:
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(folder, environment)
    try:
        yield stage
    finally:
        stage.close()
