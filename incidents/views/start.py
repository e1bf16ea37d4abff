"""The start page: the next thing to do is the loudest, by role."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Case, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from commands.choices import COMMANDING, Role
from commands.models import User
from incidents import classification
from incidents.choices import Severity
from incidents.models import Incident
from incidents.querysets import IncidentQuerySet
from incidents.views import rows

#: Roles in the order in which one decides what the page is for, where a person holds several.
_KINDS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("command", COMMANDING),
    ("nec", (Role.NEC_SECRETARIAT,)),
    ("desk", (Role.INTEGRITY,)),
    ("officer", (Role.OFFICER, Role.LIAISON)),
    ("ministry", (Role.MINISTRY_ANALYST, Role.AUDITOR)),
    ("administrator", (Role.ADMINISTRATOR,)),
)
SHOWN = 3


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What is next for this person."""
    user, now = request.user, timezone.now()
    assert isinstance(user, User)  # noqa: S101  LoginRequiredMiddleware
    kind = next((name for name, roles in _KINDS if user.has_role(*roles)), "none")
    return render(request, "incidents/start.html", {"kind": kind, "user": user} | _content(kind, user, now))


def _content(kind: str, user: User, now: dt.datetime) -> dict[str, Any]:
    seen = Incident.objects.visible_to(user)
    if kind in ("none", "administrator"):
        return {}
    if kind == "ministry":
        return {"open": _some(seen.open()), "late": _some(seen.overdue(now))}
    if kind == "command":
        # A commander answers for what the own command owns; what lower ones own is in the queue.
        seen = seen.filter(owner__in=rows.own_commands(user))
    due = rows.rows_of(_next_due(seen.open(), critical_first=kind == "command"), user, now)
    content: dict[str, Any] = {"due": due, "open": _some(seen.open()), "late": _some(seen.overdue(now))}
    if kind == "officer":
        mine = seen.filter(reporter=user).with_names().order_by("-updated_at")
        content["told"] = [c for c in mine[: 5 + SHOWN] if c.pk not in {d.incident.pk for d in due}][:5]
    if kind == "nec":
        waiting = classification.waiting_for(user)
        content["due"] = list(waiting.with_names().order_by("reported_at", "id")[:SHOWN])
        content["to_classify"] = _some(waiting)
        content["critical"] = _some(seen.open().filter(severity=Severity.CRITICAL))
    return content


def _next_due(cases: IncidentQuerySet, *, critical_first: bool) -> list[Incident]:
    """The few whose deadline comes first; with `critical_first` no other case stands before a critical one."""
    order = ["next_due_at", "id"]
    if critical_first:
        cases = cases.annotate(after=Case(When(severity=Severity.CRITICAL, then=Value(0)), default=Value(1)))
        order.insert(0, "after")
    return list(cases.with_names().order_by(*order)[:SHOWN])


def _some(cases: Any) -> str:
    """How many, up to 99: a start page costs the same in a country as in a district."""
    count = cases.order_by()[:100].count()
    return str(count) if count < 100 else "99+"
