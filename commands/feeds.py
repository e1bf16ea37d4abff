"""A person's duties as a calendar they can subscribe to. The address is the secret: only its SHA-256 is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import secrets

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from commands.duty import Span
from commands.models import CalendarFeed, Roster, User
from commands.rosters import Plan, plans_of

#: Calendars ask every hour or so: to note each time would be a write for nothing.
NOTED_EVERY = dt.timedelta(hours=1)
BEHIND, AHEAD = dt.timedelta(days=14), dt.timedelta(days=90)
#: Duties in one calendar, the nearest in time: five a day for the whole of it. The address needs no signing in.
MOST = 500


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def make_feed(user: User, *, now: dt.datetime) -> tuple[CalendarFeed, str]:
    """A new address: the row and the token, shown once. The one before stops working."""
    revoke_feeds(user, now=now)
    token = secrets.token_urlsafe(32)
    return CalendarFeed.objects.create(user=user, digest=digest_of(token), created_at=now), token


def revoke_feeds(user: User, *, now: dt.datetime) -> int:
    """No address of the person opens anything any more; how many did."""
    return CalendarFeed.objects.filter(user=user, revoked_at=None).update(revoked_at=now)


def feed_of(token: str) -> CalendarFeed | None:
    """The living feed of this token, of a person whose account is open."""
    found = CalendarFeed.objects.filter(digest=digest_of(token), revoked_at=None, user__is_active=True)
    return found.select_related("user").first()


def note_reading(feed: CalendarFeed, *, now: dt.datetime) -> None:
    if feed.last_read_at is None or now - feed.last_read_at >= NOTED_EVERY:
        CalendarFeed.objects.filter(pk=feed.pk).update(last_read_at=now)


def plans_naming(person: User, start: dt.datetime, end: dt.datetime) -> list[Plan]:
    """The rosters, in use or not, that name the person in a shift or a cover."""
    named = Roster.objects.filter(shifts__person=person) | Roster.objects.filter(covers__person=person)
    return plans_of(
        [r.command for r in named.distinct().select_related("command").order_by("command__path")], start, end
    )


def duties_of(person: User, start: dt.datetime, end: dt.datetime, *, in_use: bool = True) -> list[tuple[Plan, Span]]:
    """The duties of a person at all commands, in order; of rosters `in_use` only, or of all."""
    plans = [p for p in plans_naming(person, start, end) if p.is_on or not in_use]
    found = [(plan, span) for plan in plans for span in plan.duties(person, start, end)]
    return sorted(found, key=_in_order)


def _in_order(duty: tuple[Plan, Span]) -> tuple[dt.datetime, str]:
    return duty[1].starts_at, duty[0].command.path


def calendar_of(feed: CalendarFeed, now: dt.datetime) -> bytes:
    """iCalendar (RFC 5545) in the language active now, UTC times, no word of any case.

    The same duties give the same bytes: stamps are of the feed, and a duty keeps its UID however often it is read.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Election Security Incidents//Duty//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _("My duties"))
    duties = duties_of(feed.user, now - BEHIND, now + AHEAD)
    nearest = heapq.nsmallest(MOST, duties, key=lambda pair: abs(pair[1].starts_at - now))
    for plan, span in sorted(nearest, key=_in_order):
        calendar.add_component(_event(feed, plan, span))
    return bytes(calendar.to_ical())


def _event(feed: CalendarFeed, plan: Plan, span: Span) -> Event:
    event = Event()
    # Keyed, so that nobody reads from it how many rosters or people there are.
    about = f"{feed.user_id} {plan.command.code} {span.starts_at:%Y%m%dT%H%M%SZ}"
    event.add("uid", f"{salted_hmac('commands.feeds', about, algorithm='sha256').hexdigest()[:32]}@duty")
    event.add("dtstamp", feed.created_at.astimezone(dt.UTC).replace(microsecond=0))
    event.add("dtstart", span.starts_at)
    event.add("dtend", span.ends_at)
    event.add("summary", _("On duty: %(command)s") % {"command": plan.command.name})
    return event
