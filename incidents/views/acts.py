"""One address for every act on a case: its form, and the act itself."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commands.models import User
from incidents import actions, evidence, identities, lifecycle, referrals
from incidents.choices import Act
from incidents.forms.acts import ActForm
from incidents.forms.asks import ASKS
from incidents.models import Incident
from incidents.views import timeline


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET ?act=… shows the form of one act; POST does it. Not visible and not existing are both 404."""
    user, now = cast(User, request.user), timezone.now()
    incident = get_object_or_404(Incident.objects.visible_to(user).with_names(), pk=pk)
    wanted = _act(request)
    if request.method != "POST":
        form = ActForm(wanted, incident, user, now, initial=_chosen(request))
        return _show(request, form, status=200 if wanted in actions.allowed(incident, user) else 403)
    form = ActForm(wanted, incident, user, now, request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form, status=422)
    return _perform(request, form)


def _chosen(request: HttpRequest) -> dict[str, str]:
    """What the button already named: one of several referrals."""
    return {name: request.GET[name] for name in ("referral",) if name in request.GET}


def _act(request: HttpRequest) -> Act:
    """The act asked for; 404 for one that does not exist or that nobody does by hand."""
    text = (request.POST if request.method == "POST" else request.GET).get("act", "")
    if text not in Act.values or Act(text) not in ASKS:
        raise Http404
    return Act(text)


def _perform(request: HttpRequest, form: ActForm) -> HttpResponse:
    """Do the act, or show the form again with everything typed and the reason it was refused."""
    try:
        _do(request, form)
    except actions.StaleVersion as stale:
        return _decide_again(request, form, stale)
    except PermissionDenied as refused:
        return _show(request, form, status=403, refusal=str(refused))
    except ValidationError as refused:
        form.add_refusal(refused)
        return _show(request, form, status=422)
    if form.act == Act.OPEN_IDENTITY:
        return _identities(request, form)
    # What was done may have taken the case out of this person's sight.
    visible = Incident.objects.visible_to(form.person).filter(pk=form.incident.pk).exists()
    there = form.incident.get_absolute_url() if visible else reverse("incidents:list")
    if request.headers.get("X-Fragment") == "act":
        return HttpResponse(status=204, headers={"X-Next": there})
    return redirect(there)


def _do(request: HttpRequest, form: ActForm) -> None:
    if form.act == Act.ATTACH:
        _attach(request, form)
        return
    actions.perform(
        form.act, form.incident, by=form.person, version=form.cleaned_data["version"], now=form.now,
        **form.data_for_act(),
    )  # fmt: skip
    if form.ask.done and form.act != Act.OPEN_IDENTITY:
        messages.success(request, str(form.ask.done))


def _attach(request: HttpRequest, form: ActForm) -> None:
    """Each file is an act of its own: those that are right are kept, those refused are named."""
    files: list[UploadedFile[bytes]] = form.cleaned_data["files"]
    evidence.check_count(len(files))
    version, refused = form.cleaned_data["version"], []
    for upload in files:
        try:
            done = actions.perform(
                Act.ATTACH, form.incident, by=form.person, version=version, now=form.now, upload=upload
            )
        except actions.StaleVersion:
            raise
        except ValidationError as error:
            refused += error.messages
        else:
            version = done.version
    kept = len(files) - len(refused)
    if not kept:
        raise ValidationError(refused)
    text = ngettext("%(number)d file is added.", "%(number)d files are added.", kept)
    messages.success(request, text % {"number": kept})
    if refused:
        messages.warning(request, _("Not added: %(reasons)s") % {"reasons": " ".join(refused)})


def _show(request: HttpRequest, form: ActForm, *, status: int, refusal: str = "", **more: Any) -> HttpResponse:
    if status == 403 and not refusal:
        refusal = _why_not(form)
    offered = actions.allowed(form.incident, form.person) if form.is_concerned else []
    context = {"form": form, "incident": form.incident, "refusal": refusal, "offered": offered, **more}
    return render(request, "incidents/act.html", context | {"act": form.act, "ask": form.ask}, status=status)


def _why_not(form: ActForm) -> str:
    if lifecycle.after(form.incident.state, form.act) is None:
        return lifecycle.refusal(form.incident.state, form.act)
    who = referrals.why_not(form.act, form.incident, form.person)
    return who or _("Your posting may not do this to this case now.")


def _decide_again(request: HttpRequest, form: ActForm, stale: actions.StaleVersion) -> HttpResponse:
    """409: what others did meanwhile, then the same form with what was typed and the version of now."""
    fresh = Incident.objects.visible_to(form.person).with_names().filter(pk=form.incident.pk).first()
    if fresh is None:
        raise Http404
    typed = cast(QueryDict, form.data).copy()
    typed["version"] = str(fresh.version)
    again = ActForm(form.act, fresh, form.person, form.now, typed, form.files)
    detailed = Incident.objects.detailed_to(form.person).filter(pk=fresh.pk).exists()
    meanwhile = timeline.meanwhile(stale.meanwhile, detailed=detailed)
    still = form.act in actions.allowed(fresh, form.person)
    refusal = "" if still else _why_not(again)
    return _show(request, again, status=409, refusal=refusal, meanwhile=meanwhile, lost_files=bool(form.files))


def _identities(request: HttpRequest, form: ActForm) -> HttpResponse:
    """The identities, once, on a page that no cache keeps. The opening is in the journal already."""
    people = [
        {"role": person.get_role_display(), "recorded_at": person.recorded_at, **identities.open(person.sealed)}
        for person in form.incident.persons.order_by("pk")
    ]
    return render(request, "incidents/identities.html", {"people": people, "incident": form.incident})
