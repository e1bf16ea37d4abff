"""Checks of the audit about what was done and who was told of it: the engine's records, the journal, the notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from commands.models import SecurityCommand
from incidents import routing
from incidents.choices import Act
from incidents.escalation.audit_cases import PAGE, named
from incidents.models import ConflictSubject, Entry, Escalation, EscalationKind, Notice, NoticeStatus

#: Acts of the engine that leave a row in its own records.
STEPS = (Act.WARN, Act.INFORM, Act.AUTO_ESCALATE, Act.SKIP)
#: Steps that always tell somebody, where anybody is there: a case that only passed is told of once for an outage.
TELLS = (EscalationKind.WARNING, EscalationKind.NEXT_TOLD, EscalationKind.OWNER_MOVED)
#: Senders take leases of minutes and try again within hours.
LEASE_LOST = dt.timedelta(hours=1)
UNTRIED = dt.timedelta(days=1)


def step_without_entry(now: dt.datetime) -> Iterable[str]:
    told = Entry.objects.filter(incident=OuterRef("incident"), at=OuterRef("fired_at"))
    steps = Escalation.objects.filter(~Exists(told))
    return named(steps, "incident__reference", "kind", "clock", "episode", "step", "fired_at")


def entry_without_step(now: dt.datetime) -> Iterable[str]:
    step = Escalation.objects.filter(incident=OuterRef("incident"), fired_at=OuterRef("at"))
    entries = Entry.objects.filter(~Exists(step), act__in=STEPS, by=None, incident__isnull=False)
    return named(entries, "incident__reference", "act", "at", "pk")


def nobody_told(now: dt.datetime) -> Iterator[str]:
    """Steps without any notice of their moment, where somebody was there to be told; who was is asked step by step."""
    notices = Notice.objects.filter(entry__incident=OuterRef("incident"), entry__at=OuterRef("fired_at"))
    silent = Escalation.objects.filter(~Exists(notices), part=0, kind__in=TELLS).order_by()
    columns = ("incident", "incident__reference", "kind", "from_command", "to_command", "fired_at")
    for case, reference, kind, sender, target, at in silent.values_list(*columns).iterator(chunk_size=PAGE):
        command = sender if kind == EscalationKind.WARNING else target
        there = {person.pk for person in routing.people_at([command], at).get(command, [])} if command else set()
        if there - _barred(case, at):
            yield f"{reference} {kind} {SecurityCommand.objects.get(pk=command).code} {at.isoformat()}"


def _barred(case: UUID, at: dt.datetime) -> set[int]:
    """People who serve at a unit that a sealed case is about are told nothing."""
    paths = list(ConflictSubject.objects.filter(incident=case).values_list("command__path", flat=True))
    return set(routing.serving_under(paths, at)) if paths else set()


def message_forgotten(now: dt.datetime) -> Iterable[str]:
    waits = Notice.objects.filter(status=NoticeStatus.PENDING)
    lost = Q(lease_until__lt=now - LEASE_LOST) | Q(next_try_at=None) | Q(next_try_at__lt=now - UNTRIED)
    return named(waits.filter(lost), "pk", "channel", "kind", "next_try_at", "lease_until")
