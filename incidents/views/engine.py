"""The engine as a page: does it run, what did it do, what does it hold back; and its round done by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commands.authority import RELEASES
from commands.back import back
from commands.choices import Role
from commands.models import User
from incidents.delivery import overview
from incidents.escalation import board as steps
from incidents.escalation import hold, moment, record, said, standin, watchdog
from incidents.models import EngineState, Incident, Quarantine
from incidents.templatetags._engine import plain_of
from incidents.views.board import WATCHING

#: Who may let the engine's work be done from a page: whoever is told that it is late.
MAY_TICK = (*WATCHING, Role.ADMINISTRATOR)
#: Who looks after the engine, and who of them may do more than look.
KEEPERS = (Role.PSC_WATCH, Role.NEC_SECRETARIAT, Role.ADMINISTRATOR, Role.AUDITOR)
MAY_TRY_AGAIN = (Role.PSC_WATCH, Role.NEC_SECRETARIAT, Role.ADMINISTRATOR)
#: Cases named on the page of what is held back.
NAMED = 50


def _one_of(request: HttpRequest, *roles: Role) -> User:
    user = cast(User, request.user)
    if not user.has_role(*roles):
        raise Http404
    return user


@require_safe
def engine(request: HttpRequest) -> HttpResponse:
    """Its pulse, its last rounds, what it set aside, what is before it."""
    user, now = _one_of(request, *KEEPERS), timezone.now()
    pulse, may_release = watchdog.pulse(now), user.has_role(*RELEASES)
    if pulse.state == "set_aside" and not record.set_aside(user).exists():
        # Of a case that the person may not know of nothing is said, and the engine is well.
        pulse = replace(pulse, state="ok", reason="")
    context = {
        "pulse": pulse,
        "said": said.said(pulse.reason),
        "plain": plain_of(pulse, now, may_release=may_release),
        "heading": said.heading(pulse.state),
        "runs": record.runs_for(user),
        "outages": record.outages(),
        "set_aside": record.set_aside_for(user),
        "may_try_again": user.has_role(*MAY_TRY_AGAIN),
        "may_release": may_release,
        "is_administrator": record.reads_all(user),
        "phases": record.phases_ahead(now),
        "stuck": watchdog.stuck(now),
        "not_leaving": overview.not_leaving(overview.channels(user)),
        "now": now,
    }
    return render(request, "escalation/engine.html", context)


@require_safe
def bar(request: HttpRequest) -> HttpResponse:
    """The bar alone, for pages that stay open: empty while the engine runs. `from` is the page it is shown on."""
    _one_of(request, *MAY_TICK)
    return render(request, "escalation/bar.html", {"back": request.GET.get("from", "/")})


@require_POST
def tick(request: HttpRequest) -> HttpResponse:
    """One bounded round in place of the engine: by the script of a page that shows the bar, or by its button."""
    user = _one_of(request, *MAY_TICK)
    reading = moment.read()
    done = standin.stand_in(reading.now, user, reading)
    text = _said(done)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"state": done.pulse.state, "moved": done.moved, "text": text, "is_run": done.is_run})
    messages.success(request, text)
    return back(request, "start")


def _said(done: standin.Done) -> str:
    if not done.is_run:
        if done.pulse.state == "held":
            return _("The engine is held. A person of the PSC watch or the NEC secretariat must let it go on.")
        return _("Nothing to do: it was just done.") if done.pulse.is_alarm else _("The engine runs by itself again.")
    if not done.moved:
        return _("Done. Of your cases none was due.")
    return ngettext("Done: %(number)s step in your cases.", "Done: %(number)s steps in your cases.", done.moved) % {
        "number": done.moved
    }


@require_POST
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A deadline that was set aside is tried again with the next round."""
    user = _one_of(request, *MAY_TRY_AGAIN)
    try:
        record.try_again(user, pk, timezone.now())
    except Quarantine.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("It is tried again with the next round."))
    return redirect("escalation:engine")


@require_http_methods(["GET", "HEAD", "POST"])
def held(request: HttpRequest) -> HttpResponse:
    """What a leap of the clock made due and nobody let go yet; letting it go needs a reason."""
    # By the engine's clock: it is that one which leapt, or did not.
    user, now = _one_of(request, *RELEASES), moment.read().now
    error = _released(request, user) if request.method == "POST" else None
    if error == "":
        messages.success(request, _("Released. The steps are done with the next round."))
        return redirect("escalation:engine")
    context = {"reason": request.POST.get("reason", ""), "error": error, "now": now, **_waiting(user, now)}
    return render(request, "escalation/held.html", context, status=400 if error else 200)


def _released(request: HttpRequest, user: User) -> str:
    """Let go what is held; what is wrong with the request, or "" when it is done."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        return _("Say why, in a few words.")
    try:
        hold.release(user, moment.read().now, reason[:1000])
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _waiting(user: User, now: Any) -> dict[str, Any]:
    """The cases of the person that would take a step at once, and what it is."""
    state = EngineState.objects.filter(pk=1).first()
    due = [d for d in steps.due_next(Incident.objects.visible_to(user), now, size=NAMED + 1) if d.at <= now]
    cases = {case.pk: case for case in Incident.objects.visible_to(user).with_names().filter(
        pk__in=[d.incident for d in due[:NAMED]]
    )}  # fmt: skip
    ahead = steps.next_of(list(cases.values()), [d.clock for d in due[:NAMED]], now)
    lines = [(cases[d.incident], ahead.get(d.incident)) for d in due[:NAMED]]
    return {"held_at": state.held_at if state else None, "lines": lines, "more": len(due) > NAMED}
