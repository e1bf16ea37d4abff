"""Who calls the API: bearer tokens, one for each client. A token carries what its person's postings carry."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from commands.models import ApiToken, User
from elections.prepared import prepared

logger = logging.getLogger(__name__)
#: "Last used" is for people who tidy up: to the minute is exact enough, and spares a write for each request.
NOTE_USE_EVERY = dt.timedelta(minutes=1)
#: Longer than any token we make; a header of kilobytes is not hashed.
LONGEST_TOKEN = 200


class BearerTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer esi_…`. Unknown, revoked and expired tokens are refused in the same words."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = timezone.now()
        token = self._find(secret.strip())
        if token is None or not token.is_live(now) or not token.user.is_active:
            raise AuthenticationFailed(_("This access token is not known, has expired or was taken back."))
        _note_use(token, now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    @staticmethod
    def _find(secret: str) -> ApiToken | None:
        if not secret or len(secret) > LONGEST_TOKEN or not secret.isascii():
            return None
        return _of_digest.first(ApiToken.digest_of(secret))


@prepared
def _of_digest(digest: Any) -> QuerySet[ApiToken]:
    return ApiToken.objects.select_related("user").filter(digest=digest)


def _note_use(token: ApiToken, now: dt.datetime) -> None:
    """Write `last_used_at` at most once a minute; a database that is busy does not refuse the request for it."""
    if token.last_used_at and now - token.last_used_at < NOTE_USE_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTE_USE_EVERY)
    try:
        with transaction.atomic():
            ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    except DatabaseError:
        logger.warning("The use of token %s could not be noted.", token.hint, exc_info=True)
