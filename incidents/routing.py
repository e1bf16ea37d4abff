"""Which command answers for a case, which stand above it, and who there is told."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import duty, rosters
from commands.choices import COMMANDING, DELEGATED, RUNG, BodyKind, Role
from commands.models import Cover, Delegation, Posting, SecurityCommand, Shift, User
from elections.prepared import prepared
from incidents.choices import Severity

#: Who answers at a command: it is they who are told.
ANSWERING = frozenset({*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY})


def ladder_of(place: str) -> list[SecurityCommand]:
    """The commands that answer for P-code `place`, lowest first: district, province, PSC, as far as they exist."""
    return in_order(_answering_for([place[:6], place[:4], place[:2]]))


def in_order(commands: Iterable[SecurityCommand]) -> list[SecurityCommand]:
    """Commands of a ladder from the lowest up; of one rung the joint command first."""
    return sorted(commands, key=lambda c: (RUNG[BodyKind(c.kind)], c.force != "joint", c.code))


LADDER_KINDS = [BodyKind.DISTRICT, BodyKind.PROVINCE, BodyKind.PSC]


@prepared
def _answering_for(places: Any) -> QuerySet[SecurityCommand]:
    found = SecurityCommand.objects.active().filter(jurisdiction__pk__in=places, kind__in=LADDER_KINDS)
    return found.select_related("jurisdiction")


def desks() -> dict[str, SecurityCommand]:
    """Integrity desks by the path of the body they belong to: {"PSC.KH12.": …, "PSC.": …, "NEC.": …}."""
    found = SecurityCommand.objects.active().filter(kind=BodyKind.INTEGRITY_DESK).select_related("parent")
    return {d.parent.path: d for d in found if d.parent}


def desk_chain(
    subjects: Iterable[SecurityCommand], by_path: dict[str, SecurityCommand] | None = None
) -> list[SecurityCommand]:
    """Integrity desks that may hold a case about `subjects`, lowest first: above every subject, never of a subject.

    District > provincial desk; province > PSC desk; PSC, ministry or anything else > NEC desk (domain 3.3, COI).
    `by_path` is what `desks` gave, where the caller has read it.
    """
    by_path = desks() if by_path is None else by_path
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


def height_of(command: SecurityCommand) -> int:
    """How high a command stands: 1 district, 2 province, 3 PSC, 4 NEC; a desk like the body it belongs to, else 0."""
    if command.rung is not None:
        return command.rung
    if command.kind != BodyKind.INTEGRITY_DESK:
        return 0
    above = command.path.count(".") - 1
    return 4 if command.path.startswith("NEC.") else max(0, 4 - above)


def serving_under(paths: Iterable[str], now: dt.datetime) -> set[int]:
    """Keys of people who serve at or under commands (paths), or act for one: what is about these is kept from them."""
    here = Q()
    for path in paths:
        here |= Q(command__path__startswith=path)
    if not here:
        return set()
    acting = Delegation.objects.filter(here, starts_at__lte=now, ends_at__gt=now).values("acting")
    holding = Posting.objects.current(now).filter(
        here | (Q(command__in=acting, role__in=DELEGATED) & ~Q(role=Role.INTEGRITY))
    )
    return set(holding.values_list("user", flat=True))


def holders(roles: Collection[Role], now: dt.datetime) -> list[User]:
    """Everybody who holds a posting of one of these roles at `now`, once each."""
    held = Posting.objects.current(now).filter(role__in=roles).select_related("user").order_by("pk")
    return _once([posting.user for posting in held])


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


def told_at_once(
    owner: SecurityCommand, ladder: Sequence[SecurityCommand], severity: str, *, is_tight: bool
) -> list[SecurityCommand]:
    """Commands beside the owner that hear of a new report: of a critical one all and the NEC.

    Of a high one the province, in the tight time from the evening of the silence day to the end of the counting
    (`is_tight`); at other times it hears of it when the owner is late (domain 3.3).
    """
    if severity == Severity.CRITICAL:
        secretariat = nec()
        return [c for c in ladder if c.pk != owner.pk] + ([secretariat] if secretariat else [])
    if severity == Severity.HIGH and is_tight:
        return [c for c in ladder if (c.rung or 0) <= 2 and c.pk != owner.pk]
    return []


def first_staffed(
    owner: SecurityCommand, chain: Sequence[SecurityCommand], vacant: Collection[int]
) -> tuple[SecurityCommand, list[SecurityCommand]]:
    """`owner`, or where it is `vacant` (keys) the nearest of `chain` above it that is not; and whom that leaves out.

    With nobody anywhere it stays where it belongs, and the engine says so loudly.
    """
    if owner.pk not in vacant or all(c.pk in vacant for c in chain):
        return owner, []
    at = next(n for n, c in enumerate(chain) if c.pk not in vacant)
    return chain[at], [owner, *chain[:at]]


def nearest_staffed(
    chain: Sequence[SecurityCommand], vacant: Collection[int]
) -> tuple[SecurityCommand | None, list[SecurityCommand]]:
    """The first of `chain` that is not `vacant` (keys), and whom that leaves out; None where nobody is anywhere."""
    at = next((n for n, c in enumerate(chain) if c.pk not in vacant), len(chain))
    return (chain[at] if at < len(chain) else None), list(chain[:at])


def above(owner: SecurityCommand, place: str, subjects: Sequence[SecurityCommand] | None) -> list[SecurityCommand]:
    """What stands above `owner` for this case, nearest first: the ladder, or for a sealed case the higher desks."""
    if subjects is not None:
        return further(owner, desk_chain(subjects))
    return [] if owner.rung is None else higher(owner, ladder_of(place))


def higher(owner: SecurityCommand, ladder: Sequence[SecurityCommand]) -> list[SecurityCommand]:
    """Those of `ladder` that stand above `owner`; none where it stands on no ladder, as the NEC."""
    rung = owner.rung
    return [] if rung is None else [c for c in ladder if (c.rung or 0) > rung]


def further(owner: SecurityCommand, chain: Sequence[SecurityCommand]) -> list[SecurityCommand]:
    """The desks of `chain` after `owner`; none where it is not one of them."""
    keys = [d.pk for d in chain]
    return list(chain[keys.index(owner.pk) + 1 :]) if owner.pk in keys else []


@dataclass(frozen=True)
class Answering:
    """Who answers at commands at one moment, by the commands' primary keys; every one asked for has its list.

    `posted` hold a posting there or at a command that acts for it; of these `on_duty` are those whom a roster in use
    names for this hour, or all where there is none. A roster in use with nobody on duty: an empty list.
    """

    posted: dict[int, list[User]]
    on_duty: dict[int, list[User]]


def people_at(commands: Iterable[SecurityCommand | int], now: dt.datetime) -> dict[int, list[User]]:
    """Who is told at each command (by primary key): whoever answers there and is on duty. Empty: nobody is there."""
    return answering(commands, now).on_duty


def vacant_among(
    commands: Iterable[SecurityCommand],
    now: dt.datetime,
    subjects: Sequence[SecurityCommand] | None = None,
    known: Mapping[int, list[User]] | None = None,
) -> set[int]:
    """Keys of those with nobody there. Who serves at a unit that a sealed case is about (`subjects`) does not count.

    `known` is what `people_at` gave for them, where the caller has asked.
    """
    asked = list(commands)
    found = people_at(asked, now) if known is None else known
    barred = serving_under([s.path for s in subjects], now) if subjects else set()
    return {c.pk for c in asked if not any(p.pk not in barred for p in found[c.pk])}


def posted_at(commands: Iterable[SecurityCommand | int], now: dt.datetime) -> dict[int, list[User]]:
    """Everybody who answers at each command (by primary key), on duty or not: for telling of a gap."""
    return answering(commands, now).posted


def answering(commands: Iterable[SecurityCommand | int], now: dt.datetime) -> Answering:
    """For any number of commands two queries; one more where a command acts for one, two where a roster is in use."""
    keys = sorted({c if isinstance(c, int) else c.pk for c in commands})
    postings = _answering_at(_even(keys), now) if keys else []
    acting = _acting_for(_even(keys), now) if keys else []
    beside = sorted({d.acting_id for d in acting} - set(keys))
    if beside:
        postings += _answering_at(_even(beside), now)
    own: dict[int, list[User]] = {key: [] for key in [*keys, *beside]}
    in_use = {d.command_id for d in acting if _has_roster(d.command)}
    for posting in postings:
        _add(own[posting.command_id], posting.user)
        if _has_roster(posting.command):
            in_use.add(posting.command_id)
    named = _named(sorted(in_use), now) if in_use else {}
    posted = {key: list(own[key]) for key in keys}
    present = {key: _present(own[key], named.get(key)) for key in keys}
    able = {(p.command_id, p.user_id) for p in postings if p.role in DELEGATED}
    for delegation in acting:
        key, other = delegation.command_id, delegation.acting_id
        there = [p for p in own[other] if (other, p.pk) in able]
        # A roster may name people of the acting command, too; whoever that one has on duty answers in any case.
        here = _present(there, named.get(other)) + _present(there, named.get(key, set()))
        posted[key] = _once([*posted[key], *there])
        present[key] = _once([*present[key], *here])
    return Answering(posted, present)


def _has_roster(command: SecurityCommand) -> bool:
    roster = getattr(command, "roster", None)
    return roster is not None and roster.is_on


def _present(people: list[User], named: set[int] | None) -> list[User]:
    """Those of `people` whom the roster names; all where there is none."""
    return people if named is None else [p for p in people if p.pk in named]


def _add(people: list[User], person: User) -> None:
    if person not in people:
        people.append(person)


def _once(people: list[User]) -> list[User]:
    return list(dict.fromkeys(people))


def _even(keys: list[int]) -> list[int]:
    """Filled up to a power of two with the last one, so that a prepared query is kept in a few lengths only."""
    return keys + keys[-1:] * ((1 << (len(keys) - 1).bit_length()) - len(keys))


def _named(commands: list[int], now: dt.datetime) -> dict[int, set[int]]:
    """Whom the rosters of `commands` name for this moment, by command; every one asked for is there."""
    zone = timezone.get_default_timezone()
    today = now.astimezone(zone).date()
    yesterday = today - duty.DAY
    shifts: dict[int, list[duty.Pattern]] = defaultdict(list)
    covers: dict[int, list[duty.Substitute]] = defaultdict(list)
    # What runs now began today or yesterday: no shift is longer than a day.
    for row in _shifts_of(_even(commands), [today.weekday(), yesterday.weekday()], today, yesterday):
        shifts[row.roster.command_id].append(rosters.pattern(row))
    for cover in _covers_of(_even(commands), now):
        covers[cover.roster.command_id].append(rosters.substitute(cover))
    return {key: duty.on_duty(shifts[key], covers[key], now, zone) for key in commands}


@prepared
def _answering_at(commands: Any, now: Any) -> QuerySet[Posting]:
    postings = Posting.objects.current(now).filter(command__pk__in=commands, role__in=ANSWERING)
    return postings.select_related("user", "command__roster").order_by("pk")


@prepared
def _acting_for(commands: Any, now: Any) -> QuerySet[Delegation]:
    running = Delegation.objects.filter(command__pk__in=commands, starts_at__lte=now, ends_at__gt=now)
    return running.select_related("command__roster").order_by("pk")


@prepared
def _shifts_of(commands: Any, weekdays: Any, today: Any, yesterday: Any) -> QuerySet[Shift]:
    shifts = Shift.objects.filter(
        Q(valid_to=None) | Q(valid_to__gte=yesterday),
        roster__command__pk__in=commands,
        weekday__in=weekdays,
        valid_from__lte=today,
    )
    return shifts.select_related("roster").order_by("pk")


@prepared
def _covers_of(commands: Any, now: Any) -> QuerySet[Cover]:
    covers = Cover.objects.filter(roster__command__pk__in=commands, starts_at__lte=now, ends_at__gt=now)
    return covers.select_related("roster").order_by("made_at", "pk")
