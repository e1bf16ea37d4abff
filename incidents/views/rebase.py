"""Moving open cases to the version in force: one case, or all of an election in rounds with their progress."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from commands import authority
from commands.models import User
from incidents import policies, rebasing
from incidents.choices import Act
from incidents.forms.policies import MoveCaseForm, MoveForm
from incidents.models import Incident, Policy
from incidents.turn import facts_of, in_words
from incidents.views.policies import person, version_of

# ---- All of an election ----


@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """What a move of all open cases would do, then round after round of it."""
    user, now = person(request, drafts=True), timezone.now()
    shown = version_of(user, code, number, is_draft=False)
    form = MoveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _round(request, shown, user, form.cleaned_data["reason"], now)
    waiting = rebasing.waiting(shown, user, now)
    context = {"policy": shown, "code": code, "form": form, "ahead": rebasing.ahead(waiting, shown, now)}
    return render(request, "escalation/policy_move.html", context, status=422 if form.errors else 200)


def _round(request: HttpRequest, shown: Policy, user: User, reason: str, now: dt.datetime) -> HttpResponse:
    try:
        done = rebasing.rebase_some(shown, by=user, reason=reason, now=now, after=_key(request.POST.get("after", "")))
    except PermissionDenied:
        raise Http404 from None
    moved = _number(request, "moved") + done.moved
    refused = [*request.POST.getlist("refused")[:50], *(f"{ref}: {text}" for ref, text in done.refusals)]
    if done.last is None and not refused:
        text = ngettext("%(n)d case runs by this version now.", "%(n)d cases run by this version now.", moved)
        messages.success(request, text % {"n": moved})
        return redirect("escalation:policy", code=policies.code_of(shown), number=shown.number)
    left = rebasing.waiting(shown, user, now)
    context: dict[str, Any] = {
        "policy": shown,
        "code": policies.code_of(shown),
        "reason": reason,
        "after": done.last,
        "moved": moved,
        "left": left.filter(pk__gt=done.last).count() if done.last else 0,
        "refused": refused[-50:],
    }
    context["percent"] = 100 * moved / max(moved + context["left"], 1)
    return render(request, "escalation/policy_moving.html", context)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 8 else 0


# ---- One case ----


def versions_for(incident: Incident, user: User, now: dt.datetime) -> dict[str, Policy]:
    """Versions this person may move the case to, by name; the one in force first. Empty where they may not."""
    if not incident.is_open or not authority.may(Act.REBASE, user.current_postings, facts_of(incident, user)):
        return {}
    in_force = policies.policy_for(incident.election, now)
    found = Policy.objects.filter(election=incident.election, published_at__lte=now).select_related("election")
    rows = [in_force, *(p for p in found.order_by("-number") if p.pk != in_force.pk)]
    return {name_of(p): p for p in rows if p.pk != incident.policy_id}


def newer_for(incident: Incident, user: User, now: dt.datetime) -> Policy | None:
    """The version in force where the case runs by another one and this person may move it."""
    if not incident.is_open or not authority.may(Act.REBASE, user.current_postings, facts_of(incident, user)):
        return None
    in_force = policies.policy_for(incident.election, now)
    return in_force if in_force.pk != incident.policy_id else None


def name_of(policy: Policy) -> str:
    return f"{policies.code_of(policy)}/{policy.number}"


@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Move one case: its deadlines as they are and as they would be, and the reason."""
    user, now = cast(User, request.user), timezone.now()
    incident = get_object_or_404(
        Incident.objects.visible_to(user).with_names().select_related("policy__election"), pk=pk
    )
    versions = versions_for(incident, user, now)
    if not versions:
        raise Http404
    form = MoveCaseForm(versions, request.POST or None, initial={"version": incident.version})
    if request.method == "POST" and form.is_valid():
        chosen = versions[form.cleaned_data["policy"]]
        how = {"version": form.cleaned_data["version"], "reason": form.cleaned_data["reason"]}
        try:
            rebasing.rebase(incident, chosen, by=user, now=now, **how)
        except (ValidationError, PermissionDenied) as refused:
            form.add_error(None, in_words(refused))
        else:
            messages.success(request, _("The case runs by the other version now. Its deadlines are counted anew."))
            return redirect(incident)
    context = {"incident": incident, "form": form, "now": now, "rows": _rows(incident, versions, now)}
    return render(request, "escalation/policy_case.html", context, status=422 if form.errors else 200)


def _rows(incident: Incident, versions: dict[str, Policy], now: dt.datetime) -> list[dict[str, Any]]:
    """Each standing deadline, and where the first of the versions would put it."""
    old, new = policies.rules_of(incident.policy), policies.rules_of(next(iter(versions.values())))
    targets = rebasing.targets_under(incident, old, now), rebasing.targets_under(incident, new, now)
    rows = []
    for clock in rebasing.standing_of(incident):
        minutes = rebasing.new_minutes(clock, *targets)
        due = None if minutes is None else clock.anchor_at + dt.timedelta(minutes=minutes)
        rows.append(
            {"what": clock.get_kind_display(), "now": clock.deadline_at, "then": due, "passed": due and due <= now}
        )
    return rows
