"""Numbers of six digits: those in a message, with which its recipient answers by SMS or radio, and those that verify
an address. Only HMACs are kept.
"""

from __future__ import annotations

import datetime as dt
import unicodedata

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from commands.models import ContactPoint, User
from incidents.delivery.channels import Fault, Message, lane_for
from incidents.delivery.notices import configured
from incidents.models import AckCode, Incident

DIGITS = 6
#: A code lives as long as a link.
CODE_FOR = dt.timedelta(hours=24)
#: A number in use by somebody else is passed over; with a thousand live ones, twenty times in a row never happens.
#: Those that this person answered this case with are passed over too, and do not count as tries.
_TRIES = 20


def digest_of(code: str) -> str:
    return salted_hmac("incidents.delivery.codes", code, algorithm="sha256").hexdigest()


def issue(incident: Incident, recipient: User, now: dt.datetime) -> str:
    """The code of this person for this case: the same at every try and in every channel until it is used or ends.

    Made from our key, so that it can be said again without being kept. Not for a sealed case.
    """
    mine = AckCode.objects.filter(incident=incident, recipient=recipient)
    used = {c.digest for c in mine if c.used_at is not None}
    live = {c.digest for c in mine if c.used_at is None and c.expires_at > now}
    for number in range(len(used) + _TRIES):
        code = _number(incident, recipient, number)
        digest = digest_of(code)
        if digest in live:
            return code
        if digest not in used and _kept(incident, recipient, code, now):
            return code
    raise RuntimeError("no free acknowledgement code")


def _number(incident: Incident, recipient: User, number: int) -> str:
    drawn = salted_hmac("incidents.delivery.codes.draw", f"{incident.pk} {recipient.pk} {number}", algorithm="sha256")
    return str(int(drawn.hexdigest(), 16) % 10**DIGITS).zfill(DIGITS)


def _kept(incident: Incident, recipient: User, code: str, now: dt.datetime) -> bool:
    digest = digest_of(code)
    # One that ended unused makes room.
    AckCode.objects.filter(digest=digest, used_at=None, expires_at__lte=now).delete()
    try:
        with transaction.atomic():
            AckCode.objects.create(
                incident=incident, recipient=recipient, digest=digest, created_at=now, expires_at=now + CODE_FOR
            )
    except IntegrityError:
        return False
    return True


def found(text: str, now: dt.datetime) -> AckCode:
    """The live code a person wrote, locked; only inside a transaction.

    Raises ValidationError: "format", "wrong", "used" or "expired", each with its sentence.
    """
    code = "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())
    if len(code) != DIGITS:
        raise ValidationError(_("A code has six digits. Ask for it once more, in two groups of three."), code="format")
    rows = AckCode.objects.filter(digest=digest_of(code)).select_for_update(of=("self",)).order_by("-created_at", "-pk")
    row = rows.select_related("incident", "recipient").first()
    if row is None:
        raise ValidationError(
            _("No message has this code. Ask for it once more, in two groups of three."), code="wrong"
        )
    if row.used_at is not None:
        raise ValidationError(_("This code was used already. It counts once."), code="used")
    if row.expires_at <= now:
        raise ValidationError(
            _("This code has expired: a code counts for 24 hours. Open the case and act there."), code="expired"
        )
    return row


def use(row: AckCode, now: dt.datetime, by: User | None) -> None:
    """From now on the code counts no more."""
    row.used_at, row.used_by = now, by
    row.save(update_fields=["used_at", "used_by"])


def send_code(contact: ContactPoint, code: str, now: dt.datetime) -> None:
    """Send the code that verifies an address there, at once. Raises ValidationError with what to do where it fails."""
    if not configured().get(contact.channel):
        raise ValidationError(
            _("This system cannot send through this channel yet. Ask your administrator."), code="not_configured"
        )
    with translation.override(contact.user.language):
        head = _("Your code: %(code)s") % {"code": code}
        body = _("%(code)s is your code for Election Security Incidents. It counts for 15 minutes.") % {"code": code}
    token = salted_hmac("incidents.delivery.codes.sent", f"{contact.pk} {now.isoformat()}", algorithm="sha256")
    key = f"<{token.hexdigest()[:32]}@incidents>"
    subject = head if contact.channel == "email" else ""
    lane = lane_for(contact.channel)
    try:
        lane.send(Message(0, contact.channel, contact.address, subject, body, key))
    except Fault:
        raise ValidationError(
            _("The code could not be sent. Check the address, wait a minute and ask for another code."), code="not_sent"
        ) from None
    finally:
        lane.close()
