"""How fast one client may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from commands.models import ApiToken

if TYPE_CHECKING:
    # rest_framework.views reads this class while it is being imported itself.
    from rest_framework.views import APIView


class ClientThrottle(UserRateThrottle):
    """So many requests a minute for each token, or for each person signed in with a browser."""

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if isinstance(request.auth, ApiToken):
            return f"throttle:token:{request.auth.pk}"
        return f"throttle:person:{request.user.pk}" if request.user.is_authenticated else None
