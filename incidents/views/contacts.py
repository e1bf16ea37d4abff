"""How I am reached: my addresses, proven by a code, with quiet hours each."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commands.contacts import wait_for_code
from commands.models import ContactPoint
from incidents import contacts
from incidents.delivery.notices import configured
from incidents.forms.contacts import AddressForm, CodeForm, QuietForm
from incidents.views.duty import person_of
from incidents.views.duty_acts import tried


def _mine(request: HttpRequest, pk: int) -> ContactPoint:
    return get_object_or_404(ContactPoint.objects.select_related("user"), pk=pk, user=person_of(request))


def _page(request: HttpRequest, **forms: Any) -> HttpResponse:
    """The list; `forms` holds the one that was refused: `form`, or `code` or `quiet` with the key of its point."""
    now = timezone.now()
    wrong: dict[tuple[str, int], Any] = forms.get("wrong", {})
    works = configured()
    rows = [
        {
            "point": point,
            "works": works.get(point.channel, False),
            "is_usable": works.get(point.channel, False) and point.is_on and point.verified_at is not None,
            "code": wrong.get(("code", point.pk)) or CodeForm(prefix=str(point.pk)),
            "quiet": wrong.get(("quiet", point.pk)) or QuietForm.of(point),
            "is_quiet_open": ("quiet", point.pk) in wrong,
            "waits": wait_for_code(point, now),
            "has_code": point.code_expires_at is not None and point.code_expires_at > now,
        }
        for point in ContactPoint.objects.filter(user=person_of(request)).order_by("channel", "pk")
    ]
    context = {
        "rows": rows,
        "form": forms.get("form") or AddressForm(works),
        "works": works,
        "any": any(works.values()),
    }
    return render(request, "account/contacts.html", context, status=400 if forms else 200)


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """My addresses, and a form for another."""
    return _page(request)


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Another address; a code is sent there at once."""
    form, now, made = AddressForm(configured(), request.POST), timezone.now(), list[ContactPoint]()
    if not tried(form, lambda: made.append(contacts.add(person_of(request), **form.cleaned_data, now=now))):
        return _page(request, form=form)
    return _sent(request, made[0])


@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Another code."""
    return _sent(request, _mine(request, pk))


def _sent(request: HttpRequest, contact: ContactPoint) -> HttpResponse:
    try:
        contacts.send(contact, now=timezone.now())
        messages.success(request, _("A code was sent there. Write it here within 15 minutes."))
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    return redirect("contacts:list")


@require_POST
def verify(request: HttpRequest, pk: int) -> HttpResponse:
    """The code that was sent there."""
    contact, now = _mine(request, pk), timezone.now()
    form = CodeForm(request.POST, prefix=str(pk))
    if not tried(form, lambda: contacts.verify(contact, form.cleaned_data["code"], now=now)):
        return _page(request, wrong={("code", pk): form})
    messages.success(request, _("This address is yours. Notices are sent there from now on."))
    return redirect("contacts:list")


@require_POST
def quiet(request: HttpRequest, pk: int) -> HttpResponse:
    """Quiet hours."""
    contact, now = _mine(request, pk), timezone.now()
    form = QuietForm(request.POST, prefix=str(pk))
    hours = ("quiet_from", "quiet_to")
    if not tried(form, lambda: contacts.set_quiet(contact, *(form.cleaned_data[h] for h in hours), now=now)):
        return _page(request, wrong={("quiet", pk): form})
    messages.success(request, _("The quiet hours are kept. A critical case is told at any hour."))
    return redirect("contacts:list")


@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """In use or not."""
    is_on = request.POST.get("on") == "1"
    contacts.switch(_mine(request, pk), is_on, now=timezone.now())
    messages.success(request, _("Notices are sent there.") if is_on else _("Nothing is sent there any more."))
    return redirect("contacts:list")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Gone."""
    contacts.remove(_mine(request, pk), now=timezone.now())
    messages.success(request, _("The address is removed."))
    return redirect("contacts:list")
