"""Which election a page is about: asked for in the address, chosen in the session, or the one that is on now."""

from __future__ import annotations

import datetime as dt
from typing import cast

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from elections.calendar import election_at, election_of
from elections.models import Election

SESSION_KEY = "election"
_DEFAULT_SECONDS = 60


def current_election(request: HttpRequest, now: dt.datetime | None = None) -> Election | None:
    """The election of this request with its phase windows loaded, read once; None where there is none.

    An unknown code counts as not given: filters refuse it by name, the header need not.
    """
    if not hasattr(request, "_current_election"):
        request._current_election = _find(request, now or timezone.now())  # type: ignore[attr-defined]
    return cast("Election | None", request._current_election)  # type: ignore[attr-defined]


def choose_election(request: HttpRequest, code: str) -> bool:
    """Keep `code` for this session; "" means the one that is on now. False where there is no such election."""
    if code and not Election.objects.filter(code=code).exists():
        return False
    request.session[SESSION_KEY] = code
    return True


def _find(request: HttpRequest, now: dt.datetime) -> Election | None:
    asked = request.GET.get("election", "")
    chosen = request.session.get(SESSION_KEY, "") if hasattr(request, "session") else ""
    for code in (asked, chosen):
        if code and code.isalnum() and (found := election_of(code)):
            return found
    return _default(now)


def _default(now: dt.datetime) -> Election | None:
    # The code alone is kept: a row kept across requests would outlive its own edits.
    key = f"election-on:{timezone.localdate(now)}"
    code = cache.get(key)
    if code and (found := election_of(code)):
        return found
    found = election_at(now)
    if found is None:
        return None
    cache.set(key, found.code, _DEFAULT_SECONDS)
    return found
