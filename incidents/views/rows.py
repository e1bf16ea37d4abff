"""A page of a list of cases: by keyset, with what each row shows beside the case, in a fixed number of queries."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commands.choices import COMMANDING
from commands.models import User
from elections.models import Jurisdiction
from elections.prepared import prepared
from incidents import actions
from incidents.choices import Act, ClockKind
from incidents.forms.asks import ASKS, Ask, wanted_first
from incidents.models import Clock, ClockState, Incident
from incidents.named import named
from incidents.querysets import OPERATIONAL_ONLY, IncidentQuerySet

PAGE = 25
#: Length of a commune's P-code: the most exact place for readers without the details.
COMMUNE = 8
#: Counts stop here: a page must not cost what the country has cases.
COUNT_LIMIT = 1000


@dataclass(frozen=True)
class Row:
    """One case in a list."""

    incident: Incident
    title: str
    has_own_title: bool
    place: Jurisdiction
    clock_start: dt.datetime | None
    act: Act | None
    is_strong: bool
    #: What the rule does at the deadline, for the strip of what leaves a command next.
    then: str = ""

    @property
    def ask(self) -> Ask | None:
        return ASKS[self.act] if self.act else None

    @property
    def due_what(self) -> str:
        kind = self.incident.next_due_kind
        return str(ClockKind(kind).label) if kind else ""


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    #: Where the next page starts, or "".
    after: str


def page(
    cases: IncidentQuerySet, user: User, now: dt.datetime, *, by_deadline: bool, after: str = "", size: int = PAGE
) -> Page:
    """Up to `size` rows behind the cursor `after`: soonest deadline first, or newest report first.

    Raises ValidationError under "after" for a cursor that is none.
    """
    found = _behind(cases, by_deadline, after)
    ordered = found.order_by(*(("next_due_at", "id") if by_deadline else ("-reported_at", "-id")))
    # First which, from an index alone; then all that a row shows of them. In one query PostgreSQL, expecting fewer
    # cases behind the cursor than there are, joins all of a province and sorts them (430 ms at a million).
    keys = list(ordered.values_list("pk", flat=True)[: size + 1])
    shown = with_clocks(keys[:size])
    more = _cursor(shown[-1], by_deadline) if len(keys) > size else ""
    return Page(rows_of(shown, user, now), more)


def with_clocks(keys: list[UUID]) -> list[Incident]:
    """The cases of these keys, in their order, with all that a row shows: two queries."""
    found = named(keys)
    running: dict[UUID, list[Clock]] = defaultdict(list)
    for clock in _running_of(keys):
        running[clock.incident_id].append(clock)
    for incident in found:
        incident.running = running[incident.pk]  # type: ignore[attr-defined]
    return found


@prepared
def _running_of(keys: Any) -> QuerySet[Clock]:
    return Clock.objects.filter(incident__pk__in=keys, state=ClockState.RUNNING)


def rows_of(incidents: list[Incident], user: User, now: dt.datetime) -> list[Row]:
    """Rows of cases read with `with_names()`; one query for all of them where not everything may be read."""
    readable = detailed_keys(user, incidents)
    rows: list[Row] = []
    for incident in incidents:
        detailed = incident.pk in readable
        act = actions.first_allowed(wanted_first(incident), incident, user)
        late = incident.next_due_at is not None and incident.next_due_at <= now
        rows.append(
            Row(
                incident=incident,
                title=(incident.title if detailed else "") or incident.category.name,
                has_own_title=bool(incident.title) and detailed,
                place=place_for(incident, detailed=detailed),
                clock_start=_start(incident),
                act=act,
                # One loud button: the first of the list, if its time is up or it waits to be acknowledged.
                is_strong=not rows and act is not None and (late or act == Act.ACKNOWLEDGE),
            )
        )
    return rows


def detailed_keys(user: User, incidents: Iterable[Incident]) -> set[UUID]:
    """Which of these visible cases show their narrative, exact place and files to `user`."""
    keys = {incident.pk for incident in incidents}
    if not keys or not any(p.role in OPERATIONAL_ONLY for p in user.current_postings):
        return keys
    return set(Incident.objects.detailed_to(user).filter(pk__in=keys).values_list("pk", flat=True))


def own_commands(user: User) -> set[int]:
    """Keys of the commands at which the person commands."""
    return {p.command_id for p in user.current_postings if p.role in COMMANDING}


def place_for(incident: Incident, *, detailed: bool) -> Jurisdiction:
    """The place as exactly as the reader may know it."""
    place = incident.place
    return place.parent if not detailed and len(place.pcode) > COMMUNE and place.parent else place


def counted(cases: IncidentQuerySet, limit: int = COUNT_LIMIT) -> str:
    """How many, in figures; "1,000+" beyond the limit."""
    number = cases.order_by()[: limit + 1].count()
    return f"{limit:,}+" if number > limit else f"{number:,}"


def _start(incident: Incident) -> dt.datetime | None:
    """When the time of the next deadline began to run."""
    for clock in getattr(incident, "running", []):
        if clock.kind == incident.next_due_kind and clock.deadline_at == incident.next_due_at:
            return clock.anchor_at  # type: ignore[no-any-return]
    return None


# ---- Keyset ----


def _cursor(incident: Incident, by_deadline: bool) -> str:
    moment = incident.next_due_at if by_deadline else incident.reported_at
    assert moment is not None  # noqa: S101 - an open case has a deadline: a constraint of the table
    return cursor("d" if by_deadline else "r", moment, incident.pk)


def cursor(order: str, moment: dt.datetime, key: UUID) -> str:
    """A place in a list of cases as one word of an address; `order` is one letter that names the list's order."""
    text = f"{order}{moment.isoformat()}_{key.hex}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _behind(cases: IncidentQuerySet, by_deadline: bool, after: str) -> IncidentQuerySet:
    if not after:
        return cases
    moment, key = read_cursor(after, "d" if by_deadline else "r")
    if by_deadline:
        # The first condition alone bounds the index scan; the second breaks ties.
        return cases.filter(next_due_at__gte=moment).filter(Q(next_due_at__gt=moment) | Q(id__gt=key))
    return cases.filter(reported_at__lte=moment).filter(Q(reported_at__lt=moment) | Q(id__lt=key))


def read_cursor(after: str, order: str) -> tuple[dt.datetime, UUID]:
    """The moment and key of a `cursor`. Raises ValidationError under "after" for what is none of this order."""
    refused = ValidationError({"after": _("This place in the list is not known. Begin at the top.")})
    try:
        text = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode()
        moment, key = text[1:].split("_")
        at, pk = dt.datetime.fromisoformat(moment), UUID(key)
    except (ValueError, binascii.Error):
        raise refused from None
    if text[:1] != order or at.tzinfo is None or not 1900 < at.year < 2200:
        raise refused
    return at, pk
