"""What the tests of the engine share: who is taken away, what was kept, who was told."""

from __future__ import annotations

import datetime as dt
from typing import Any

from commands.models import Posting, SecurityCommand
from incidents.models import Clock, ClockState, Escalation, Incident, Notice
from tests.cast import NOW

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def leave_empty(*commands: SecurityCommand) -> None:
    """Nobody serves there any more."""
    Posting.objects.filter(command__in=commands).update(ends_at=NOW - DAY)


def kept(case: Incident) -> list[tuple[Any, ...]]:
    """Every step of a case as (kind, part, from, to)."""
    rows = Escalation.objects.filter(incident=case).order_by("pk").select_related("from_command", "to_command")
    return [(r.kind, r.part, r.from_command.code, r.to_command.code if r.to_command else "") for r in rows]


def told(case: Incident | None, person: Any) -> list[str]:
    """Kinds of what a person was told of a case in the inbox, oldest first."""
    found = Notice.objects.filter(incident=case, recipient=person, channel="inbox").order_by("pk")
    return list(found.values_list("kind", flat=True))


def running(case: Incident, kind: str) -> Clock:
    return case.clocks.get(kind=kind, state=ClockState.RUNNING)
