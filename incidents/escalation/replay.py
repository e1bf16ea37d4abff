"""The rows that simulations play: past cases with what people did when, and the ladders of the country as they stand.

Reads in a handful of queries whatever the number of cases. Sealed cases are left out, whoever asks: how long a desk
took over them would be seen in the hours of a table.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils import timezone

from commands.choices import BodyKind
from commands.models import SecurityCommand
from elections.models import Election
from incidents.choices import Act, Severity, State
from incidents.escalation.decide import Level
from incidents.escalation.simulate import Case, Response
from incidents.models import Custody, Entry
from incidents.querysets import IncidentQuerySet
from incidents.routing import LADDER_KINDS, height_of, people_at

#: As many cases as a page plays; a management command may play more.
MOST = 5_000
#: Never were cases, or are told by another one.
_NOT_PLAYED = (State.DRAFT, State.MERGED, State.WITHDRAWN, State.NOT_AN_INCIDENT)
_COLUMNS = (
    "pk", "reported_at", "place", "phase", "severity", "acknowledged_at", "first_update_at", "last_update_at",
    "contained_at", "resolved_at", "election",
)  # fmt: skip


class Ladders:
    """Who stands above whom, and where nobody is, at `now`: read once, asked for every case."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        commands = list(SecurityCommand.objects.active().filter(kind__in=LADDER_KINDS))
        people = people_at(commands, now)
        self.commands = {c.pk: c for c in commands}
        self._at: dict[str, list[Level]] = defaultdict(list)
        for c in sorted(commands, key=lambda c: (height_of(c), c.force != "joint", c.code)):
            self._at[c.jurisdiction_id].append(Level(c.pk, height_of(c), bool(people.get(c.pk))))
        self._known: dict[str, tuple[Level, ...]] = {}

    def of(self, place: str) -> tuple[Level, ...]:
        """The ladder of P-code `place`, lowest first: what `routing.ladder_of` says, with who is there."""
        district = place[:6]
        if district not in self._known:
            found = [level for code in (place[:6], place[:4], place[:2]) for level in self._at.get(code, ())]
            self._known[district] = tuple(sorted(found, key=lambda level: level.height))
        return self._known[district]

    def levels(self) -> list[Level]:
        """Every command of the ladder once."""
        return [level for levels in self._at.values() for level in levels]

    def districts(self, under: str = "") -> list[str]:
        """P-codes of the districts with a command, in order; under P-code `under`."""
        codes = {c.jurisdiction_id for c in self.commands.values() if c.kind == BodyKind.DISTRICT}
        return sorted(code for code in codes if code.startswith(under))

    def of_districts(self, under: str = "") -> list[tuple[Level, ...]]:
        """One ladder for each of `districts`."""
        return [self.of(code) for code in self.districts(under)]


def opening(election: Election, phase: str, now: dt.datetime) -> dt.datetime | None:
    """When made-up cases of a phase begin: at seven in the morning of the first day of its window in the country.

    Of several windows (a re-poll) the next one that is not over at `now`, else the last. None where it has none.
    """
    windows = [w for w in election.windows if w.phase == phase and w.jurisdiction_id is None]
    if not windows:
        return None
    window = next((w for w in windows if w.ends_at > now), windows[-1])
    morning = timezone.localtime(window.starts_at).replace(hour=7, minute=0, second=0, microsecond=0)
    return max(morning, window.starts_at) if morning < window.ends_at else window.starts_at


def made_up_in(election: Election, phase: str, ladders: Ladders) -> dict[str, Any]:
    """Where and when made-up cases of a phase come in: what `simulate.generated` is told of it.

    In the calendar of the election; today, in a phase that does not end, where the calendar has no such phase.
    """
    start = opening(election, phase, ladders.now)
    if start is None:
        today = timezone.localdate(ladders.now)
        start = dt.datetime.combine(today, dt.time(7), timezone.get_default_timezone())
        return {"start": start, "local_hour": 7, "phase": phase}
    where = {"election": election, "places": ladders.districts()}
    return {"start": start, "local_hour": timezone.localtime(start).hour, "phase": phase, **where}


def past(cases: IncidentQuerySet, ladders: Ladders, most: int = MOST) -> list[Case]:
    """The earliest `most` of `cases` that were cases, each with when it was taken, written of, contained and resolved.

    What is open is played up to the moment of the `ladders`: nobody knows what people will do then.
    A case that is sealed or was never rated, or whose place no command covers, is not among them.
    """
    wanted = cases.filter(is_sealed=False).exclude(state__in=_NOT_PLAYED)
    rows = list(wanted.exclude(severity=Severity.UNRATED).order_by("reported_at", "pk").values_list(*_COLUMNS)[:most])
    keys = [row[0] for row in rows]
    updates, accepts = _updates(r[0] for r in rows if r[4] == Severity.CRITICAL), _accepts(keys)
    elections = Election.objects.in_bulk({row[-1] for row in rows})
    found = []
    for key, at, place, phase, severity, *times, election in rows:
        levels = ladders.of(place)
        if levels:
            found.append(
                Case(
                    at=at,
                    hour=timezone.localtime(at).hour,
                    phase=phase,
                    severity=severity,
                    levels=levels,
                    response=_response(at, times, updates.get(key), accepts.get(key, ())),
                    until=ladders.now,
                    election=elections[election],
                    place=place,
                )
            )
    return found


def _response(
    at: dt.datetime,
    times: list[dt.datetime | None],
    written: list[dt.datetime] | None,
    accepts: Iterable[float | None],
) -> Response:
    taken, first, last, contained, resolved = (None if t is None else _minutes(t - at) for t in times)
    # Only critical cases are asked for further updates; of the others the first and the last one say enough.
    updates = [m for m in (first, last) if m is not None] if written is None else [_minutes(t - at) for t in written]
    later = tuple(accepts)
    # Nobody was ever handed this case: a next owner would have needed as long as the first one did.
    takes = (taken, *(later or (taken,)))
    return Response(
        takes=takes,
        taken_at=taken,
        is_past=True,
        updates=tuple(sorted(set(updates))),
        contained=contained,
        resolved=resolved,
    )


def _minutes(span: dt.timedelta) -> float:
    return max(span.total_seconds() / 60, 0)


def _updates(keys: Iterable[UUID]) -> dict[UUID, list[dt.datetime]]:
    found: dict[UUID, list[dt.datetime]] = defaultdict(list)
    for part in _parts(list(keys)):
        for key, at in Entry.objects.filter(incident__in=part, act=Act.UPDATE).values_list("incident", "at"):
            if key is not None:
                found[key].append(at)
    return found


def _accepts(keys: list[UUID]) -> dict[UUID, list[float | None]]:
    """How long each further owner needed to accept, in the order of the hand-overs; None where it never did."""
    found: dict[UUID, list[float | None]] = defaultdict(list)
    for part in _parts(keys):
        rows = Custody.objects.filter(incident__in=part, from_command__isnull=False).order_by("pk")
        for key, at, accepted in rows.values_list("incident", "at", "accepted_at"):
            found[key].append(None if accepted is None else _minutes(accepted - at))
    return found


def _parts(keys: list[UUID], size: int = 500) -> Iterable[list[UUID]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))
