"""The only writer of contact points: how a person is reached outside the product, proven to be theirs before its use.

Sending is not done here: `start_verification` gives the code, and whoever calls it sends it there.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.models import ContactChannel, ContactPoint, User

CODE_FOR = dt.timedelta(minutes=15)
#: Before another code may be asked for: a lost SMS mostly arrives within it.
PAUSE = dt.timedelta(minutes=2)
TRIES = 5
DIGITS = 6
#: More addresses than this are a mistake.
AT_MOST = 10
CAMBODIA = "855"
#: Digits after the trunk zero: 8 or 9. Mobile numbers begin with 1, 6, 7, 8 or 9; the others are fixed lines.
_MOBILE = re.compile(r"[16789]\d{7,8}")
_FIXED = re.compile(r"[2345]\d{7,8}")
#: The number of a private chat. One of a group is negative, and a name with @ is a channel that anybody may read.
_CHAT = re.compile(r"[1-9]\d{4,19}")
_email = EmailValidator()


def normalised(channel: str, address: str) -> str:
    """The address in the one form it is kept in. Raises ValidationError beside "address" with what is missing."""
    address = unicodedata.normalize("NFKC", address).strip()
    match channel:
        case ContactChannel.EMAIL:
            found = _mail(address)
        case ContactChannel.SMS:
            found = _phone(address)
        case ContactChannel.CHAT:
            found = _chat(address)
        case _:
            raise _beside("channel", _("Choose one from the list."))
    return found


def _mail(address: str) -> str:
    try:
        _email(address)
    except ValidationError:
        raise _beside("address", _("Write a whole e-mail address, for example name@example.org.")) from None
    name, _at, host = address.rpartition("@")
    return f"{name}@{host.lower()}"


def _phone(address: str) -> str:
    """E.164: a plus, the country, the number. Khmer digits, spaces and a leading zero are understood."""
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in address)
    plain = re.sub(r"[\s().\-/\u200b]", "", digits)
    plain = re.sub(r"^00", "+", plain)
    if not re.fullmatch(r"\+?\d+", plain):
        raise _beside("address", _("Write the number with digits only, for example 012 345 678."))
    if plain.startswith("0"):
        plain = f"+{CAMBODIA}{plain[1:]}"
    elif plain.startswith(CAMBODIA):
        plain = f"+{plain}"
    elif not plain.startswith("+"):
        raise _beside("address", _("Begin with 0, or with + and the country, for example +855 12 345 678."))
    country, rest = plain[1:4], plain[4:].removeprefix("0")
    if country != CAMBODIA:
        if not re.fullmatch(r"\+[1-9]\d{7,14}", plain):
            raise _beside("address", _("This number is too short or too long. Look at it once more."))
        return plain
    if _FIXED.fullmatch(rest):
        raise _beside("address", _("This is a fixed line, which receives no SMS. Write a mobile number."))
    if not _MOBILE.fullmatch(rest):
        raise _beside("address", _("A mobile number of Cambodia has 9 or 10 digits with its 0. Look at it once more."))
    return f"+{CAMBODIA}{rest}"


def _chat(address: str) -> str:
    """The number of a person's own chat: whoever else is in a chat reads what is sent there."""
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in re.sub(r"[\s\u200b]", "", address))
    if _CHAT.fullmatch(digits):
        return digits
    if digits.startswith("@") or "/" in digits:
        text = _(
            "A name with @ or a link may be a public channel, where others would read of cases. "
            "Write the number of your own chat, for example 123456789."
        )
    elif re.fullmatch(r"-\d+", digits):
        text = _(
            "A number with a minus is a group, where others would read of cases. "
            "Write the number of your own chat, for example 123456789."
        )
    else:
        text = _("Write the number of your own chat with digits only, for example 123456789.")
    raise _beside("address", text)


# ---- Acts ----


@transaction.atomic
def add(user: User, *, channel: str, address: str, now: dt.datetime) -> ContactPoint:
    """An address of `user`, not verified yet. Raises ValidationError beside channel or address."""
    address = normalised(channel, address)
    User.objects.select_for_update().get(pk=user.pk)
    mine = ContactPoint.objects.filter(user=user)
    if mine.filter(channel=channel, address__iexact=address).exists():
        raise _beside("address", _("You have this address already."))
    if mine.count() >= AT_MOST:
        text = _("There are %(n)d addresses already. Remove one that is not needed any more.")
        raise _beside("address", text % {"n": AT_MOST})
    return ContactPoint.objects.create(user=user, channel=channel, address=address, created_at=now)


@transaction.atomic
def start_verification(contact: ContactPoint, now: dt.datetime) -> str:
    """A new code of six digits, which counts for 15 minutes and 5 tries; the one before counts no more.

    Raises ValidationError where it is verified, or the last one is less than two minutes old.
    """
    found = _locked(contact)
    if found.verified_at is not None:
        raise _refused(_("This address is verified already."))
    if wait := wait_for_code(found, now):
        seconds = int(wait.total_seconds()) + 1
        text = ngettext(
            "A code was sent just now. Wait %(n)d second for another.",
            "A code was sent just now. Wait %(n)d seconds for another.",
            seconds,
        )
        raise ValidationError(text % {"n": seconds}, code="too_soon")
    code = str(secrets.randbelow(10**DIGITS)).zfill(DIGITS)
    found.code_digest, found.code_expires_at, found.code_tries = _digest(found, code), now + CODE_FOR, 0
    found.save(update_fields=["code_digest", "code_expires_at", "code_tries"])
    return code


def wait_for_code(contact: ContactPoint, now: dt.datetime) -> dt.timedelta | None:
    """How long until another code may be asked for; None where it may be now."""
    if contact.code_expires_at is None:
        return None
    left = contact.code_expires_at - CODE_FOR + PAUSE - now
    return left if left > dt.timedelta() else None


def verify(contact: ContactPoint, code: str, now: dt.datetime) -> ContactPoint:
    """The address is the person's: the code that was sent there is right.

    Raises ValidationError beside "code": wrong (with the tries left), expired, or tried too often. A wrong try counts
    whatever happens to the caller's answer, so this is not called inside a transaction that may be undone.
    """
    digits = "".join(str(unicodedata.digit(c)) for c in code if c.isdigit())
    with transaction.atomic():
        found = _locked(contact)
        if found.verified_at is not None:
            return found
        if not found.code_digest or found.code_expires_at is None or found.code_expires_at <= now:
            raise _beside("code", _("This code has expired. Ask for another one."))
        if found.code_tries >= TRIES:
            raise _beside("code", _("That was tried too often. Ask for another code."))
        is_right = constant_time_compare(found.code_digest, _digest(found, digits))
        if is_right:
            found.verified_at, found.code_digest, found.code_expires_at, found.code_tries = now, "", None, 0
            found.save(update_fields=["verified_at", "code_digest", "code_expires_at", "code_tries"])
        else:
            ContactPoint.objects.filter(pk=found.pk).update(code_tries=F("code_tries") + 1)
    if not is_right:
        left = TRIES - found.code_tries - 1
        text = ngettext(
            "That is not the code. %(n)d try is left.", "That is not the code. %(n)d tries are left.", left
        )  # fmt: skip
        raise _beside("code", text % {"n": left})
    return found


def set_quiet(contact: ContactPoint, first: dt.time | None, last: dt.time | None) -> ContactPoint:
    """Hours, local time, in which nothing but a critical case is sent there; None and None for no such hours.

    Raises ValidationError beside quiet_from or quiet_to where one of them is missing or both are the same.
    """
    if (first is None) != (last is None):
        missing = "quiet_from" if first is None else "quiet_to"
        raise _beside(missing, _("Write both, or leave both empty."))
    if first is not None and first == last:
        raise _beside("quiet_to", _("The quiet hours end when they begin. Write another end."))
    contact.quiet_from, contact.quiet_to = first, last
    contact.save(update_fields=["quiet_from", "quiet_to"])
    return contact


def switch(contact: ContactPoint, is_on: bool) -> ContactPoint:
    """Whether anything is sent there; the address stays verified."""
    contact.is_on = is_on
    contact.save(update_fields=["is_on"])
    return contact


def remove(contact: ContactPoint) -> None:
    """Taken away. What was sent there stays in the record without the address."""
    ContactPoint.objects.filter(pk=contact.pk).delete()


@transaction.atomic
def set_by_administrator(user: User, *, before: str, now: dt.datetime) -> ContactPoint | None:
    """After an administrator set `user.email`: it is an address of theirs to prove, and `before` is none any more.

    An administrator vouches for nobody's mailbox: with a slip of the keys a stranger would read of cases. What the
    person has proven stays proven.
    """
    if before and before != user.email:
        ContactPoint.objects.filter(user=user, channel=ContactChannel.EMAIL, address__iexact=before).delete()
    if not user.email:
        return None
    address = normalised(ContactChannel.EMAIL, user.email)
    found = ContactPoint.objects.filter(user=user, channel=ContactChannel.EMAIL, address__iexact=address).first()
    return found or ContactPoint.objects.create(
        user=user, channel=ContactChannel.EMAIL, address=address, created_at=now
    )


# ---- Parts ----


def _locked(contact: ContactPoint) -> ContactPoint:
    found = ContactPoint.objects.select_for_update(of=("self",)).filter(pk=contact.pk).select_related("user").first()
    if found is None:
        raise _refused(_("This address was removed."))
    return found


def _digest(contact: ContactPoint, code: str) -> str:
    return salted_hmac("commands.contacts", f"{contact.pk} {contact.address} {code}", algorithm="sha256").hexdigest()


def _beside(name: str, text: str) -> ValidationError:
    return ValidationError({name: ValidationError(text, code="not_possible")})


def _refused(text: str) -> ValidationError:
    return ValidationError(text, code="not_possible")
