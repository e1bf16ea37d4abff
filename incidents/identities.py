"""Identities of people to be protected: sealed with a key that is not in the database, opened only under a grant.

Nothing here is logged, searched or listed. Each opening is an act of the journal (`actions.open_identity`).
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.checks import CheckMessage, Critical, Warning, register
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.translation import gettext as _

from commands.models import User
from incidents.models import IdentityGrant, Incident

#: What may be kept about a person, and the longest it may be: no party, religion, ethnicity or identity number.
FIELDS = {"name": 200, "contact": 200, "notes": 2000}


def _keys() -> MultiFernet:
    if not settings.IDENTITY_KEYS:
        raise ImproperlyConfigured(
            "IDENTITY_KEYS is empty: protected identities cannot be kept. Make a key with "
            '`python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"` '
            "and put it into the environment, outside the database and its backups."
        )
    try:
        return MultiFernet([Fernet(key) for key in settings.IDENTITY_KEYS])
    except ValueError:
        raise ImproperlyConfigured("IDENTITY_KEYS holds something that is not a Fernet key.") from None


def seal(identity: dict[str, str]) -> bytes:
    """Encrypt name, contact and notes under the newest key. Other fields and over-long values are refused."""
    problems: dict[str, str] = {}
    clean: dict[str, str] = {}
    for field, value in identity.items():
        value = str(value).replace("\x00", "").strip()
        if field not in FIELDS:
            problems["identity"] = _("Only name, contact and notes are kept about a person.")
        elif len(value) > FIELDS[field]:
            problems[field] = _("At most %(limit)s characters are possible here.") % {"limit": FIELDS[field]}
        elif value:
            clean[field] = value
    if not problems and not clean:
        problems["name"] = _("Write at least one of name, contact and notes.")
    if problems:
        raise ValidationError({field: [text] for field, text in problems.items()})
    return _keys().encrypt(json.dumps(clean, ensure_ascii=False, sort_keys=True).encode())


def open(sealed: bytes | memoryview) -> dict[str, str]:
    """Decrypt what `seal` made, under any of the keys. The caller has checked `may_open` and journaled the opening."""
    try:
        opened: dict[str, str] = json.loads(_keys().decrypt(bytes(sealed)))
    except InvalidToken:
        raise ValidationError(
            _("This identity cannot be opened: its key is not on this system. Tell the administrator."), code="no_key"
        ) from None
    return opened


def seal_text(text: str) -> bytes:
    """Encrypt a secret of another kind, such as a webhook's, under the newest key."""
    return _keys().encrypt(text.encode())


def open_text(sealed: bytes | memoryview) -> str:
    """Decrypt what `seal_text` made. Raises ValidationError where its key is not on this system."""
    try:
        return _keys().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise ValidationError(
            _("This secret cannot be opened: its key is not on this system. Tell the administrator."), code="no_key"
        ) from None


def resealed(sealed: bytes | memoryview) -> bytes:
    """The same identity under the newest key, for changing keys; the time it was first sealed is kept."""
    return _keys().rotate(bytes(sealed))


def may_open(user: User, incident: Incident, now: dt.datetime) -> bool:
    """Whether `user` may see the case's details and holds a grant for it that has not run out at `now`."""
    return (
        Incident.objects.detailed_to(user).filter(pk=incident.pk).exists()
        and IdentityGrant.objects.filter(incident=incident, user=user, granted_at__lte=now, expires_at__gt=now).exists()
    )


@register("security")
def check_identity_keys(**kwargs: Any) -> list[CheckMessage]:
    """`manage.py check`: without keys the product starts and says what it cannot do; with a broken key it does not."""
    if not settings.IDENTITY_KEYS:
        return [
            Warning(
                "IDENTITY_KEYS is empty: protected identities cannot be recorded.",
                hint="Make a key (docs/operations.md) and keep it outside the database and its backups.",
                id="incidents.W001",
            )
        ]
    try:
        _keys()
    except ImproperlyConfigured as problem:
        return [Critical(str(problem), id="incidents.E001")]
    return []
