"""How often signing in may be tried: the two slow limits beside django-axes' own (five for a name from an address).

One name tried from many addresses, and many names tried from one address. Neither may lock a person out on polling day
because a stranger tries: who signed in with this name from this address or on this device before is not concerned.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessFailureLog, AccessLog
from django.conf import settings
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse

HOUR = dt.timedelta(hours=1)
#: A signed cookie that says: with this name somebody signed in on this device.
DEVICE = "known_device"
DEVICE_SECONDS = 365 * 24 * 3600


def client_address(request: HttpRequest) -> str:
    """Where a request comes from: behind our proxy what the proxy itself appended, the last; never what was sent."""
    if settings.BEHIND_PROXY:
        last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(last))
        except ValueError:
            pass
    return str(request.META.get("REMOTE_ADDR", ""))


def remember_device(response: HttpResponse, name: str) -> None:
    """After `name` signed in: this device is known for the name for a year."""
    response.set_signed_cookie(
        DEVICE, "1", salt=_salt(name), max_age=DEVICE_SECONDS, httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip


def paused_until(request: Any, name: str) -> dt.datetime | None:
    """Until when one of the slow limits holds for `name` from where `request` comes; None where none does.

    Tries during a pause do not count, so a pause ends whoever goes on trying.
    """
    now: dt.datetime = request.axes_attempt_time
    pause = dt.timedelta(hours=float(settings.AXES_COOLOFF_TIME))
    tries = AccessFailureLog.objects.filter(attempt_time__gt=now - HOUR, locked_out=False)
    ends = [_end(tries.filter(username=name), settings.SIGN_IN_NAME_TRIES, pause)] if name else []
    if _is_one_client(request):
        here = tries.filter(ip_address=request.axes_ip_address)
        ends.append(_end(here, settings.SIGN_IN_ADDRESS_TRIES, pause))
    until = max((end for end in ends if end is not None and end > now), default=None)
    return None if until is None or _is_known(request, name) else until


def _end(tries: QuerySet[Any], limit: int, pause: dt.timedelta) -> dt.datetime | None:
    found = tries.aggregate(n=Count("pk"), last=Max("attempt_time"))
    return found["last"] + pause if found["n"] >= limit else None


def _is_one_client(request: HttpRequest) -> bool:
    # A proxy that does not say whom it speaks for makes one address of the whole country.
    return not settings.BEHIND_PROXY or "X-Forwarded-For" in request.headers


def _is_known(request: Any, name: str) -> bool:
    if request.get_signed_cookie(DEVICE, default="", salt=_salt(name), max_age=DEVICE_SECONDS):
        return True
    return (
        _is_one_client(request) and AccessLog.objects.filter(username=name, ip_address=request.axes_ip_address).exists()
    )


def _salt(name: str) -> str:
    return f"sign in {name}"


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # the package has no types
    """django-axes' own, and the two slow limits."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        name = (credentials or {}).get("username") or ""
        if paused_until(request, name) is None:
            return False
        # The try is logged as one during a pause, and the middleware answers with the page that says until when.
        request.axes_locked_out = True
        request.axes_credentials = credentials
        return True
