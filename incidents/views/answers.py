"""Answers to messages: the page of a one-tap link, the operator's page of codes, and the door of an SMS gateway."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from commands.choices import COMMANDING, Role
from commands.models import User
from incidents import answers
from incidents.answers import Asked, Standing
from incidents.forms import refusals
from incidents.forms.answers import CodeForm

#: What an answer of each standing is to machines.
_STATUS = {Standing.WRONG: 404, Standing.EXPIRED: 410, Standing.OTHER: 403}
#: An SMS is short; what is longer is none.
MOST_BYTES = 10_000


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what a link asks and changes nothing, because scanners open links; POST answers it."""
    viewer = request.user if isinstance(request.user, User) else None
    does = answers.by_link if request.method == "POST" else answers.read_link
    asked = does(token, timezone.now(), viewer=viewer)
    with translation.override(_language(request, asked)):
        return _answer_page(request, asked)


def _language(request: HttpRequest, asked: Asked) -> str:
    """The recipient's, unless a language was chosen on this device or somebody is signed in."""
    was_chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES or request.user.is_authenticated
    return asked.person.language if asked.person and not was_chosen else translation.get_language()


def _answer_page(request: HttpRequest, asked: Asked) -> HttpResponse:
    context = {"asked": asked, "standing": asked.standing.name, "done": request.method == "POST"}
    answer = render(request, "escalation/answer.html", context, status=_STATUS.get(asked.standing, 200))
    # The address is the key: nobody the page leads to may learn it.
    answer["Referrer-Policy"] = "same-origin"
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The operator's form for a code heard by radio, SMS or phone."""
    user, now = request.user, timezone.now()
    if not isinstance(user, User) or not user.has_role(*COMMANDING, Role.NEC_SECRETARIAT):
        raise Http404
    form = CodeForm(request.POST or None, now=now)
    if request.method == "POST" and form.is_valid():
        try:
            row = answers.by_code(form.spoken(), by=user, now=now)
        except ValidationError as refused:
            refusals.show(form, refused)
        else:
            text = _("%(reference)s is taken: entered for %(person)s.")
            values = {"reference": row.incident.reference, "person": row.recipient.username}
            messages.success(request, text % values)
            return redirect("escalation:codes")
    return render(request, "escalation/codes.html", {"form": form}, status=422 if form.errors else 200)


@csrf_exempt
@login_not_required
@require_POST
def inbound_sms(request: HttpRequest) -> HttpResponse:
    """For the SMS gateway alone: {"from": number, "text": words}, as JSON or a form, with the shared secret."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.SMS_INBOUND_SECRET or not constant_time_compare(given, settings.SMS_INBOUND_SECRET):
        raise Http404
    sender, text = _sms(request)
    try:
        row = answers.by_sms(sender, text, timezone.now())
    except ValidationError as refused:
        return JsonResponse({"status": refused.code or "refused", "text": " ".join(refused.messages)}, status=422)
    with translation.override(row.recipient.language):
        said = _("%(reference)s: you have it.") % {"reference": row.incident.reference}
    return JsonResponse({"status": "taken", "text": said})


def _sms(request: HttpRequest) -> tuple[str, str]:
    fields: Any = request.POST
    if request.content_type == "application/json":
        try:
            fields = json.loads(request.body[:MOST_BYTES])
        except ValueError:
            fields = {}
        except RecursionError:
            raise BadRequest from None
    if not hasattr(fields, "get"):
        fields = {}
    return str(fields.get("from", ""))[:40], str(fields.get("text", ""))[:1000]
