"""Reading duty rosters: rows of the database as the plain values `commands.duty` works on, and what a roster says."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from commands import duty
from commands.choices import COMMANDING, DELEGATED, Role
from commands.models import Cover, Delegation, Posting, Roster, SecurityCommand, Shift, User

#: Who can stand in a roster: the roles that answer at a command.
ON_A_ROSTER = frozenset({*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY})
#: Gaps are told this far ahead.
AHEAD = dt.timedelta(days=14)


def pattern(shift: Shift) -> duty.Pattern:
    return duty.Pattern(
        shift.person_id, shift.weekday, shift.starts, shift.minutes, shift.valid_from, shift.valid_to
    )  # fmt: skip


def substitute(cover: Cover) -> duty.Substitute:
    return duty.Substitute(cover.person_id, cover.replaces_id, cover.starts_at, cover.ends_at)


@dataclass
class Plan:
    """The roster of one command as it stands, with who may be on duty there and when."""

    command: SecurityCommand
    roster: Roster | None
    shifts: list[Shift] = field(default_factory=list)
    #: In the order they were made: later ones come before earlier ones.
    covers: list[Cover] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    #: What acts for this command.
    delegations: list[Delegation] = field(default_factory=list)

    @property
    def is_on(self) -> bool:
        return self.roster is not None and self.roster.is_on

    @cached_property
    def zone(self) -> dt.tzinfo:
        return timezone.get_default_timezone()

    @cached_property
    def patterns(self) -> list[duty.Pattern]:
        return [pattern(s) for s in self.shifts]

    @cached_property
    def substitutes(self) -> list[duty.Substitute]:
        return [substitute(c) for c in self.covers]

    @cached_property
    def held(self) -> dict[int, list[tuple[dt.datetime, dt.datetime | None]]]:
        """When each person answers here, through a posting of their own or of an acting command."""
        found: dict[int, list[tuple[dt.datetime, dt.datetime | None]]] = defaultdict(list)
        for p in self.postings:
            if p.command_id == self.command.pk:
                found[p.user_id].append((p.starts_at, p.ends_at))
                continue
            for d in self.delegations:
                if d.acting_id == p.command_id and p.role in DELEGATED:
                    end = d.ends_at if p.ends_at is None else min(d.ends_at, p.ends_at)
                    if (start := max(d.starts_at, p.starts_at)) < end:
                        found[p.user_id].append((start, end))
        return dict(found)

    @cached_property
    def people(self) -> dict[int, User]:
        """Everybody the roster or a posting names, by key."""
        named = [p.user for p in self.postings] + [s.person for s in self.shifts]
        named += [u for c in self.covers for u in (c.person, c.replaces) if u is not None]
        return {u.pk: u for u in named}

    def on_duty(self, at: dt.datetime) -> list[User]:
        """Who is on duty at `at` by the roster, whether it is in use or not, by name."""
        return self.named(duty.on_duty(self.patterns, self.substitutes, at, self.zone, self.held))

    def hours(self, start: dt.datetime, end: dt.datetime) -> list[duty.Span]:
        return duty.hours(self.patterns, self.substitutes, start, end, self.zone, self.held)

    def gaps(self, start: dt.datetime, end: dt.datetime) -> list[duty.Span]:
        """Hours with nobody on duty and nobody acting for the command, by the roster, in use or not."""
        found = duty.gaps(self.patterns, self.substitutes, start, end, self.zone, self.held)
        for d in self.delegations:
            found = [part for gap in found for part in _without(gap, d.starts_at, d.ends_at)]
        return found

    def duties(self, person: User, start: dt.datetime, end: dt.datetime) -> list[duty.Span]:
        return duty.duties(person.pk, self.patterns, self.substitutes, start, end, self.zone, self.held)

    def named(self, keys: Iterable[int]) -> list[User]:
        """The people of these keys, by name."""
        return sorted((self.people[k] for k in keys if k in self.people), key=name_of)


def name_of(person: User) -> str:
    """How a person is named to colleagues: by their name where the account has one, else as they sign in."""
    return person.get_full_name() or person.get_username()


def moment_of(value: dt.datetime) -> str:
    """Day and time, local: 24 May 08:00."""
    here = timezone.localtime(value)
    day, time = date_format(here, "MONTH_DAY_FORMAT"), date_format(here, "TIME_FORMAT")
    return _("%(day)s, %(time)s") % {"day": day, "time": time}


def _without(gap: duty.Span, start: dt.datetime, end: dt.datetime) -> list[duty.Span]:
    if end <= gap.starts_at or gap.ends_at <= start:
        return [gap]
    parts = [(gap.starts_at, start), (end, gap.ends_at)]
    return [duty.Span(a, b) for a, b in parts if a < b]


def plans_of(commands: Iterable[SecurityCommand], start: dt.datetime, end: dt.datetime) -> list[Plan]:
    """The rosters of `commands`, in their order, with all that touches [start, end). Six queries for any number.

    Read a day more on both sides: whoever was on duty over midnight is still there.
    """
    asked = list(commands)
    since, until = start - duty.DAY, end + duty.DAY
    zone = timezone.get_default_timezone()
    plans = {c.pk: Plan(c, None) for c in asked}
    rosters = {r.pk: r for r in Roster.objects.filter(command__in=plans)}
    for roster in rosters.values():
        roster.command = plans[roster.command_id].command
        plans[roster.command_id].roster = roster
    shifts = Shift.objects.filter(
        Q(valid_to=None) | Q(valid_to__gte=since.astimezone(zone).date()),
        roster__in=rosters,
        valid_from__lte=until.astimezone(zone).date(),
    )
    covers = Cover.objects.filter(roster__in=rosters, ends_at__gt=since, starts_at__lt=until).order_by("made_at", "pk")
    _put(plans, rosters, list(shifts), list(covers))
    delegations = Delegation.objects.filter(command__in=plans, ends_at__gt=since, starts_at__lt=until)
    acting: dict[int, list[Plan]] = defaultdict(list)
    for delegation in delegations.select_related("acting").order_by("starts_at", "pk"):
        plans[delegation.command_id].delegations.append(delegation)
        acting[delegation.acting_id].append(plans[delegation.command_id])
    for posting in _postings([*plans, *acting], since, until):
        if posting.command_id in plans:
            plans[posting.command_id].postings.append(posting)
        for plan in acting.get(posting.command_id, ()):
            plan.postings.append(posting)
    return [plans[c.pk] for c in asked]


def _put(plans: dict[int, Plan], rosters: dict[int, Roster], shifts: Sequence[Shift], covers: Sequence[Cover]) -> None:
    """Shifts and covers onto their plans. People are read once each: a country has three for twenty shifts."""
    keys = {s.person_id for s in shifts} | {k for c in covers for k in (c.person_id, c.replaces_id) if k}
    people = User.objects.in_bulk(keys)
    for shift in shifts:
        shift.roster, shift.person = rosters[shift.roster_id], people[shift.person_id]
        plans[shift.roster.command_id].shifts.append(shift)
    for cover in covers:
        cover.roster = rosters[cover.roster_id]
        cover.person = people[cover.person_id] if cover.person_id else None
        cover.replaces = people[cover.replaces_id] if cover.replaces_id else None
        plans[cover.roster.command_id].covers.append(cover)


def plan_of(command: SecurityCommand, start: dt.datetime, end: dt.datetime) -> Plan:
    return plans_of([command], start, end)[0]


def _postings(commands: Iterable[int], since: dt.datetime, until: dt.datetime) -> Iterable[Posting]:
    return Posting.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=since),
        command__in=set(commands),
        role__in=ON_A_ROSTER,
        starts_at__lt=until,
        command__dissolved_on=None,
        user__is_active=True,
    ).select_related("user")
