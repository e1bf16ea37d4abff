"""Changing a roster and its delegations: each view parses a form, calls one act, shows a refusal beside its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from commands.choices import RUNG, BodyKind
from commands.duty_authority import may_act_for
from commands.models import Cover, Delegation, SecurityCommand, Shift
from commands.rosters import AHEAD, moment_of, plan_of
from incidents import duty
from incidents.forms import refusals
from incidents.forms.duty import CoverForm, DelegationForm, EndShiftForm, HoursForm, ShiftForm, as_typed, hours_of
from incidents.views.duty import command_for, may_delegate, person_of, plan_for

_form_view = require_http_methods(["GET", "HEAD", "POST"])


def _done(request: HttpRequest, command: SecurityCommand, text: str, now: dt.datetime) -> HttpResponse:
    """Back to the roster with what was done, and the first gap it leaves where it leaves one."""
    messages.success(request, text)
    plan = plan_of(command, now, now + AHEAD)
    if plan.is_on and (gaps := plan.gaps(now, now + AHEAD)):
        said = _("Nobody is on duty from %(from)s to %(until)s.")
        values = {"from": moment_of(gaps[0].starts_at), "until": moment_of(gaps[0].ends_at)}
        messages.warning(request, said % values)
    return redirect("duty:roster", command.code)


def tried(form: forms.Form, act: Callable[[], Any]) -> bool:
    """Whether the act was done; a refusal is put beside its field, or above the form where it is of none."""
    if not form.is_valid():
        return False
    try:
        act()
    except ValidationError as refused:
        refusals.show(form, refused)
        return False
    return True


def _page(request: HttpRequest, template: str, form: forms.Form, **context: Any) -> HttpResponse:
    return render(request, f"duty/{template}.html", {"form": form, **context}, status=400 if form.is_bound else 200)


@require_POST
def use(request: HttpRequest, command: str) -> HttpResponse:
    """Take the roster into use, or out of it."""
    found, now = command_for(request, command, keeping=True), timezone.now()
    is_on = request.POST.get("on") == "1"
    try:
        duty.switch(found, is_on, by=person_of(request), now=now)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("duty:roster", found.code)
    text = _("The roster is in use.") if is_on else _("The roster is not in use any more.")
    return _done(request, found, text, now)


# ---- Shifts ----


@_form_view
def shift_new(request: HttpRequest, command: str) -> HttpResponse:
    """Put somebody on the roster."""
    found, now = command_for(request, command, keeping=True), timezone.now()
    plan = plan_for(found, now)
    start = {
        "first_on": timezone.localdate(now),
        "starts": "07:00",
        "until": "19:00",
        "person": request.GET.get("person"),
    }
    form = ShiftForm(plan, request.POST or None, initial=start)
    by = person_of(request)
    if tried(form, lambda: duty.add_shifts(found, **form.values(), by=by, now=now)):
        return _done(request, found, _("The shift is on the roster."), now)
    return _page(request, "shift_new", form, command=found, plan=plan)


@_form_view
def shift(request: HttpRequest, command: str, pk: int) -> HttpResponse:
    """Other hours or another person from a day on; or no longer."""
    found, now = command_for(request, command, keeping=True), timezone.now()
    row = get_object_or_404(Shift.objects.select_related("roster__command", "person"), pk=pk, roster__command=found)
    plan, by = plan_for(found, now), person_of(request)
    today = timezone.localdate(now)
    ending = "end" in request.POST
    first = max(today + dt.timedelta(days=1), row.valid_from)
    form = HoursForm(plan, None if ending else request.POST or None, initial=hours_of(row) | {"first_on": first})
    end = EndShiftForm(request.POST if ending else None, initial={"last_on": max(today, row.valid_from)})
    if ending and tried(end, lambda: duty.end_shift(row, last=end.cleaned_data["last_on"], by=by, now=now)):
        return _done(request, found, _("The shift ends on that day."), now)
    if not ending and tried(form, lambda: duty.change_shift(row, **form.values(), by=by, now=now)):
        return _done(request, found, _("The shift is changed."), now)
    context = {"command": found, "plan": plan, "shift": row, "end": end}
    return render(request, "duty/shift.html", {"form": form, **context}, status=400 if request.POST else 200)


# ---- Covers ----


@_form_view
def cover_new(request: HttpRequest, command: str) -> HttpResponse:
    """Somebody else, somebody more, or nobody, for some hours."""
    found, now = command_for(request, command, keeping=True), timezone.now()
    plan = plan_for(found, now)
    start = {"replaces": request.GET.get("replaces"), "starts_at": _asked(request, "from", now)}
    form = CoverForm(plan, request.POST or None, initial=start | {"ends_at": _asked(request, "until", None)})
    by = person_of(request)
    if tried(form, lambda: duty.add_cover(found, **form.values(), by=by, now=now)):
        return _done(request, found, _("The cover is on the roster."), now)
    return _page(request, "cover_new", form, command=found, plan=plan)


@require_POST
def cover_end(request: HttpRequest, command: str, pk: int) -> HttpResponse:
    """The roster holds again."""
    found, now = command_for(request, command, keeping=True), timezone.now()
    rows = Cover.objects.select_related("roster__command", "person", "replaces")
    row = get_object_or_404(rows, pk=pk, roster__command=found)
    try:
        duty.end_cover(row, by=person_of(request), now=now)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("duty:roster", found.code)
    return _done(request, found, _("The cover is over. The roster holds again."), now)


def _asked(request: HttpRequest, name: str, otherwise: dt.datetime | None) -> dt.datetime | None:
    """A moment from the address, for a form that is opened from a gap; anything else counts as not asked."""
    try:
        found = dt.datetime.fromisoformat(request.GET.get(name, ""))
        return as_typed(found) if timezone.is_aware(found) else None
    except (ValueError, OverflowError):
        return as_typed(otherwise) if otherwise else None


# ---- Delegations ----


@_form_view
def delegate(request: HttpRequest, command: str) -> HttpResponse:
    """Another command answers for this one, for a time."""
    found, now = command_for(request, command, keeping=True), timezone.now()
    by = person_of(request)
    if not may_delegate(by, found):
        raise Http404
    form = DelegationForm(able_to_act(found), request.POST or None, initial={"starts_at": as_typed(now)})
    if tried(form, lambda: duty.delegate(found, **form.values(), by=by, now=now)):
        messages.success(request, _("The delegation is kept. Both commands are told."))
        return redirect("duty:roster", found.code)
    return _page(request, "delegate", form, command=found)


@require_POST
def delegation_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Over from now on."""
    row = get_object_or_404(Delegation.objects.select_related("command", "acting"), pk=pk)
    by = person_of(request)
    if not may_delegate(by, row.command):
        raise Http404
    try:
        duty.end_delegation(row, by=by, now=timezone.now())
        messages.success(request, _("The delegation is over. Both commands are told."))
    except (ValidationError, PermissionDenied) as refused:
        messages.error(request, " ".join(getattr(refused, "messages", [str(refused)])))
    return redirect("duty:delegations")


def able_to_act(command: SecurityCommand) -> list[SecurityCommand]:
    """Commands that can act for this one: those beside it under the same parent, and those above; desks for a desk."""
    near = Q(kind=BodyKind.INTEGRITY_DESK)
    if command.rung is not None:
        above = [command.path[: at + 1] for at, sign in enumerate(command.path) if sign == "."]
        near = Q(path__in=above) | Q(parent=command.parent_id, kind__in=list(RUNG))
    found = SecurityCommand.objects.active().filter(near).exclude(pk=command.pk).order_by("path")
    return [c for c in found if may_act_for(c, command)]
