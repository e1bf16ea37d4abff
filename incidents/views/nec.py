"""Pages of the NEC secretariat: what waits for classification, and public notices from draft to cancellation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from commands.back import back
from commands.choices import Role
from commands.models import User
from elections import geometry
from elections.models import Jurisdiction
from incidents import actions, cap, classification, notices
from incidents.choices import SEVERITY_ORDER, Act, Classification, Severity
from incidents.forms import refusals
from incidents.forms.notices import ClassifyForm, ManyForm, NoticeForm, first_words, words_of
from incidents.models import Incident, PublicNotice, PublicNoticeState
from incidents.querysets import IncidentQuerySet
from incidents.turn import in_words

CLASSIFIERS = (Role.NEC_SECRETARIAT, Role.INTEGRITY)


def person_with(request: HttpRequest, *roles: Role) -> User:
    """The signed-in person, if a posting with one of the roles is in force; otherwise the page is not there."""
    user = request.user
    if not isinstance(user, User) or not user.has_role(*roles):
        raise Http404
    return user


# ---- Classification ----

#: Narrowing the queue: the chip's word in the address.
ONLY: dict[str, Any] = {
    "late": classification.late,
    "serious": lambda cases, now: cases.filter(severity__in=(Severity.CRITICAL, Severity.HIGH)),
    "proposed": lambda cases, now: cases.exclude(proposed_classification="undetermined"),
}


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Cases that wait for the NEC's classification, soonest due first."""
    user, now = person_with(request, *CLASSIFIERS), timezone.now()
    waiting = classification.waiting_for(user)
    only = request.GET.get("only", "")
    narrowed = ONLY[only](waiting, now) if only in ONLY else waiting
    rows, more = classification.page(narrowed, after=request.GET.get("after", ""))
    return render(
        request,
        "nec/queue.html",
        {
            "rows": rows,
            "more": more,
            "only": only,
            "whole": only not in ONLY,
            "narrow": {name: name == only for name in ONLY},
            "counts": _counts(waiting, now),
            "grounds": classification.GROUNDS,
            "together": classification.TOGETHER,
            "undoable": classification.undoable(user, now),
        },
    )


def _counts(waiting: IncidentQuerySet, now: dt.datetime) -> dict[str, int]:
    return {"all": waiting.count(), **{name: narrow(waiting, now).count() for name, narrow in ONLY.items()}}


@require_GET
def decided(request: HttpRequest) -> HttpResponse:
    """The latest decisions with their reasons, what police had proposed, and the way to decide again."""
    user = person_with(request, *CLASSIFIERS)
    disagreed = request.GET.get("only") == "disagreed"
    cases = list(classification.decided_for(user, disagreed=disagreed)[:100])
    why = classification.decisions(cases)
    context = {
        "rows": [(case, why.get(case.pk)) for case in cases],
        "disagreed": disagreed,
        "agreed_too": not disagreed,
        "grounds": classification.GROUNDS,
        "rules": [rule.id for rule in classification.RULES],
    }
    return render(request, "nec/decided.html", context)


@require_POST
def classify(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One tap of the queue, or another decision with its reason."""
    user = person_with(request, *CLASSIFIERS)
    incident = get_object_or_404(Incident.objects.visible_to(user), pk=pk)
    form = ClassifyForm(request.POST)
    if not form.is_valid():
        messages.error(request, _all_of(form))
        return _back(request)
    chosen, version = form.cleaned_data["classification"], form.cleaned_data["version"]
    if refusal := _decide(incident, user, version, chosen, form.reason):
        messages.error(request, refusal)
    else:
        messages.success(request, _("%(reference)s is classified.") % {"reference": incident.reference})
    return _back(request)


@require_POST
def classify_many(request: HttpRequest) -> HttpResponse:
    """One press for the ticked cases: each is a decision of its own, and one refused stops no other."""
    user = person_with(request, *CLASSIFIERS)
    form = ManyForm(request.POST)
    if not form.is_valid():
        messages.error(request, _all_of(form))
        return _back(request)
    versions = dict(form.cleaned_data["case"])
    cases = classification.waiting_for(user).filter(pk__in=versions, severity__in=classification.TOGETHER)
    refusals = [_decide_as_asked(case, user, versions[case.pk], form) for case in cases]
    done = refusals.count("")
    if done:
        messages.success(
            request, ngettext("%(n)d case is classified.", "%(n)d cases are classified.", done) % {"n": done}
        )
    if left := len(versions) - len(refusals):
        left_out = ngettext(
            "%(n)d case was left out: it is decided already, or serious enough to be decided alone.",
            "%(n)d cases were left out: they are decided already, or serious enough to be decided alone.",
            left,
        )
        messages.warning(request, left_out % {"n": left})
    for refusal in filter(None, refusals):
        messages.error(request, refusal)
    return _back(request)


def _decide_as_asked(incident: Incident, user: User, version: int, form: ManyForm) -> str:
    chosen, reason = form.cleaned_data["classification"], form.reason
    if chosen == ManyForm.PROPOSED:
        chosen, reason = incident.proposed_classification, _("As police proposed")
        if chosen == Classification.UNDETERMINED:
            return _("%(reference)s: police propose nothing.") % {"reference": incident.reference}
    return _decide(incident, user, version, chosen, reason)


@require_POST
def take_back(request: HttpRequest) -> HttpResponse:
    """Undo the person's own decisions of the last minutes, those that are ticked."""
    user, now = person_with(request, *CLASSIFIERS), timezone.now()
    wanted = set(request.POST.getlist("case"))
    done = 0
    for undo in classification.undoable(user, now):
        case = undo.incident
        if str(case.pk) not in wanted:
            continue
        if refusal := _decide(case, user, case.version, undo.before, _("Taken back at once: pressed by mistake")):
            messages.error(request, refusal)
        else:
            done += 1
    if done:
        told = ngettext("%(n)d decision is taken back.", "%(n)d decisions are taken back.", done) % {"n": done}
        messages.success(request, told)
    else:
        messages.warning(request, _("Nothing was taken back. After 15 minutes, decide again under «Decided»."))
    return _back(request)


def _decide(incident: Incident, user: User, version: int, chosen: str, reason: str) -> str:
    """Classify; the refusal as a sentence with the reference, "" where there is none."""
    try:
        actions.perform(
            Act.CLASSIFY, incident, by=user, version=version, now=timezone.now(), classification=chosen, reason=reason
        )
    except (ValidationError, PermissionDenied) as refused:
        return f"{incident.reference}: {in_words(refused)}"
    return ""


def _all_of(form: Form) -> str:
    return " ".join(str(message) for errors in form.errors.values() for message in errors)


def _back(request: HttpRequest) -> HttpResponse:
    """To the same part of the queue the button was pressed in."""
    return back(request, "nec:queue")


# ---- Public notices ----


def _notices_of(user: User) -> QuerySet[PublicNotice]:
    """Notices about cases whose details the person may read."""
    return PublicNotice.objects.filter(incident__in=Incident.objects.detailed_to(user)).select_related(
        "incident", "incident__category", "area", "area__parent", "drafted_by", "approved_by"
    )


def _notice(request: HttpRequest, pk: UUID) -> tuple[User, PublicNotice]:
    user = person_with(request, *notices.DRAFTERS)
    return user, get_object_or_404(_notices_of(user), pk=pk)


@require_GET
def notice_list(request: HttpRequest) -> HttpResponse:
    """What waits for approval, what is in force, what is over."""
    user, now = person_with(request, *notices.DRAFTERS), timezone.now()
    current = _notices_of(user).filter(expires_at__gt=now)
    waiting = current.filter(state=PublicNoticeState.DRAFT).order_by("drafted_at")
    in_force = current.filter(state=PublicNoticeState.ISSUED).order_by("-issued_at")
    latest = notices.without_notice(Incident.objects.detailed_to(user)).with_names()[:60]
    # The public needs a word about what is dangerous before it needs one about a theft.
    possible = sorted(latest, key=lambda case: -SEVERITY_ORDER[Severity(case.severity)])[:10]
    over = _notices_of(user).exclude(pk__in=waiting).exclude(pk__in=in_force)[:50]
    return render(
        request,
        "nec/notices.html",
        {
            "waiting": waiting,
            "in_force": in_force,
            "over": over,
            "possible": possible,
            "now": now,
            "status": cap.status(),
            "is_nec": user.has_role(*CLASSIFIERS),
        },
    )


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new draft, from a case."""
    user, now = person_with(request, *notices.DRAFTERS), timezone.now()
    incident = get_object_or_404(Incident.objects.detailed_to(user).with_names(), pk=pk)
    form = NoticeForm(request.POST or None, incident=incident, initial=first_words(incident, now))
    if request.method == "POST" and form.is_valid():
        try:
            made = notices.draft(incident, by=user, now=now, **form.cleaned_data)
        except ValidationError as refused:
            refusals.show(form, refused)
        else:
            return redirect("nec:notice", made.pk)
    return _draft_page(request, form, incident)


@require_http_methods(["GET", "POST"])
def revise(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change a draft."""
    user, notice = _notice(request, pk)
    if request.method == "GET" and notice.state != PublicNoticeState.DRAFT:
        return redirect("nec:notice", notice.pk)
    form = NoticeForm(request.POST or None, incident=notice.incident, initial=words_of(notice))
    if request.method == "POST" and form.is_valid():
        try:
            notices.revise(notice, by=user, now=timezone.now(), **form.cleaned_data)
        except ValidationError as refused:
            refusals.show(form, refused)
        else:
            return redirect("nec:notice", notice.pk)
    return _draft_page(request, form, notice.incident, notice)


def _draft_page(
    request: HttpRequest, form: NoticeForm, incident: Incident, notice: PublicNotice | None = None
) -> HttpResponse:
    context = {"form": form, "incident": incident, "notice": notice, "why_not": notices.not_publishable(incident)}
    return render(request, "nec/draft.html", context, status=422 if form.errors else 200)


@require_GET
def notice(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A notice as people will read it, with what can be done: approve a draft, print or cancel an issued one."""
    user, notice = _notice(request, pk)
    return render(request, "nec/notice.html", _notice_context(user, notice))


def _notice_context(user: User, notice: PublicNotice) -> dict[str, Any]:
    now, approver = timezone.now(), user.has_role(*notices.APPROVERS)
    return {
        "notice": notice,
        "now": now,
        "is_over": notice.expires_at <= now,
        "is_own": notice.drafted_by_id == user.pk,
        "may_approve": approver and notice.drafted_by_id != user.pk,
        "is_approver": approver,
        "why_not": notices.not_publishable(notice.incident),
        "hints": notices.hints(notice),
        "as_issued": notices.is_as_issued(notice),
        "status": cap.status(),
        "sides": [
            {"lang": lang, "sender": cap.SENDER_NAME[lang], "area": cap.area_description(notice.area, lang),
             **{part: getattr(notice, f"{part}_{lang}") for part in ("event", "headline", "instruction")}}
            for lang in ("km", "en")
        ],
    }  # fmt: skip


def _outline(area: Jurisdiction) -> Sequence[cap.Ring]:
    """The area's outline for the message; none for the whole country, which needs none."""
    if area.parent_id is None or not area.has_outline:
        return ()
    features = geometry.outlines(area.parent_id)["features"]
    return cap.rings(next((f["geometry"] for f in features if f["id"] == area.pcode), None))


@require_POST
def issue(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Approve and issue."""
    user, notice = _notice(request, pk)
    try:
        notices.issue(notice, by=user, now=timezone.now(), outline=_outline)
    except (ValidationError, PermissionDenied) as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, _("The notice is issued."))
    return redirect("nec:notice", notice.pk)


@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take an issued notice back."""
    user, notice = _notice(request, pk)
    reason = request.POST.get("reason", "")
    try:
        notices.cancel(notice, by=user, reason=reason, now=timezone.now())
    except (ValidationError, PermissionDenied) as refused:
        context = {**_notice_context(user, notice), "reason": reason, "refusal": in_words(refused)}
        return render(request, "nec/notice.html", context, status=422)
    messages.success(request, _("The notice is cancelled. Its cancellation went out as a message of its own."))
    return redirect("nec:notice", notice.pk)


@login_not_required
@require_safe
def cap_message(request: HttpRequest, pk: UUID, first: bool = False) -> HttpResponse:
    """The CAP message as it went out: the Cancel once there is one, else the Alert. A draft has none."""
    notice = get_object_or_404(PublicNotice.objects.exclude(state=PublicNoticeState.DRAFT), pk=pk)
    xml = notice.alert_xml if first else notice.cancel_xml or notice.alert_xml
    return HttpResponse(xml, content_type=f"{cap.CONTENT_TYPE}; charset=utf-8", headers={"Cache-Control": "max-age=60"})
