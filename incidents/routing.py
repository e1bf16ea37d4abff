"""Which command answers for a case, which stand above it, and who there is told."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from commands.choices import COMMANDING, RUNG, BodyKind, Role
from commands.models import Posting, SecurityCommand, User
from elections.prepared import prepared
from incidents.choices import Severity

#: Who answers at a command: it is they who are told.
ANSWERING = frozenset({*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY})


def ladder_of(place: str) -> list[SecurityCommand]:
    """The commands that answer for P-code `place`, lowest first: district, province, PSC, as far as they exist."""
    commands = _answering_for([place[:6], place[:4], place[:2]])
    return sorted(commands, key=lambda c: (RUNG[BodyKind(c.kind)], c.force != "joint", c.code))


_LADDER_KINDS = [BodyKind.DISTRICT, BodyKind.PROVINCE, BodyKind.PSC]


@prepared
def _answering_for(places: Any) -> QuerySet[SecurityCommand]:
    found = SecurityCommand.objects.active().filter(jurisdiction__pk__in=places, kind__in=_LADDER_KINDS)
    return found.select_related("jurisdiction")


def desks() -> dict[str, SecurityCommand]:
    """Integrity desks by the path of the body they belong to: {"PSC.KH12.": …, "PSC.": …, "NEC.": …}."""
    found = SecurityCommand.objects.active().filter(kind=BodyKind.INTEGRITY_DESK).select_related("parent")
    return {d.parent.path: d for d in found if d.parent}


def desk_chain(subjects: Iterable[SecurityCommand]) -> list[SecurityCommand]:
    """Integrity desks that may hold a case about `subjects`, lowest first: above every subject, never of a subject.

    District > provincial desk; province > PSC desk; PSC, ministry or anything else > NEC desk (domain 3.3, COI).
    """
    by_path = desks()
    paths = [s.path for s in subjects]
    chain = []
    for parent_path, desk in by_path.items():
        if parent_path == "NEC.":
            continue
        if all(p.startswith(parent_path) and p != parent_path for p in paths):
            chain.append(desk)
    chain.sort(key=lambda d: -d.path.count("."))
    nec = by_path.get("NEC.")
    if nec and not any(p.startswith("NEC.") for p in paths):
        chain.append(nec)
    elif by_path.get("PSC.") and by_path["PSC."] not in chain:
        chain.append(by_path["PSC."])
    return chain


def nec() -> SecurityCommand | None:
    """The NEC's election-security secretariat."""
    return SecurityCommand.objects.active().filter(kind=BodyKind.NEC).order_by("path").first()


def first_owner(place: str, severity: str, ladder: Sequence[SecurityCommand] | None = None) -> SecurityCommand:
    """Who owns a new, unsealed report: the district, the province for a critical one, the NEC for an unrated one.

    `ladder` is that of the place, where the caller has read it. Raises ValidationError where no command covers the
    place.
    """
    if severity == Severity.UNRATED and (secretariat := nec()):
        return secretariat
    ladder = ladder_of(place) if ladder is None else ladder
    if severity == Severity.CRITICAL:
        ladder = [c for c in ladder if (c.rung or 0) >= 2] or ladder
    if not ladder:
        raise ValidationError(_("No command covers this place. Ask your administrator."), code="setup")
    return ladder[0]


def told_at_once(owner: SecurityCommand, ladder: Sequence[SecurityCommand], severity: str) -> list[SecurityCommand]:
    """Commands beside the owner that hear of a new report: critical all and the NEC, high the province."""
    if severity == Severity.CRITICAL:
        secretariat = nec()
        return [c for c in ladder if c.pk != owner.pk] + ([secretariat] if secretariat else [])
    if severity == Severity.HIGH:
        return [c for c in ladder if c.rung == 2 and c.pk != owner.pk]
    return []


def above(owner: SecurityCommand, place: str, subjects: Sequence[SecurityCommand] | None) -> list[SecurityCommand]:
    """What stands above `owner` for this case, nearest first: the ladder, or for a sealed case the higher desks."""
    if subjects is not None:
        chain = desk_chain(subjects)
        codes = [d.code for d in chain]
        return chain[codes.index(owner.code) + 1 :] if owner.code in codes else []
    rung = owner.rung
    return [] if rung is None else [c for c in ladder_of(place) if (c.rung or 0) > rung]


def people_at(commands: Iterable[SecurityCommand | int], now: dt.datetime) -> dict[int, list[User]]:
    """Who is told at each command (by primary key): its commanders, its NEC secretariat, its integrity officers."""
    keys = {c if isinstance(c, int) else c.pk for c in commands}
    found: dict[int, list[User]] = defaultdict(list)
    for posting in _answering_at(sorted(keys), now):
        if posting.user not in found[posting.command_id]:
            found[posting.command_id].append(posting.user)
    return found


@prepared
def _answering_at(commands: Any, now: Any) -> QuerySet[Posting]:
    postings = Posting.objects.current(now).filter(command__pk__in=commands, role__in=ANSWERING)
    return postings.select_related("user").order_by("pk")
