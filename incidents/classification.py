"""What waits for the NEC's classification, until when, and the NEC's default rules.

Police propose, the NEC decides. A rule decides only what nobody objected to; its id is stored as the decider.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from commands.models import User
from elections.choices import IN_USE
from incidents import actions
from incidents.choices import OPEN, Act, ActorType, Channel, Classification, Nature, Severity, State, TargetType
from incidents.models import Entry, Incident
from incidents.querysets import IncidentQuerySet

log = logging.getLogger(__name__)

#: Domain 4.3: an hour for what is critical while people vote or votes are counted, a day for all else.
URGENT = Q(severity=Severity.CRITICAL, phase__in=IN_USE)
URGENT_WITHIN = dt.timedelta(hours=1)
WITHIN = dt.timedelta(hours=24)
#: How long a decision may be taken back by whoever made it, without giving a reason.
UNDO_WITHIN = dt.timedelta(minutes=15)
#: How many cases may be decided by one press. Only low and medium ones: the others are read one by one.
MOST_AT_ONCE = 50
TOGETHER = (Severity.LOW, Severity.MEDIUM)
CLASSIFIABLE = (*OPEN, State.RESOLVED, State.CLOSED)
#: Why a case is electoral; one is ticked.
GROUNDS = {
    "target": _("The target is part of the election"),
    "actor": _("Somebody of the election acted"),
    "motive": _("The motive is the election"),
    "place_time": _("The place or the time is that of the election"),
    "effect": _("It affects the voting or the count"),
}


@dataclass(frozen=True)
class Rule:
    """A default of the NEC: what it applies to, after how long without objection, and what it decides."""

    id: str
    applies: Q
    after: dt.timedelta
    classification: Classification


#: Whoever takes part in the election, or belongs to the forces or the authorities: never decided by a rule.
_TAKING_PART = (
    TargetType.VOTER, TargetType.CANDIDATE, TargetType.SUPPORTER, TargetType.ELECTION_OFFICIAL, TargetType.OBSERVER,
    TargetType.JOURNALIST, TargetType.FORCE_MEMBER, TargetType.PARTY_PROPERTY, TargetType.ELECTION_SITE,
    TargetType.ELECTION_MATERIAL, TargetType.EVENT, TargetType.SYSTEM,
)  # fmt: skip
_ACTING = (
    ActorType.SUPPORTER, ActorType.CANDIDATE, ActorType.ELECTION_OFFICIAL, ActorType.CIVIL_AUTHORITY,
    ActorType.POLICE, ActorType.GENDARMERIE, ActorType.ARMED_FORCES,
)  # fmt: skip

RULES = (
    Rule(
        id="ordinary-low-7d",
        applies=Q(category__nature=Nature.ORDINARY, severity=Severity.LOW, stations_affected=0, minutes_stopped=0,
                  voters_affected=0, is_sealed=False)
        & ~Q(target_type__in=_TAKING_PART)
        & ~Q(actor_type__in=_ACTING)
        & Q(proposed_classification__in=(Classification.UNDETERMINED, Classification.ORDINARY)),
        after=dt.timedelta(days=7),
        classification=Classification.ORDINARY,
    ),
)  # fmt: skip


# ---- The queue ----


@dataclass(frozen=True)
class Waiting:
    """A case of the queue, with the moment its classification is due."""

    incident: Incident
    due_at: dt.datetime

    def is_late(self, now: dt.datetime) -> bool:
        return self.due_at < now

    @property
    def cursor(self) -> str:
        """Where the next page starts."""
        return f"{self.due_at.isoformat()}_{self.incident.pk}"


def due_at(incident: Incident) -> dt.datetime:
    """When the NEC's classification of a case is due."""
    urgent = incident.severity == Severity.CRITICAL and incident.phase in IN_USE
    return incident.reported_at + (URGENT_WITHIN if urgent else WITHIN)


def waiting_for(user: User) -> IncidentQuerySet:
    """Cases the person may see that have no classification yet, count as incidents, and whose record is not closed."""
    return Incident.objects.visible_to(user).filter(
        classification=Classification.UNDETERMINED,
        state__in=CLASSIFIABLE,
        election__is_locked=False,
    )


def late(cases: IncidentQuerySet, now: dt.datetime) -> IncidentQuerySet:
    """Those whose due moment has passed."""
    return cases.filter(is_late(now))


def is_late(now: dt.datetime) -> Q:
    """The condition of `late`."""
    return (URGENT & Q(reported_at__lt=now - URGENT_WITHIN)) | (~URGENT & Q(reported_at__lt=now - WITHIN))


def page(cases: IncidentQuerySet, *, after: str = "", size: int = 50) -> tuple[list[Waiting], str]:
    """Up to `size` cases, soonest due first, starting behind the cursor `after`; and the cursor of the next page or "".

    Two index-ordered reads merged here: ordering by the computed due time would sort the whole country's backlog.
    """
    start = _read_cursor(after)
    rows: list[Waiting] = []
    for part, within in ((URGENT, URGENT_WITHIN), (~URGENT, WITHIN)):
        chosen = cases.filter(part)
        if start:
            moment = start[0] - within
            chosen = chosen.filter(Q(reported_at__gt=moment) | Q(reported_at=moment, pk__gt=start[1]))
        found = chosen.with_names().order_by("reported_at", "pk")[: size + 1]
        rows += [Waiting(incident, incident.reported_at + within) for incident in found]
    rows.sort(key=lambda w: (w.due_at, w.incident.pk))
    more = rows[size - 1].cursor if len(rows) > size else ""
    return rows[:size], more


def _read_cursor(text: str) -> tuple[dt.datetime, UUID] | None:
    moment, _sep, key = text.partition("_")
    try:
        at = dt.datetime.fromisoformat(moment)
        return (at, UUID(key)) if at.tzinfo and 1900 < at.year < 2200 else None
    except ValueError:
        return None


def decided_for(user: User, *, disagreed: bool = False) -> IncidentQuerySet:
    """Cases the NEC has classified, latest decision first; `disagreed`: only where police proposed something else."""
    cases = Incident.objects.visible_to(user).exclude(classified_at=None).order_by("-classified_at", "-pk")
    # Taken back: it waits again.
    cases = cases.exclude(classification=Classification.UNDETERMINED)
    if disagreed:
        cases = cases.exclude(proposed_classification=Classification.UNDETERMINED)
        for kind in (Classification.ELECTORAL, Classification.ORDINARY, Classification.HAZARD):
            cases = cases.exclude(proposed_classification=kind, classification=kind)
    return cases.with_names()


def decisions(cases: Iterable[Incident]) -> dict[UUID, Entry]:
    """The latest decision about each of `cases`, from the journal."""
    entries = Entry.objects.filter(act=Act.CLASSIFY, incident__in=[case.pk for case in cases]).order_by("pk")
    return {entry.incident_id: entry for entry in entries if entry.incident_id}


@dataclass(frozen=True)
class Undoable:
    """A decision its maker may still take back: the case as it is, and what it was before."""

    incident: Incident
    before: str


def undoable(user: User, now: dt.datetime) -> list[Undoable]:
    """What `user` decided in the last minutes and nobody touched since, latest first.

    Whoever presses the wrong button sees it at once; a later change of mind is a decision of its own, with a reason.
    """
    mine = Entry.objects.filter(
        act=Act.CLASSIFY, by=user, at__gt=now - UNDO_WITHIN, at__lte=now, incident__in=Incident.objects.visible_to(user)
    ).exclude(after__classification=Classification.UNDETERMINED)
    found = mine.select_related("incident", "incident__category", "incident__place").order_by("-pk")
    return [
        Undoable(entry.incident, entry.before.get("classification", Classification.UNDETERMINED))
        for entry in found[:MOST_AT_ONCE]
        if entry.incident and entry.incident.version == entry.version
    ]


# ---- Rules ----


def candidates(rule: Rule, now: dt.datetime) -> IncidentQuerySet:
    """Cases a rule would decide at `now`, oldest first. Not scoped: rules act for the NEC, and sealed cases are out."""
    return Incident.objects.filter(
        rule.applies,
        classification=Classification.UNDETERMINED,
        state__in=CLASSIFIABLE,
        election__is_locked=False,
        reported_at__lte=now - rule.after,
    ).order_by("reported_at", "pk")


def apply_rules(now: dt.datetime, limit: int = 2_000) -> int:
    """Decide up to `limit` cases by the default rules; one act each, so one refused case stops no other.

    Returns how many were decided. Safe to run twice: a decided case is not a candidate any more.
    """
    decided = 0
    for rule in RULES:
        for incident in list(_first(candidates(rule, now), limit - decided)):
            try:
                actions.classify(
                    incident,
                    by=None,
                    version=None,
                    now=now,
                    channel=Channel.ENGINE,
                    classification=rule.classification,
                    reason=rule.id,
                )
            except (ValidationError, PermissionDenied) as refused:
                log.warning("rule %s left case %s: %s", rule.id, incident.reference, refused)
                continue
            decided += 1
    return decided


def _first(cases: IncidentQuerySet, number: int) -> Iterator[Incident]:
    return cases[:number].iterator(chunk_size=500)
