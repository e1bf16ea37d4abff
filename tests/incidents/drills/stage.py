"""Drills for tests: of one district, of a province, at the time of the cast."""

from __future__ import annotations

import datetime as dt
from typing import Any

from commands.models import Posting, SecurityCommand
from incidents import drills
from incidents.models import Drill, DrillCall
from tests.cast import NOW, Cast

MINUTES = 10


def at(minutes: float) -> dt.datetime:
    """So many minutes after the start."""
    return NOW + dt.timedelta(minutes=minutes)


def hold(*codes: str, **more: Any) -> Drill:
    """A drill of these commands by the PSC, with MINUTES to answer, at NOW."""
    asked: dict[str, Any] = {"minutes": MINUTES, "by": Cast().psc, "now": NOW} | more
    return drills.start(asked.pop("name", "Monday morning"), codes or ["KH2108"], **asked)


def call_of(drill: Drill, code: str) -> DrillCall:
    """The call of a command in it, read anew."""
    return drill.calls.select_related("command", "drill").get(command__code=code)


def called(drill: Drill) -> dict[str, dt.datetime]:
    """Codes of the commands that were called, with the moment."""
    return {c.command.code: c.called_at for c in drill.calls.select_related("command") if c.called_at}


def relieve(code: str) -> SecurityCommand:
    """Nobody answers at the command any more."""
    command = SecurityCommand.objects.get(code=code)
    Posting.objects.filter(command=command).update(ends_at=NOW - dt.timedelta(days=1))
    return command
