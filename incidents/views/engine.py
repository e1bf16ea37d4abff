"""The engine as a page: does it run, what did it do, what does it hold back; and its tick done by hand."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from commands.choices import Role
from commands.models import User
from incidents.escalation import standin
from incidents.views.board import WATCHING

#: Who may let the engine's work be done from a page: whoever is told that it is late.
MAY_TICK = (*WATCHING, Role.ADMINISTRATOR)


@require_POST
def tick(request: HttpRequest) -> HttpResponse:
    """One bounded round in place of the engine: by the script of a page that shows the bar, or by its button."""
    user = cast(User, request.user)
    if not user.has_role(*MAY_TICK):
        raise Http404
    done = standin.stand_in(timezone.now(), user)
    text = _said(done)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"state": done.pulse.state, "moved": done.moved, "text": text, "is_run": done.is_run})
    messages.success(request, text)
    there = request.POST.get("next", "")
    return redirect(there if url_has_allowed_host_and_scheme(there, {request.get_host()}) else "start")


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
