"""Acts on one's own contact points: the change, its journal entry without the address, and the code that is sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands import contacts
from commands.models import ContactPoint, User
from incidents import entries
from incidents.choices import Act
from incidents.delivery.codes import send_code
from incidents.delivery.notices import configured

#: Codes one person may have sent, to whichever addresses: each costs money, and a stranger's telephone rings.
CODES_AN_HOUR, HOUR_SECONDS = 10, 3600


@transaction.atomic
def add(user: User, *, channel: str, address: str, now: dt.datetime) -> ContactPoint:
    """An address, not verified yet. Refused on a channel this system cannot send through: its code would never come."""
    if not configured().get(channel):
        text = _("This system cannot send through this channel yet. Ask your administrator.")
        raise ValidationError({"channel": text})
    contact = contacts.add(user, channel=channel, address=address, now=now)
    _record("contact_added", contact, now)
    return contact


def send(contact: ContactPoint, *, now: dt.datetime) -> None:
    """Make a code and send it there, outside any transaction. Raises ValidationError with what to do."""
    _refuse_too_many(contact.user_id)
    send_code(contact, contacts.start_verification(contact, now), now)


def verify(contact: ContactPoint, code: str, *, now: dt.datetime) -> ContactPoint:
    """With the right code the address is used from now on."""
    verified = contacts.verify(contact, code, now)
    if verified.verified_at == now:
        _record("contact_verified", verified, now)
    return verified


@transaction.atomic
def set_quiet(contact: ContactPoint, first: dt.time | None, last: dt.time | None, *, now: dt.datetime) -> None:
    contacts.set_quiet(contact, first, last)
    quiet = {"from": first.isoformat("minutes"), "until": last.isoformat("minutes")} if first and last else {}
    _record("contact_quiet", contact, now, **quiet)


@transaction.atomic
def switch(contact: ContactPoint, is_on: bool, *, now: dt.datetime) -> None:
    contacts.switch(contact, is_on)
    _record("contact_on" if is_on else "contact_off", contact, now)


@transaction.atomic
def remove(contact: ContactPoint, *, now: dt.datetime) -> None:
    _record("contact_removed", contact, now)
    contacts.remove(contact)


def _refuse_too_many(person: int) -> None:
    """Counted by person: an address that is removed and written again would begin anew, with tries and pauses."""
    key = f"contact-codes-{person}"
    try:
        cache.add(key, 0, HOUR_SECONDS)
        sent = cache.incr(key)
    except Exception:  # a cache that is away stops nobody from being reached
        return
    if sent > CODES_AN_HOUR:
        raise ValidationError(_("Many codes were sent in this hour. Wait an hour, then ask for another one."))


def _record(what: str, contact: ContactPoint, now: dt.datetime, **after: Any) -> None:
    """No address: the journal is never shortened, and an address is its person's."""
    person = contact.user
    posting = next(iter(person.current_postings), None)
    after = {"person": person.username, "channel": contact.channel, **after}
    entries.record(Act.ACCOUNT, what, by=person, posting=posting, now=now, after=after)
