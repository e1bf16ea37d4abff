"""Everything a person can reach, on one page for phones; and the choice of the election the pages are about."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from commands.back import back
from elections.models import Election
from incidents.election_choice import SESSION_KEY, choose_election


@require_safe
def more(request: HttpRequest) -> HttpResponse:
    """The list of destinations and the elections."""
    context = {"elections": Election.objects.shown(), "chosen": request.session.get(SESSION_KEY, "")}
    return render(request, "incidents/more.html", context)


@require_POST
def election(request: HttpRequest) -> HttpResponse:
    """Keep an election for this session; an unknown one changes nothing."""
    choose_election(request, request.POST.get("election", ""))
    return back(request, "incidents:more")
