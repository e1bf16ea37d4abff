"""The only writer of accounts: preferences, API tokens, postings, the first administrator. No case is written here."""

from __future__ import annotations

import datetime as dt
import re

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands.choices import BodyKind, Force, Role
from commands.models import ApiToken, Posting, SecurityCommand, User
from elections.choices import Level
from elections.models import Jurisdiction

#: An expiry further away than this is a typing mistake.
TOKEN_LONGEST = dt.timedelta(days=2 * 366)
#: Living tokens a person may have at once.
TOKENS_AT_MOST = 20
THEMES = ("auto", "light", "dark")


def set_language(user: User, language: str) -> User:
    """The person's language, for pages and for messages sent to them."""
    if language not in dict(settings.LANGUAGES):
        raise ValidationError(_("Choose Khmer or English."), code="unknown_language")
    user.language = language
    user.save(update_fields=["language"])
    return user


def set_theme(user: User, theme: str) -> User:
    """ "auto", "light" or "dark"."""
    if theme not in THEMES:
        raise ValidationError(_("Choose light, dark or as the device."), code="unknown_theme")
    user.theme = theme
    user.save(update_fields=["theme"])
    return user


def set_password(user: User, password: str) -> User:
    """A new password; raises ValidationError where it is too weak. Sessions elsewhere end."""
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    return user


@transaction.atomic
def create_token(
    user: User, *, name: str, now: dt.datetime, expires_at: dt.datetime | None = None
) -> tuple[ApiToken, str]:
    """A token for one client of `user`: the row and the secret, which is not kept and cannot be shown again."""
    name = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", name).strip()
    if not name or len(name) > 60:
        raise ValidationError({"name": _("Give the client a name of up to 60 characters.")})
    if not user.is_active:
        raise ValidationError(_("This account is closed. It cannot have tokens."), code="not_possible")
    if expires_at is not None and not now < expires_at <= now + TOKEN_LONGEST:
        raise ValidationError({"expires_on": _("Choose a day after today, within two years.")})
    living = [t for t in ApiToken.objects.select_for_update().filter(user=user) if t.is_live(now)]
    if len(living) >= TOKENS_AT_MOST:
        raise ValidationError(
            _("There are %(n)d tokens already. Revoke one that is not needed any more.") % {"n": TOKENS_AT_MOST},
            code="not_possible",
        )
    secret = ApiToken.new_secret()
    token = ApiToken.objects.create(
        user=user,
        name=name,
        digest=ApiToken.digest_of(secret),
        hint=secret[:8],
        created_at=now,
        expires_at=expires_at,
    )
    return token, secret


def revoke_token(token: ApiToken, *, now: dt.datetime) -> ApiToken:
    """From now on the token opens nothing. Revoking twice keeps the first moment."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
    token.refresh_from_db(fields=["revoked_at"])
    return token


def living_tokens(user: User, now: dt.datetime) -> int:
    """How many tokens of `user` open something at `now`."""
    return sum(token.is_live(now) for token in ApiToken.objects.filter(user=user))


def revoke_tokens(user: User, *, now: dt.datetime) -> int:
    """Revoke all living tokens of `user`; how many there were."""
    living = [token for token in ApiToken.objects.filter(user=user, revoked_at=None) if token.is_live(now)]
    for token in living:
        revoke_token(token, now=now)
    return len(living)


@transaction.atomic
def post(
    user: User, *, role: str, command: SecurityCommand, now: dt.datetime, until: dt.datetime | None = None
) -> Posting:
    """A posting from `now`; the same one in force already is returned as it is."""
    if role not in Role.values:
        raise ValidationError({"role": _("Choose one of the roles.")})
    standing = Posting.objects.current(now).filter(user=user, role=role, command=command).first()
    if standing:
        return standing
    posting = Posting(user=user, role=role, command=command, starts_at=now, ends_at=until)
    posting.full_clean()
    posting.save()
    return posting


def end_posting(posting: Posting, *, now: dt.datetime) -> Posting:
    """Relieved at `now`: authority and scope end with it. The row stays."""
    if posting.ends_at is None or posting.ends_at > now:
        posting.ends_at = now
        posting.full_clean()
        posting.save(update_fields=["ends_at"])
    return posting


@transaction.atomic
def make_first_administrator(username: str, password: str, *, now: dt.datetime) -> User:
    """The person who may open the reference data and create the other accounts. Refused where there is one already."""
    if Posting.objects.current(now).filter(role=Role.ADMINISTRATOR).exists():
        raise ValidationError(_("There is an administrator already."), code="not_possible")
    user = User(username=username, is_staff=True, is_superuser=True)
    user.clean_fields(exclude=["password"])
    if User.objects.filter(username=username).exists():
        raise ValidationError({"username": _("This name is taken.")})
    validate_password(password, user)
    user.set_password(password)
    user.save()
    post(user, role=Role.ADMINISTRATOR, command=_administration(), now=now)
    return user


def _administration() -> SecurityCommand:
    """The body administrators are posted at; made with the country it belongs to where the tables are still empty."""
    country = Jurisdiction.objects.filter(level=Level.COUNTRY).first()
    if country is None:
        code = settings.COUNTRY_DATA.name.upper()[:2]
        country = Jurisdiction.objects.create(pcode=code, level=Level.COUNTRY, name_en=code, name_km=code)
    command, _made = SecurityCommand.objects.get_or_create(
        code="ADMIN",
        defaults={
            "kind": BodyKind.ADMINISTRATION,
            "force": Force.CIVIL,
            "path": "ADMIN.",
            "jurisdiction": country,
            "name_en": "System administration",
            "name_km": "រដ្ឋបាលប្រព័ន្ធ",
        },
    )
    return command
