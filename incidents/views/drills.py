"""Drills: the list, a new one with its trial on paper, one as it runs, answers from a page, a link or the radio."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commands.authority import DRILLS
from commands.choices import COMMANDING
from commands.models import User
from incidents import drill_results, drills
from incidents.choices import Channel
from incidents.dashboards.map import etag
from incidents.delivery.drills import read_link
from incidents.drill_checks import check
from incidents.entries import record_export
from incidents.escalation.beginnings import latest_end
from incidents.forms import refusals
from incidents.forms.drills import DrillForm, HeardForm
from incidents.models import Drill, DrillCall
from incidents.reports import csv
from incidents.turn import in_words
from incidents.views import drill_map

PAGE = 20


def _viewer(request: HttpRequest) -> User:
    """The signed-in person, if drills are any business of theirs; otherwise the page is not there."""
    user = request.user
    if not isinstance(user, User) or not user.has_role(*drills.SEE_ALL, *COMMANDING):
        raise Http404
    return user


def _holder(request: HttpRequest) -> User:
    user = _viewer(request)
    if not user.has_role(*DRILLS):
        raise Http404
    return user


def _call(user: User, pk: int) -> DrillCall:
    """A call whose drill and command the person may read about."""
    call = get_object_or_404(DrillCall.objects.select_related("drill"), pk=pk)
    drill = get_object_or_404(drills.visible_to(user), pk=call.drill_id)
    return get_object_or_404(drills.calls_of(drill, user), pk=pk)


# ---- Pages ----


@require_safe
def drill_list(request: HttpRequest) -> HttpResponse:
    """Drills that run and are planned, then those that are over, the latest first."""
    user, now = _viewer(request), timezone.now()
    found = drills.visible_to(user)
    going = _results(found.filter(ended_at=None).order_by("starts_at"), user, now)
    page = Paginator(found.exclude(ended_at=None), PAGE).get_page(request.GET.get("page"))
    over = _results(page, user, now)
    may_start = user.has_role(*DRILLS)
    return render(
        request, "escalation/drills.html", {"going": going, "over": over, "page": page, "may_start": may_start}
    )


def _results(found: Iterable[Drill], user: User, now: Any) -> list[drill_results.Result]:
    shown = list(found)
    told = drill_results.told_of(shown)
    return [drill_results.result(d, drills.calls_of(d, user), now, told[d.pk]) for d in shown]


def _result(drill: Drill, user: User, now: Any) -> drill_results.Result:
    return _results([drill], user, now)[0]


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new drill: first what it would do, then, by the other button, the drill."""
    user, now = _holder(request), timezone.now()
    form = DrillForm(request.POST if request.method == "POST" else None, commands=list(drills.choosable(user)))
    paper = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("do") == "start":
                made = drills.start(form.cleaned_data["name"], **form.asked(), by=user, now=now)
                return redirect("escalation:drill", made.pk)
            asked = form.asked() | {"starts_at": form.begins(now)}
            paper = drills.preview(**asked, by=user, now=now)
            check(form.cleaned_data["name"], asked["minutes"], asked["starts_at"], now)
        except ValidationError as refused:
            refusals.show(form, refused)
    context = {"form": form, "paper": paper, "shows_now": form.is_bound and not form.data.get("starts_at")}
    return render(request, "escalation/drill_new.html", context, status=422 if form.errors else 200)


@require_safe
def drill(request: HttpRequest, pk: int) -> HttpResponse:
    """One drill: what can be done in it, and below the part that renews itself."""
    user = _viewer(request)
    found = get_object_or_404(drills.visible_to(user), pk=pk)
    return render(request, "escalation/drill.html", {**_context(found, user), "may_export": user.has_role(*DRILLS)})


@require_safe
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the drill runs; 304 while it reads the same."""
    user = _viewer(request)
    context = _context(get_object_or_404(drills.visible_to(user), pk=pk), user)
    body = render_to_string("escalation/_drill_live.html", context, request)
    tag = etag(body)
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    return HttpResponse(body, headers={"ETag": tag})


def _context(drill: Drill, user: User) -> dict[str, Any]:
    now = timezone.now()
    shown = _result(drill, user, now)
    own = [c for c in shown.cells if drills.posting_at(user, c.call)]
    return {
        "drill": drill,
        "shown": shown,
        "map": drill_map.picture(shown.rows) if len(shown.rows) > 1 else None,
        "own": own,
        "is_running": drill.ended_at is None and drill.starts_at <= now,
        "may_cancel": drill.ended_at is None and drills.may_cancel(drill, user),
        "may_enter": {c.call.pk for c in shown.cells if not c.call.answered_at and drills.operator_for(user, c.call)},
        "latest_end": latest_end(drill),
        "beside": _beside(shown, user, now),
        "now": now,
    }


def _beside(shown: drill_results.Result, user: User, now: Any) -> drill_results.Comparison | None:
    """The comparison with the drill before of the same commands, once this one is over."""
    if not shown.drill.ended_at or shown.told.is_unbegun:
        return None
    before = drills.previous(shown.drill, user)
    return drill_results.compare(shown, _result(before, user, now)) if before else None


@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """The result as a file. It shows where nobody answers, so it is journaled like every file that leaves."""
    user, now = _holder(request), timezone.now()
    found = get_object_or_404(drills.visible_to(user), pk=pk)
    shown = _result(found, user, now)
    if shown.told.is_unbegun:
        raise Http404
    rows = drill_results.table(shown)
    entry = record_export("drill.csv", f"drill={found.pk}", len(rows), by=user, now=now)
    mark = entry.after["mark"]
    titles = [*drill_results.header(), _("Export mark")]
    response = HttpResponse(csv.table_csv([titles, *([*row, mark] for row in rows)]), content_type=csv.CONTENT_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, f"DRILL-{found.pk}.csv") or "attachment"
    return response


# ---- Acts ----


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a drill."""
    user = _holder(request)
    found = get_object_or_404(drills.visible_to(user), pk=pk)
    try:
        drills.cancel(found, by=user, now=timezone.now())
    except (ValidationError, PermissionDenied) as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, _after_cancel(found))
    return redirect("escalation:drill", found.pk)


def _after_cancel(drill: Drill) -> str:
    if drill.calls.exclude(called_at=None).exists():
        return _("The drill is cancelled. Those who were called and had not answered are told.")
    return _("The drill is cancelled before it began. Nobody was called.")


@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer for one's own command."""
    user = _viewer(request)
    call = _call(user, pk)
    try:
        drills.answer(call, by=user, now=timezone.now())
    except (ValidationError, PermissionDenied) as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, _("Thank you: your answer is recorded. The drill goes on above you."))
    return redirect("escalation:drill", call.drill_id)


@require_http_methods(["GET", "HEAD", "POST"])
def heard(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter what somebody of a command said by radio, telephone or SMS."""
    user, now = _viewer(request), timezone.now()
    call = _call(user, pk)
    if drills.operator_for(user, call) is None:
        raise Http404
    form = HeardForm(request.POST if request.method == "POST" else None, people=drills.people_of(call, now))
    if request.method == "POST" and form.is_valid():
        try:
            drills.answer_for(call, form.who, by=user, now=now, channel=form.cleaned_data["channel"])
        except ValidationError as refused:
            refusals.show(form, refused)
        else:
            messages.success(request, _("The answer of %(command)s is recorded.") % {"command": call.command.name})
            return redirect("escalation:drill", call.drill_id)
    context = {"form": form, "call": call, "drill": call.drill}
    return render(request, "escalation/drill_heard.html", context, status=422 if form.errors else 200)


_LINK = "escalation/drill_link.html"


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a message: a page with one button, without signing in. Programs open links, so only it answers."""
    try:
        key, person = read_link(token)
    except signing.BadSignature:
        return render(request, _LINK, {"refused": _("This link is not, or no longer, good.")})
    call = get_object_or_404(DrillCall.objects.select_related("command", "drill"), pk=key)
    user = get_object_or_404(User, pk=person, is_active=True)
    if request.user.is_authenticated and request.user.pk != user.pk:
        return render(request, _LINK, {"is_others": True}, status=403)
    with translation.override(user.language):
        return _by_link(request, call, user)


def _by_link(request: HttpRequest, call: DrillCall, user: User) -> HttpResponse:
    context: dict[str, Any] = {"call": call, "is_done": False}
    if request.method == "POST":
        try:
            drills.answer(call, by=user, now=timezone.now(), channel=Channel.LINK)
            context["is_done"] = True
        except (ValidationError, PermissionDenied) as refused:
            context["refused"] = in_words(refused)
    elif why := drills.not_answerable(call, user):
        context["refused"] = why
    return render(request, _LINK, context)
