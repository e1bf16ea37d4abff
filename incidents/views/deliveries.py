"""The page of what left the system and what could not: channels, failures, trying again."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from commands.choices import Role
from commands.models import User
from incidents.bell import wake
from incidents.delivery import overview
from incidents.models import NoticeChannel, NoticeStatus


def _keeper(request: HttpRequest) -> User:
    """The signed-in person, if a posting that keeps the channels is in force; otherwise the page is not there."""
    if not isinstance(request.user, User) or not request.user.has_role(*overview.KEEPERS):
        raise Http404
    return request.user


@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    """Each channel, then what was given up or keeps failing."""
    user = _keeper(request)
    page = Paginator(overview.troubled(user), overview.SHOWN).get_page(request.GET.get("page"))
    channels = overview.channels(user)
    context = {
        "channels": channels,
        "waits_in_vain": sum(c.waiting for c in channels if not c.is_configured),
        # Only what would be tried again by itself can be given up; the rest is taken off the list.
        "some_fail": any(notice.status != NoticeStatus.DEAD for notice in page),
        "page": page,
        # Who administers the system reads no case.
        "sees_cases": user.has_role(Role.PSC_WATCH, Role.NEC_SECRETARIAT),
    }
    return render(request, "escalation/deliveries.html", context)


@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Try the ticked ones again, or all, or give the ticked ones up."""
    user, do = _keeper(request), request.POST.get("do")
    ticked = _keys(request.POST.getlist("notice"))
    if not ticked and do != "all":
        messages.warning(request, _("Tick at least one message first."))
    elif do == "give_up":
        count = overview.give_up(user, ticked)
        text = ngettext("%(n)d message is off the list.", "%(n)d messages are off the list.", count)
        messages.success(request, text % {"n": count})
    else:
        _say(request, *overview.again(user, None if do == "all" else ticked, timezone.now()))
        wake("incidents.deliver")
    return redirect("escalation:deliveries")


def _say(request: HttpRequest, tried: int, stay: int) -> None:
    if tried or not stay:
        text = ngettext("%(n)d message is tried again.", "%(n)d messages are tried again.", tried)
        messages.success(request, text % {"n": tried})
    if stay:
        text = ngettext(
            "%(n)d message was not tried: its channel is not set up. It stays in the list until then.",
            "%(n)d messages were not tried: their channel is not set up. They stay in the list until then.",
            stay,
        )
        messages.warning(request, text % {"n": stay})


def _keys(sent: list[str]) -> list[int]:
    return [int(key) for key in sent if key.isascii() and key.isdigit() and len(key) < 19]


@require_POST
def probe(request: HttpRequest, channel: str) -> HttpResponse:
    """Try a channel at once that is paused after failures."""
    _keeper(request)
    if channel not in NoticeChannel.values:
        raise Http404
    overview.probe(channel, timezone.now())
    wake("incidents.deliver")
    messages.success(request, _("The channel is tried now. Look again in a minute."))
    return redirect("escalation:deliveries")
