"""What every page's frame shows: election and phase, whose eyes, what waits, how the engine is. Read when a page asks.

A fragment that does not use `shell` pays nothing. A whole page pays at most three queries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from commands.authority import RELEASES
from commands.choices import COMMANDING, Role
from commands.models import Posting, User
from elections.calendar import window_at
from elections.choices import ElectionType, Phase
from elections.models import Election, PhaseWindow
from incidents import classification, navigation
from incidents.delivery import drills
from incidents.election_choice import current_election
from incidents.escalation import board
from incidents.escalation.said import Plain, Said, heading, said
from incidents.escalation.watchdog import ALARMS, Pulse, Stuck, grace, pulse, set_aside, stuck
from incidents.models import Incident, Notice, NoticeChannel
from incidents.templatetags._engine import plain_of

#: The header's track: every phase but the time between elections.
TRACK = tuple(p for p in Phase if p != Phase.BETWEEN)
#: What is elected, as short as the header needs it.
SHORT_NAMES: dict[ElectionType, Any] = {
    ElectionType.COMMUNE_COUNCIL: gettext_lazy("Commune councils"),
    ElectionType.DISTRICT_COUNCIL: gettext_lazy("Provincial and district councils"),
}
#: Counts beside the links stop here, so that they cost the same in a country as in a district.
COUNT_LIMIT = 99
#: Cases that the line about failed deadlines names.
NAMED = 5
PULSE_SECONDS = 5
#: Who is told on every page that the engine is late: whoever answers for cases, and whoever runs the machines.
WATCHED_BY = (*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY, Role.ADMINISTRATOR)

Kept = TypeVar("Kept")


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell` and `now` for every template."""
    now = timezone.now()
    return {"shell": SimpleLazyObject(lambda: Shell(request, now)), "now": now, "demo": settings.DEMO}


@dataclass
class Shell:
    """The frame of one page for one person."""

    request: HttpRequest
    now: dt.datetime

    @cached_property
    def user(self) -> User | None:
        user = getattr(self.request, "user", None)
        return user if isinstance(user, User) else None

    # ---- Appearance ----

    @property
    def theme(self) -> str:
        """ "light", "dark" or "" (as the device): the person's, or before sign-in the browser's choice."""
        chosen = self.user.theme if self.user else self.request.COOKIES.get("theme", "")
        return chosen if chosen in ("light", "dark") else ""

    # ---- Where in which election ----

    @cached_property
    def election(self) -> Election | None:
        return current_election(self.request, self.now)

    @cached_property
    def window(self) -> PhaseWindow | None:
        return window_at(self.election, self.now) if self.election else None

    @property
    def election_name(self) -> str:
        """Short enough for the header of a phone: what is elected, and the year."""
        if not self.election:
            return ""
        kind = ElectionType(self.election.type)
        year = self.election.polling_on.year if self.election.polling_on else self.election.expected_year
        return f"{SHORT_NAMES.get(kind, kind.label)} {year or ''}".strip()

    @property
    def phase(self) -> Phase:
        return Phase(self.window.phase) if self.window else Phase.BETWEEN

    @property
    def phase_day(self) -> int:
        """Day of the phase, from 1."""
        return _days(self.window.starts_at, self.now) + 1 if self.window else 0

    @property
    def phase_days(self) -> int:
        """Days the phase has; its end is not part of it."""
        return _days(self.window.starts_at, self.window.ends_at - dt.timedelta(seconds=1)) + 1 if self.window else 0

    @property
    def days_to_polling(self) -> int | None:
        """Days until polling day, 0 on it; None after it or where it is not set."""
        if not self.election or not self.election.polling_on:
            return None
        days = (self.election.polling_on - timezone.localdate(self.now)).days
        return days if days >= 0 else None

    @property
    def track(self) -> list[str]:
        """One CSS class for each part of the phase track."""
        at = TRACK.index(self.phase) if self.phase in TRACK else -1
        return ["is-past" if n < at else "is-now" if n == at else "" for n in range(len(TRACK))]

    @cached_property
    def elections(self) -> list[Election]:
        """For the picker page; not read by the frame."""
        return list(Election.objects.shown())

    # ---- Whose eyes ----

    @property
    def postings(self) -> list[Posting]:
        return self.user.current_postings if self.user else []

    @property
    def posting(self) -> Posting | None:
        """The posting the header names: the first that is in force."""
        return self.postings[0] if self.postings else None

    @property
    def roles(self) -> set[str]:
        return {p.role for p in self.postings}

    # ---- What waits ----

    @cached_property
    def unread(self) -> int:
        if self.user is None:
            return 0
        mine = Notice.objects.filter(recipient=self.user, channel=NoticeChannel.INBOX, read_at=None)
        kinds = list(mine.order_by().values_list("kind", flat=True)[: COUNT_LIMIT + 1])
        # A call that asks nothing any more is not new; only who was called in a drill pays for asking.
        return len(kinds) - (drills.past(mine.filter(kind=drills.KIND)) if drills.KIND in kinds else 0)

    @cached_property
    def waiting(self) -> tuple[str, int]:
        """The link that has a count for this person, and the count: open cases, or for NEC those to classify."""
        if self.user is None:
            return "", 0
        if self.roles & {*COMMANDING, Role.OFFICER, Role.LIAISON}:
            key, order = "queue" if self.roles & set(COMMANDING) else "mine", "next_due_at"
            cases = Incident.objects.visible_to(self.user).open()
        elif Role.NEC_SECRETARIAT in self.roles:
            # The number the page of this link says, too.
            key, order = "classify", "reported_at"
            cases = classification.waiting_for(self.user)
        else:
            return "", 0
        # In the order of an index over just these cases: without one PostgreSQL expects a hundred of them at the start
        # of the table and reads a million (120 ms).
        return key, cases.order_by(order)[: COUNT_LIMIT + 1].count()

    @cached_property
    def rail(self) -> list[navigation.Item]:
        key, count = self.waiting
        counts = {key: _shown(count), "inbox": _shown(self.unread)}
        return navigation.rail(self.roles, counts, self.request.path)

    @cached_property
    def bottom(self) -> list[navigation.Item]:
        return navigation.bottom(self.rail)

    # ---- The engine ----

    @cached_property
    def engine(self) -> Pulse:
        """Read at most every few seconds by one process; the bar must not be what makes a slow database slower."""
        return _kept("engine-pulse", lambda: pulse(self.now))

    @property
    def engine_is_late(self) -> bool:
        return self.user is not None and self.engine.state in ALARMS

    @property
    def engine_said(self) -> Said:
        return said(self.engine.reason)

    @property
    def engine_plain(self) -> Plain:
        """For whoever answers for cases."""
        return plain_of(self.engine, self.now, may_release=self.may_release)

    @property
    def runs_machines(self) -> bool:
        """Whether the person is told of processes by their names."""
        return Role.ADMINISTRATOR in self.roles

    @property
    def engine_heading(self) -> str:
        return heading(self.engine.state)

    @property
    def may_release(self) -> bool:
        """Whether the person may let go what a leap of the clock holds back."""
        return bool(self.roles & set(RELEASES))

    @property
    def watches(self) -> bool:
        """Whether it is this person's work to see to a late engine: for others there is a sentence."""
        return bool(self.roles & set(WATCHED_BY))

    @cached_property
    def overdue(self) -> str:
        """Cases of the person that should have moved or been told of; read only where the engine is late."""
        if self.user is None:
            return ""
        return _shown(board.overdue(Incident.objects.visible_to(self.user), self.now, COUNT_LIMIT))

    @cached_property
    def set_aside(self) -> list[Incident]:
        """Cases of the person with a deadline that fails: NAMED of them and, where there are more, one more."""
        if self.user is None or not self.watches or not self.engine.has_set_aside:
            return []
        failing = set_aside(self.now - grace()).values("clock__incident")
        cases = Incident.objects.visible_to(self.user).filter(pk__in=failing)
        return list(cases.order_by("next_due_at", "pk")[: NAMED + 1])

    @cached_property
    def stuck(self) -> list[Stuck]:
        """Channels through which no message leaves, for those whose work it is."""
        return _kept("engine-stuck", lambda: stuck(self.now)) if self.watches else []


def _kept(key: str, read: Callable[[], Kept]) -> Kept:
    """What `read` gives, kept some seconds."""
    known: Kept | None = cache.get(key)
    if known is None:
        known = read()
        cache.set(key, known, PULSE_SECONDS)
    return known


def _days(first: dt.datetime, last: dt.datetime) -> int:
    return (timezone.localdate(last) - timezone.localdate(first)).days


def _shown(count: int) -> str:
    return "" if not count else str(count) if count <= COUNT_LIMIT else f"{COUNT_LIMIT}+"
