"""The address with which a recipient acknowledges from a message: signed, bound to one notice and person, with an end.

It names the case and its version, which together are the entry the notice is of, and no running number that would
count acts on sealed cases.
"""

from __future__ import annotations

import datetime as dt
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

_SALT = "incidents.delivery.links"
#: A message found a day later leads to signing in.
LINK_FOR = dt.timedelta(hours=24)
#: Case, person, version of the case at the entry, end in minutes since 1970.
_PARTS = struct.Struct(">16sIII")


@dataclass(frozen=True)
class Link:
    incident: UUID
    person: int
    version: int
    expires_at: dt.datetime


class WrongLink(Exception):
    """Not one of ours, or cut off on the way."""


def link_to(incident: UUID, person: int, version: int, now: dt.datetime) -> str:
    """The whole address, for a message written at `now`."""
    minutes = int((now + LINK_FOR).timestamp()) // 60
    packed = urlsafe_b64encode(_PARTS.pack(incident.bytes, person, version, minutes)).decode().rstrip("=")
    path = reverse("escalation:answer", args=[signing.Signer(salt=_SALT).sign(packed)])
    return f"{settings.SITE_URL}{path}"


def read(token: str) -> Link:
    """What a token holds, its end not looked at. Raises WrongLink."""
    try:
        packed = signing.Signer(salt=_SALT).unsign(token)
        incident, person, version, minutes = _PARTS.unpack(urlsafe_b64decode(packed + "=="))
    except (signing.BadSignature, Error, struct.error):
        raise WrongLink from None
    return Link(UUID(bytes=incident), person, version, dt.datetime.fromtimestamp(minutes * 60, dt.UTC))
