"""What the engine did and has before it, for its page: only what the reader may know of, because numbers tell too.

A run that moved nothing but sealed cases is not in the list of whoever may not know of them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, QuerySet

from commands.choices import Role
from commands.models import User
from elections.models import PhaseWindow
from incidents import entries
from incidents.choices import Act
from incidents.models import EngineRun, Entry, Escalation, Incident, Outage, Quarantine

#: Runs that were asked for by a person are in the list even where nothing was due.
ASKED_FOR = ("cli", "web")
SHOWN, LOOKED_AT = 15, 200


@dataclass(frozen=True)
class Run:
    """One round, and how many steps it fired that the reader may know of."""

    run: EngineRun
    moved: int


@dataclass(frozen=True)
class SetAside:
    """A deadline whose step failed; `reference` is empty for who reads no case."""

    row: Quarantine
    reference: str


def reads_all(user: User) -> bool:
    """The administrator reads no case, so that bare numbers tell nothing: those of the machine as they are."""
    return all(p.role == Role.ADMINISTRATOR for p in user.current_postings)


def runs_for(user: User) -> list[Run]:
    """The last rounds, newest first."""
    recent = list(EngineRun.objects.order_by("-started_at")[:LOOKED_AT])
    if reads_all(user):
        return [Run(run, run.fired) for run in recent[:SHOWN]]
    steps = Escalation.objects.filter(run__in=recent, incident__in=Incident.objects.visible_to(user))
    moved = dict(steps.order_by().values_list("run").annotate(n=Count("pk")))
    known = [Run(run, moved.get(run.pk, 0)) for run in recent if run.pk in moved or run.source in ASKED_FOR]
    return known[:SHOWN]


@dataclass(frozen=True)
class Away:
    """A time the engine did not run, and how many cases then moved late (of all: for the administrator)."""

    started_at: dt.datetime
    ended_at: dt.datetime
    cases: int

    @property
    def length(self) -> dt.timedelta:
        return self.ended_at - self.started_at


def outages() -> list[Away]:
    """The last ones, newest first."""
    return [Away(row.started_at, row.ended_at, row.cases) for row in Outage.objects.all()[:5]]


def phases_ahead(now: dt.datetime) -> list[PhaseWindow]:
    """Phases whose beginning will time the open cases of their election anew."""
    ahead = PhaseWindow.objects.filter(starts_at__gt=now, election__is_locked=False).select_related("election")
    return list(ahead.order_by("starts_at")[:4])


# ---- What was set aside ----


def set_aside(user: User) -> QuerySet[Quarantine]:
    """Deadlines whose firing failed, next try first: of cases the person may know of, or for the administrator all."""
    rows = Quarantine.objects.select_related("clock", "clock__incident").order_by("next_try_at", "pk")
    return rows if reads_all(user) else rows.filter(clock__incident__in=Incident.objects.visible_to(user))


def set_aside_for(user: User) -> list[SetAside]:
    hidden = reads_all(user)
    return [SetAside(row, "" if hidden else row.clock.incident.reference) for row in set_aside(user)[:50]]


@transaction.atomic
def try_again(user: User, pk: int, now: dt.datetime) -> Entry:
    """Let the next round try a deadline again that was set aside. Journaled.

    Raises Quarantine.DoesNotExist where there is none, or none the person may know of.
    """
    row = set_aside(user).get(pk=pk)
    Quarantine.objects.filter(pk=row.pk).update(next_try_at=now)
    posting = user.current_postings[0]
    after = {"clock": row.clock.kind, "attempts": row.attempts}
    return entries.record(Act.ENGINE, "try_again", by=user, posting=posting, now=now, after=after)
