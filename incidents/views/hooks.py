"""The page of webhooks: which there are, one more, off and on."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from commands.models import User
from incidents import hooks
from incidents.forms import refusals
from incidents.forms.hooks import HookForm
from incidents.models import Webhook


def _maker(request: HttpRequest) -> User:
    if not isinstance(request.user, User) or not request.user.has_role(*hooks.MAKERS):
        raise Http404
    return request.user


@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """The list and the form of a new one, whose secret is shown in this one answer and never again."""
    user, secret = _maker(request), ""
    form = HookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _made, secret = hooks.make(**form.cleaned_data, by=user, now=timezone.now())
        except ValidationError as refused:
            refusals.show(form, refused)
    rows = Webhook.objects.select_related("command").order_by("-is_on", "name")
    context = {"form": HookForm() if secret else form, "secret": secret, "hooks": rows}
    answer = render(request, "escalation/webhooks.html", context, status=422 if form.errors else 200)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Off or on."""
    user = _maker(request)
    row = hooks.switch(get_object_or_404(Webhook, pk=pk), request.POST.get("to") == "on", by=user, now=timezone.now())
    text = _("%(name)s is told again.") if row.is_on else _("%(name)s is told nothing any more.")
    messages.success(request, text % {"name": row.name})
    return redirect("escalation:webhooks")
