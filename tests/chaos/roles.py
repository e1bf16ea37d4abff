"""What the children of the nursery are: the product's own doors, and people who act through them."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import Error, connection
from django.utils import timezone

from commands.models import User
from incidents import actions, tasks
from incidents.choices import OPEN, Act, Severity
from incidents.delivery import outbox
from incidents.escalation import moment
from incidents.models import Incident
from tests.cast import username
from tests.chaos import hurried

__all__ = ["actor", "beat", "escalate", "escalate_with_wrong_clock", "sender", "sender_through", "worker"]


def escalate(every: float = 0.2) -> None:
    """`manage.py escalate --loop`."""
    call_command("escalate", loop=True, every=every)


def escalate_with_wrong_clock(off_seconds: float, every: float = 0.2) -> None:
    """The same on a machine, or beside a database, whose clock somebody set wrongly; its uptime nobody can set."""
    read, off = moment.read, dt.timedelta(seconds=off_seconds)

    def wrong() -> moment.Reading:
        reading = read()
        return replace(reading, now=reading.now + off)

    moment.read = wrong
    escalate(every)


def worker(name: str) -> None:
    """A Celery worker for the engine's queue and the sender's."""
    queues = ["-Q", "escalation,delivery,reports"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    hurried.app.worker_main(["worker", "-P", "solo", "-n", f"{name}@%h", *queues, *quiet])


def beat(schedule: str) -> None:
    hurried.app.start(["beat", "-s", schedule, "--pidfile=", "-l", "WARNING", "--max-interval", "0.2"])


def sender(every: float = 0.3) -> None:
    """What the delivery task does, for ever: with Celery dead, cron would."""
    while True:
        tasks.deliver()
        time.sleep(every)


def sender_through(hours: float, step_minutes: float = 5) -> None:
    """Rounds of the sender through made time: what waits for pauses, leases and quiet minutes gets its turn."""
    begun, gone = timezone.now(), dt.timedelta()
    while gone < dt.timedelta(hours=hours):
        outbox.deliver(begun + gone)
        gone += dt.timedelta(minutes=step_minutes)


# ---- People ----

#: What a person tries, more often what is tried more often.
_TRIED = (
    [Act.ACKNOWLEDGE] * 5 + [Act.UPDATE] * 4 + [Act.ACCEPT] * 2
    + [Act.ESCALATE, Act.RAISE_SEVERITY, Act.ASSIGN, Act.CONTAIN, Act.HAND_BACK, Act.RESOLVE, Act.WITHDRAW]
)  # fmt: skip
_PEOPLE = ("duty_commander", "duty_commander", "provincial", "psc", "officer", "neighbour", "demo_integrity")


def actor(log_to: str, seed: int, pause: float = 0.02, acts: int = 0) -> None:
    """A person who acts on what they see, until told to stop; writes down before and after what the product said.

    A line "try" without an answer is an act of which the person never heard the end.
    """
    draw = random.Random(seed)
    diary = os.open(log_to, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    done = 0
    while not stopping and (not acts or done < acts):
        try:
            done += _act(draw, diary)
        except Error as fault:
            # Reading failed: nothing was tried. The next request gets a connection of its own.
            print(f"could not look: {fault}", file=sys.stderr)
            connection.close()
        time.sleep(pause)


def _act(draw: random.Random, diary: int) -> int:
    by = User.objects.get(username=username(draw.choice(_PEOPLE)))
    keys = list(Incident.objects.visible_to(by).filter(state__in=OPEN).values_list("pk", flat=True))
    if not keys:
        return 0
    case = Incident.objects.get(pk=draw.choice(keys))
    act, mark = draw.choice(_TRIED), uuid.uuid4().hex
    data: dict[str, Any] = {"note": f"chaos {mark}"}
    if act in (Act.ESCALATE, Act.HAND_BACK, Act.WITHDRAW):
        data["reason"] = "As ordered by radio."
    if act == Act.RAISE_SEVERITY:
        data["severity"] = draw.choice([Severity.HIGH, Severity.CRITICAL])
    if act == Act.RESOLVE:
        data["outcome"] = "settled"
    # People think before they press: what they saw may be old by then.
    time.sleep(draw.uniform(0, 0.05))
    begun = time.monotonic()

    def write(said: str, **more: Any) -> None:
        line = {"mark": mark, "act": act, "case": str(case.pk), "said": said, **more}
        os.write(diary, json.dumps(line).encode() + b"\n")

    write("try")
    try:
        actions.perform(act, case, by=by, version=case.version, now=timezone.now(), **data)
    except (ValidationError, PermissionDenied, Incident.DoesNotExist) as refusal:
        write("no", why=str(getattr(refusal, "code", "") or type(refusal).__name__))
    except Error as fault:
        # The connection may have gone before the commit or after it: the person cannot know.
        write("unknown", why=type(fault).__name__)
        connection.close()
    else:
        write("ok", seconds=round(time.monotonic() - begun, 3))
    return 1


def read_diaries(folder: Path) -> dict[str, dict[str, Any]]:
    """What every person was told, by the mark of each try: said is ok, no, or unknown."""
    found: dict[str, dict[str, Any]] = {}
    for diary in sorted(folder.glob("diary-*")):
        for line in diary.read_text().splitlines():
            row = json.loads(line)
            if row["said"] == "try":
                row["said"] = "unknown"
            found[row["mark"]] = row
    return found
