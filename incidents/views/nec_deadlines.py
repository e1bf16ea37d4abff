"""The NEC's lists of running referrals: how much time each body has left by law, and what waits without such a time."""

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
    """Running referrals with a time by law, soonest first; then those without one, longest waiting first."""
    user, now = person_with(request, *CLASSIFIERS), timezone.now()
    cases = Incident.objects.visible_to(user)
    timed, untimed = referrals.with_deadline(cases), referrals.without_deadline(cases)
    context = {
        "rows": timed[:MOST],
        "total": timed.count(),
        "late": timed.filter(due_at__lt=now).count(),
        "untimed": [(row, now - row.sent_at) for row in untimed[:MOST]],
        "without": untimed.count(),
        "unnumbered": untimed.filter(document="").count(),
        "most": MOST,
        "now": now,
    }
    return render(request, "nec/deadlines.html", context)
