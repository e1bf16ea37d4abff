"""The one read scope. Every list, page, map, count, search, export, attachment and API answer starts at `visible_to`.

Not visible and not existing are the same answer, 404. A second predicate anywhere else is a defect: to check one case,
filter `visible_to(user)` by its key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from commands.choices import Role
from elections.choices import Level
from incidents.choices import OPEN, State

if TYPE_CHECKING:
    from commands.models import Posting, User
    from incidents.models import Incident  # noqa: F401

#: See everything that is not sealed.
_WHOLE_COUNTRY = (Role.PSC_WATCH, Role.NEC_SECRETARIAT, Role.MINISTRY_ANALYST, Role.AUDITOR)
#: See the operational data (tier T1) and nothing of the narrative, exact place or files (tier T2).
OPERATIONAL_ONLY = (Role.MINISTRY_ANALYST, Role.AUDITOR)

#: See single cases, not the whole of a place.
BY_CASE = (Role.INTEGRITY, Role.OFFICER, Role.LIAISON)

NOTHING = Q(pk__in=[])


def place_under(code: str) -> Q:
    """Cases in the subtree of P-code `code`; equality on the stored columns where there is one, for the indexes."""
    match len(code):
        case 2:
            return Q()
        case 4:
            return Q(province_code=code)
        case 6:
            return Q(district_code=code)
        case _:
            # The join to the place is trimmed: its code is the column itself.
            return Q(place__pcode__startswith=code)


def unit_codes(postings: Iterable[Posting]) -> set[str]:
    """Codes of every command the postings are at or under: a case about any of these is sealed from their holder.

    Who acts for a command answers as it does, so its cases are sealed from them too. Not so for an integrity desk that
    acts for another: it does not stand under what that desk stands under, and would lose the cases it holds about it.
    """
    return {code for p in units_of(postings) for code in p.command.path.strip(".").split(".")}


def units_of(postings: Iterable[Posting]) -> list[Posting]:
    """Those of the postings by which somebody serves at a body, as `unit_codes` has it."""
    return [p for p in postings if not (p.is_acting and p.role == Role.INTEGRITY)]


def place_of(posting: Posting) -> str | None:
    """The P-code all of whose unsealed cases a posting shows, "" for the country; None where it shows no place."""
    match posting.role:
        case Role.DUTY_COMMANDER | Role.PROVINCIAL_COMMAND:
            country = posting.command.jurisdiction.level == Level.COUNTRY
            return None if country else posting.command.jurisdiction_id
        case role if role in _WHOLE_COUNTRY:
            return ""
        case _:
            return None


def whole_places(user: User | AnonymousUser) -> tuple[str, ...] | None:
    """The P-codes that make up all `visible_to(user)` shows, ("",) for the country; None where it is not of places.

    For answers from counts by place: they hold the unsealed cases of a place, no more and no less.
    """
    postings = [] if isinstance(user, AnonymousUser) else user.current_postings
    if any(p.role in BY_CASE for p in postings):
        return None
    codes = {place for p in postings if (place := place_of(p)) is not None}
    return tuple(sorted(c for c in codes if not any(c != other and c.startswith(other) for other in codes)))


class IncidentQuerySet(models.QuerySet["Incident"]):
    # ---- Scope ----

    def visible_to(self, user: User | AnonymousUser, *, unsealed: bool = False) -> IncidentQuerySet:
        """Cases `user` may know of, through the postings in force now. Unknown people and roles see none.

        With `unsealed` those of them that are not sealed: half the work where the case asked about is known not to be.
        """
        return self._scoped(user, details=False, unsealed=unsealed)

    def detailed_to(self, user: User | AnonymousUser, *, unsealed: bool = False) -> IncidentQuerySet:
        """The visible cases whose narrative, exact place and files (tier T2) `user` may read; `unsealed` as above."""
        return self._scoped(user, details=True, unsealed=unsealed)

    def _scoped(self, user: User | AnonymousUser, *, details: bool, unsealed: bool) -> IncidentQuerySet:
        if isinstance(user, AnonymousUser):
            return self.none()
        postings = [p for p in user.current_postings if not (details and p.role in OPERATIONAL_ONLY)]
        scope = NOTHING
        for posting in postings:
            scope |= self._scope_of(user, posting)
        concerned = unit_codes(user.current_postings)
        if scope == NOTHING and not postings:
            return self.none()
        if unsealed or not any(p.role in BY_CASE for p in postings):
            # The common case of a queue or dashboard: one plain condition that the indexes answer.
            return self.filter(scope, is_sealed=False)
        subject: Any = self.model._meta.get_field("subjects").related_model
        about_them = subject.objects.filter(command__code__in=concerned).values("incident")
        # As keys: to exclude across the relation costs three times the time to say the same.
        sealed = self._sealed_scope(user, postings) & ~Q(pk__in=about_them)
        return self.filter((scope & Q(is_sealed=False)) | (sealed & Q(is_sealed=True)))

    @staticmethod
    def _scope_of(user: User, posting: Posting) -> Q:
        match posting.role:
            case Role.OFFICER:
                return Q(reporter=user) | Q(assignee=user)
            case Role.LIAISON:
                return Q(reporter=user)
            case _:
                place = place_of(posting)
                if place is None:
                    return NOTHING
                return place_under(place) if place else ~NOTHING

    def _sealed_scope(self, user: User, postings: list[Posting]) -> Q:
        """Sealed cases: the reporter's own, those an integrity desk holds or held, and all for the desk at the NEC."""
        scope = Q(reporter=user) if postings else NOTHING
        desks = [p.command_id for p in postings if p.role == Role.INTEGRITY]
        if desks:
            custody: Any = self.model._meta.get_field("custodies").related_model
            scope |= Q(pk__in=custody.objects.filter(command__in=desks).values("incident"))
        if any(p.role == Role.INTEGRITY and p.command.path.startswith("NEC.") for p in postings):
            scope |= ~NOTHING
        return scope

    # ---- Adjectives ----

    def open(self) -> IncidentQuerySet:
        return self.filter(state__in=OPEN)

    def overdue(self, now: dt.datetime) -> IncidentQuerySet:
        """Open cases whose next deadline (`timekeeping.in_turn`) has passed at `now`."""
        return self.filter(state__in=OPEN, next_due_at__lt=now)

    def counted(self) -> IncidentQuerySet:
        """Cases that are incidents: duplicates, withdrawn and dismissed reports are not counted as such."""
        return self.exclude(state__in=[State.MERGED, State.WITHDRAWN, State.NOT_AN_INCIDENT])

    def under(self, code: str) -> IncidentQuerySet:
        return self.filter(place_under(code))

    def in_bbox(self, west: float, south: float, east: float, north: float) -> IncidentQuerySet:
        """Cases with a point inside the box, degrees WGS 84."""
        return self.filter(lat__range=(south, north), lon__range=(west, east))

    def with_names(self) -> IncidentQuerySet:
        """Everything a list row shows, in one query."""
        return self.select_related("category", "place", "place__parent", "place__parent__parent", "owner", "election")
