"""The NEC's list of running legal deadlines: what was referred, to whom, and how much time its body has left."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents import referrals
from incidents.models import Incident
from incidents.views.nec import CLASSIFIERS, person_with

#: A list longer than this is read in parts.
MOST = 100


@require_safe
def deadlines(request: HttpRequest) -> HttpResponse:
    """Running referrals with a time by law, soonest first; then how many have none."""
    user, now = person_with(request, *CLASSIFIERS), timezone.now()
    cases = Incident.objects.visible_to(user)
    running = referrals.with_deadline(cases)
    listed = list(running[: MOST + 1])
    context = {
        "rows": listed[:MOST],
        "is_cut": len(listed) > MOST,
        "late": running.filter(due_at__lt=now).count(),
        "total": running.count(),
        "without": referrals.without_deadline(cases).count(),
        "now": now,
    }
    return render(request, "nec/deadlines.html", context)
