"""What moves up next: the next step of every open case of a scope, soonest first, and what else waits at the ladder.

Reads only, and only inside the queryset it is given: `Incident.objects.visible_to(user)`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commands.choices import BodyKind
from commands.models import SecurityCommand
from elections.models import Election
from incidents import routing
from incidents.choices import OPEN, ClockKind, Deed, State
from incidents.deadlines import fires_at
from incidents.escalation import moments
from incidents.escalation.decide import Firing, Level, decide
from incidents.models import Clock, EscalationKind, Incident
from incidents.policies import rules_for

if TYPE_CHECKING:
    from incidents.querysets import IncidentQuerySet

#: How far ahead the board looks, each step with its name; what is due later is not "next".
AHEAD = (dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(hours=24))
#: A scope with at most so many open cases is asked case by case. A larger one is walked in the order of the clocks,
#: where at least one in some hundreds is in it (at a million open cases: 40 ms; the other way round 2 s).
FEW = 2000
#: Clocks a case has at a time, about: so many are read for each line at first, and at most so many in one go.
CLOCKS, MOST_READ = 4, 5000
#: States in which a case was taken up before and handed on: who got it has to accept.
TAKEN_UP = (State.ACKNOWLEDGED, State.RESPONDING, State.CONTAINED)


@dataclass(frozen=True, kw_only=True)
class Due:
    """The next step of one case that tells or moves, at `at`."""

    incident: UUID
    clock: int
    at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Next:
    """What then happens: `deed` to `to`; None where nobody is above. `left_out` are passed over: nobody is there."""

    at: dt.datetime
    #: Which deadline it is, and when its time began to run.
    kind: str
    start: dt.datetime
    deed: str
    to: SecurityCommand | None
    left_out: tuple[SecurityCommand, ...] = ()

    @property
    def text(self) -> str:
        if self.to is None:
            return _("then: nobody is above; it is said again, loudly")
        said = _("then: %(command)s owns it") if self.deed == Deed.MOVE else _("then: %(command)s is told")
        return said % {"command": self.to.name}

    @property
    def why(self) -> str:
        """Which deadline brings it about."""
        return _("deadline: %(what)s") % {"what": ClockKind(self.kind).label}

    @property
    def note(self) -> str:
        if not self.left_out:
            return ""
        return _("left out, nobody is there: %(commands)s") % {"commands": ", ".join(c.name for c in self.left_out)}


# ---- Which, and in which order ----


def due_next(
    cases: IncidentQuerySet,
    now: dt.datetime,
    *,
    size: int,
    after: tuple[dt.datetime, UUID] | None = None,
    overdue_only: bool = False,
) -> list[Due]:
    """Up to `size` cases by their next step within a day, or overdue, behind the cursor (moment, case) `after`."""
    spans = (dt.timedelta(0),) if overdue_only else AHEAD
    locked = list(Election.objects.filter(is_locked=True).values_list("pk", flat=True))
    wanted = cases.open().exclude(election__in=locked)
    rows = list(wanted.order_by("next_due_at", "id").values_list("pk", "owner", "is_sealed")[: FEW + 1])
    if len(rows) <= FEW:
        clocks = moments.acting(moments.unattended_of(rows, now)).filter(incident__in=[row[0] for row in rows])
        return _steps(clocks, None, now + spans[-1], size, after) if rows else []
    clocks = moments.acting(moments.unattended_anywhere(now))
    found: list[Due] = []
    for span in spans:
        if after and now + span <= after[0]:
            continue
        found = _steps(clocks, wanted, now + span, size, after)
        if len(found) == size:
            break
    return found


def _steps(
    clocks: QuerySet[Any],
    cases: IncidentQuerySet | None,
    until: dt.datetime,
    size: int,
    after: tuple[dt.datetime, UUID] | None,
) -> list[Due]:
    """The cases of `clocks` in order, each by the first of its own; with `cases` only what is among them.

    Both are asked for the clocks read, a few hundred at a time. As conditions of the one query PostgreSQL looks them up
    for every running clock and every open case there is.
    """
    # What acts before `until` is looked at before `until`: so much the index over `fires_at` can leave out.
    within = clocks.filter(fires_at__lt=until, at__lt=until).order_by("at", "incident", "pk")
    found: list[Due] = []
    read = size * CLOCKS
    while True:
        behind = within.filter(Q(at__gt=after[0]) | Q(at=after[0], incident__gt=after[1])) if after else within
        rows = list(behind.values_list("incident", "pk", "at")[:read])
        seen = {case for case, _key, _at in rows}
        if cases is not None:
            seen = set(cases.filter(pk__in=seen).order_by().values_list("pk", flat=True))
        first = _first_clocks(clocks, seen)
        found += [Due(incident=case, clock=key, at=at) for case, key, at in rows if first.get(case) == key]
        if len(found) >= size or len(rows) < read:
            return found[:size]
        after, read = (rows[-1][2], rows[-1][0]), min(read * 2, MOST_READ)


def _first_clocks(clocks: QuerySet[Any], cases: Collection[UUID]) -> dict[UUID, int]:
    """Of each case the clock that tells or moves first."""
    rows = clocks.filter(incident__in=cases).order_by("-at", "-pk")
    return dict(rows.values_list("incident", "pk"))


def not_accepted(cases: IncidentQuerySet) -> IncidentQuerySet:
    """Handed over, and the new owner has not said that it has them."""
    return cases.filter(is_accepted=False, state__in=TAKEN_UP).order_by("next_due_at", "id")


def at_the_top(cases: IncidentQuerySet, now: dt.datetime) -> IncidentQuerySet:
    """Late at a command with nobody above it."""
    tops = Q(kind__in=[BodyKind.PSC, BodyKind.NEC]) | Q(kind=BodyKind.INTEGRITY_DESK, path__startswith="NEC.")
    owners = list(SecurityCommand.objects.filter(tops).values_list("pk", flat=True))
    return cases.filter(state__in=OPEN, owner__in=owners, next_due_at__lt=now).order_by("next_due_at", "id")


def paused(cases: IncidentQuerySet) -> IncidentQuerySet:
    """Cases whose deadlines stand still, the one that runs again first on top."""
    return cases.open().filter(snoozed_until__isnull=False).order_by("snoozed_until", "id")


def overdue(cases: IncidentQuerySet, now: dt.datetime, limit: int) -> int:
    """How many cases have a step that should have happened; counts to `limit` and one more."""
    return len(due_next(cases, now, size=limit + 1, overdue_only=True))


# ---- What happens then ----


def unattended(commands: Iterable[SecurityCommand], now: dt.datetime) -> list[SecurityCommand]:
    """Those of `commands` where nobody is there to be told now."""
    asked = list(commands)
    there = routing.people_at(asked, now)
    return [c for c in asked if not there.get(c.pk)]


@dataclass(frozen=True, kw_only=True)
class Empty:
    """A command or desk with nobody there; `waiting` counts the sealed cases there that the reader may know of."""

    command: SecurityCommand
    waiting: int = 0


def empty_desks(desks: Iterable[SecurityCommand], cases: IncidentQuerySet, now: dt.datetime) -> list[Empty]:
    """Integrity desks with nobody there, or nobody who may handle one of the sealed `cases` that wait there.

    A desk is named because nobody serves there, whether or not a case waits: so it tells nothing of a case to somebody
    who may not know of it. What waits is counted among `cases` alone.
    """
    asked = {desk.pk: desk for desk in desks}
    sealed = cases.open().filter(is_sealed=True, owner__in=list(asked)).values_list("pk", "owner", "is_sealed")
    owners = {case: owner for case, owner, _sealed in sealed}
    waiting = Counter(owners[case] for case in moments.unattended_among(sealed, now))
    vacant = {c.pk for c in unattended(asked.values(), now)} | waiting.keys()
    return [Empty(command=desk, waiting=waiting[key]) for key, desk in asked.items() if key in vacant]


def next_of(cases: Sequence[Incident], clocks: Iterable[int], now: dt.datetime) -> dict[UUID, Next]:
    """What the named clocks do next, by case: the engine's own decision, asked ahead.

    The chain above is read once for an owner and district, and who is there once for all of them.
    """
    by_case = {incident.pk: incident for incident in cases}
    chains: dict[tuple[int, str], list[SecurityCommand]] = {}
    found: list[tuple[Clock, list[SecurityCommand]]] = []
    for clock in Clock.objects.filter(pk__in=list(clocks), incident__in=list(by_case)):
        found.append((clock, _above(by_case[clock.incident_id], chains)))
    everybody = {c.pk: c for clock, chain in found for c in (by_case[clock.incident_id].owner, *chain)}
    vacant = routing.vacant_among(everybody.values(), now, None) if everybody else set()
    ahead = {}
    for clock, chain in found:
        incident, empty = by_case[clock.incident_id], vacant
        if incident.is_sealed:
            # Who serves at a unit that it is about does not count as being there.
            empty = routing.vacant_among([incident.owner, *chain], now, _subjects(incident))
        ahead[incident.pk] = _next(incident, clock, chain, empty)
    return ahead


def _subjects(incident: Incident) -> list[SecurityCommand]:
    return [s.command for s in incident.subjects.select_related("command")]


def _above(incident: Incident, chains: dict[tuple[int, str], list[SecurityCommand]]) -> list[SecurityCommand]:
    if incident.is_sealed:
        return routing.above(incident.owner, incident.place_id, _subjects(incident))
    key = (incident.owner_id, incident.district_code)
    if key not in chains:
        chains[key] = routing.above(incident.owner, incident.place_id, None)
    return chains[key]


def _next(incident: Incident, clock: Clock, chain: list[SecurityCommand], empty: Collection[int]) -> Next:
    commands = {c.pk: c for c in chain}
    nobody = Next(at=clock.deadline_at, kind=clock.kind, start=clock.anchor_at, deed=Deed.TELL, to=None)
    try:
        steps = rules_for(incident).steps(clock.kind)
    except ValidationError:
        # A policy with a gap: the engine cannot work with it either, and the audit names it.
        return nobody
    number: int | None = clock.step
    while number is not None:
        at = clock.fires_at if number == clock.step else fires_at(clock.anchor_at, clock.target_minutes, steps, number)
        decision = decide(
            Firing(
                kind=clock.kind,
                step=number,
                steps=steps,
                anchor_at=clock.anchor_at,
                target_minutes=clock.target_minutes,
                chain=[Level(c.pk, routing.height_of(c), c.pk not in empty) for c in chain],
                now=at,
                owner_is_staffed=incident.owner_id not in empty,
            )
        )
        if decision.kind not in (EscalationKind.WARNING, None):
            deed = Deed.MOVE if decision.kind == EscalationKind.OWNER_MOVED else Deed.TELL
            to = commands[decision.target.key] if decision.target else None
            passed = tuple(commands[level.key] for level in decision.left_out)
            return replace(nobody, at=at, deed=deed, to=to, left_out=passed if to else ())
        number = decision.next_step
    return nobody


def later_than(now: dt.datetime) -> list[tuple[str, dt.datetime]]:
    """The parts of the board, in order: what each is called, and the moment its last step comes before."""
    return [
        (_("Overdue: should have happened"), now),
        (_("Within 15 minutes"), now + AHEAD[0]),
        (_("Within the hour"), now + AHEAD[1]),
        (_("Within a day"), now + AHEAD[2]),
    ]
