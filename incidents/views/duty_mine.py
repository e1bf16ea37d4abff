"""One's own duty: what comes, swaps asked of me and by me, and the calendar to subscribe to."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commands import feeds
from commands.duty_authority import sees
from commands.models import CalendarFeed, Swap, SwapState
from commands.rosters import plan_of
from incidents import duty
from incidents.forms.duty import SwapForm
from incidents.views.duty import command_for, kept_by, person_of
from incidents.views.duty_acts import tried
from incidents.views.duty_own import own

AHEAD = dt.timedelta(days=28)
ANSWERS = {SwapState.AGREED, SwapState.DECLINED, SwapState.WITHDRAWN}


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """My duties of the next four weeks, and the swaps that wait."""
    return _mine(request)


def _mine(request: HttpRequest, address: str = "") -> HttpResponse:
    me, now = person_of(request), timezone.now()
    swaps = Swap.objects.filter(Q(asked_of=me) | Q(asked_by=me), state=SwapState.ASKED, ends_at__gt=now)
    swaps = swaps.select_related("roster__command", "asked_by", "asked_of").order_by("starts_at")
    context = {
        "own": own(feeds.duties_of(me, now, now + AHEAD, in_use=False), now),
        "asked_of_me": [s for s in swaps if s.asked_of_id == me.pk],
        "asked_by_me": [s for s in swaps if s.asked_by_id == me.pk],
        "feed": CalendarFeed.objects.filter(user=me, revoked_at=None).first(),
        "address": address,
        "keeps": bool(kept_by(me)),
        "sees_roster": any(sees([posting], posting.command) for posting in me.current_postings),
    }
    response = render(request, "duty/mine.html", context)
    if address:
        response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def swap_new(request: HttpRequest, command: str) -> HttpResponse:
    """Ask a colleague to take a duty of mine."""
    found, me, now = command_for(request, command), person_of(request), timezone.now()
    plan = plan_of(found, now, now + AHEAD)
    form = SwapForm(plan, me, now, request.POST or None, initial={"mine": request.GET.get("mine")})
    if tried(form, lambda: duty.ask_swap(found, **form.values(), by=me, now=now)):
        messages.success(request, _("Your colleague is asked. Until they agree the duty stays yours."))
        return redirect("duty:mine")
    status = 400 if form.is_bound else 200
    return render(request, "duty/swap_new.html", {"form": form, "command": found}, status=status)


@require_POST
def swap_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree or decline what I am asked, or withdraw what I asked."""
    me = person_of(request)
    rows = Swap.objects.filter(Q(asked_of=me) | Q(asked_by=me))
    swap = get_object_or_404(rows.select_related("roster__command", "asked_by", "asked_of"), pk=pk)
    answer = request.POST.get("answer", "")
    try:
        if answer not in ANSWERS:
            raise ValidationError(_("Agree, decline or withdraw."))
        decided = duty.answer_swap(swap, answer, by=me, now=timezone.now())
        messages.success(request, _("The swap is «%(state)s».") % {"state": decided.get_state_display()})
    except (ValidationError, PermissionDenied) as refused:
        messages.error(request, " ".join(getattr(refused, "messages", [str(refused)])))
    return redirect("duty:mine")


# ---- The calendar ----


@require_POST
def feed_new(request: HttpRequest) -> HttpResponse:
    """A private address, shown in this one answer and never again."""
    _feed, token = feeds.make_feed(person_of(request), now=timezone.now())
    return _mine(request, request.build_absolute_uri(reverse("duty:calendar", args=[token])))


@require_POST
def feed_revoke(request: HttpRequest) -> HttpResponse:
    """The address opens nothing any more."""
    feeds.revoke_feeds(person_of(request), now=timezone.now())
    messages.success(request, _("The calendar address opens nothing any more."))
    return redirect("duty:mine")


@login_not_required
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The duties as iCalendar, to whoever has the address."""
    feed, now = feeds.feed_of(token), timezone.now()
    if feed is None:
        raise Http404
    with translation.override(feed.user.language):
        body = feeds.calendar_of(feed, now)
    feeds.note_reading(feed, now=now)
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="duty.ics"'
    response["Cache-Control"] = "private, max-age=600"
    response["ETag"] = quote_etag(feeds.digest_of(body.decode())[:32])
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
