"""Logging an incident: the page, sending it, and the receipt for who may not see the case afterwards.

One address takes four presses of the same form: send, check before sending, show the next places, and take over the
place the point proposes. The last three write nothing; they are how the page works without JavaScript.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from commands.models import User
from elections.calendar import election_at
from incidents import actions
from incidents.choices import Act, Channel
from incidents.forms.report import IMPACT, NOW, ReportForm
from incidents.intake import REPORTERS, is_known, said_before
from incidents.models import Incident
from incidents.views import report_parts

RECEIPT = "receipt"
#: The back button may bring the old words on a page with a new id; after this long it is another event.
REPEAT = dt.timedelta(hours=12)


@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def log(request: HttpRequest) -> HttpResponse:
    """The form; a POST whose report was received before leads to its case and writes nothing.

    Compressed here too: where no proxy stands in front, 70 kB of categories would go over the air as they are.
    """
    user, now = cast(User, request.user), timezone.now()
    if request.method != "POST" and not user.has_role(*REPORTERS):
        # A POST is answered by the form, which keeps what was written while the posting still held.
        raise PermissionDenied(_("Your posting does not log cases."))
    election = election_at(now)
    if request.method != "POST":
        empty = page(request, ReportForm(person=user, election=election, now=now))
        # It holds no case, and going back to a draft must not need the network.
        patch_cache_control(empty, private=True, no_cache=True)
        return empty
    step = request.POST.get("step", "send")
    form = ReportForm(moved(request, step), person=user, election=election, now=now)
    if step != "send":
        return page(request, form, is_checked=step == "check")
    if known := received(form):
        return again(request, form, known)
    return send(request, form)


def moved(request: HttpRequest, step: str) -> Any:
    """What was posted; with the answer to the hint about the point, where one was given."""
    typed = request.POST.copy()
    if step == "move":
        for level, code in report_parts.levels_from_point(typed.get("lat", ""), typed.get("lon", "")).items():
            typed[level] = code
    elif step == "keep":
        typed["point_kept"] = "1"
    return typed


def received(form: ReportForm) -> Incident | None:
    """The case this very report made before, by its id: a second press, the back button, a lost answer."""
    key = form.fields["id"].clean(form.data.get("id", ""))
    if key is None or not is_known(key):
        return None
    return Incident.objects.visible_to(form.person).filter(reporter=form.person, pk=key).first()


def same_words(form: ReportForm) -> Incident | None:
    """What the person reported today in the same words, with the same facts: a page the browser filled in again.

    Worse, with other numbers, at another stated time or about a unit it is another report: none may vanish into one
    that says less.
    """
    data, since = form.data_for_report(), form.now - REPEAT
    if not said_before(data["narrative"], by=form.person, since=since):
        return None
    facts = {name: data[name] for name in ("category", "place", "narrative", *IMPACT) if name in data}
    if form.cleaned_data.get("when") not in ("", None, NOW):
        facts["occurred_at"] = data["occurred_at"]
    mine = Incident.objects.visible_to(form.person).filter(reporter=form.person, reported_at__gte=since)
    found = mine.filter(**facts, initial_severity=data["severity"]).order_by("-reported_at")
    units = set(data["concerned"])
    return next((i for i in found if set(i.subjects.values_list("command__code", flat=True)) == units), None)


def send(request: HttpRequest, form: ReportForm) -> HttpResponse:
    """Report, then add the files one by one: a refused file never holds up the report."""
    if not form.is_valid():
        return page(request, form, status=422)
    if twin := same_words(form):
        return after(request, form, twin, is_new=False)
    try:
        incident = actions.report(
            actions.Report(**form.data_for_report()), by=form.person, now=form.now, channel=Channel.BROWSER
        )
    except ValidationError as refused:
        form.add_refusal(refused)
        return page(request, form, status=422)
    except PermissionDenied as refused:
        form.add_error(None, str(refused))
        return page(request, form, status=403)
    if incident.reported_at != form.now:
        return again(request, form, incident)
    add_files(request, incident, form.now)
    return after(request, form, incident, is_new=True)


def again(request: HttpRequest, form: ReportForm, incident: Incident) -> HttpResponse:
    """The id was used: for the same words that is a repeat, for other words a new report on an old page.

    Other words are kept under a new id and asked about, for nothing typed may vanish into a case that exists.
    """
    form.is_valid()
    if form.cleaned_data.get("narrative") == incident.narrative:
        return after(request, form, incident, is_new=False)
    fresh = ReportForm(form.renewed(), person=form.person, election=form.election, now=form.now)
    text = _("This page was sent before, as %(reference)s. Is this something else? Then send it now.")
    fresh.add_error(None, text % {"reference": incident.reference})
    return page(request, fresh, status=409)


def add_files(request: HttpRequest, incident: Incident, now: dt.datetime) -> None:
    """Every file that is right is kept; the others are named with the reason."""
    files = request.FILES.getlist("files")
    refused: list[str] = []
    for upload in files[: settings.ATTACHMENT_MAX_FILES]:
        try:
            actions.perform(Act.ATTACH, incident, by=cast(User, request.user), version=None, now=now, upload=upload)
        except (ValidationError, PermissionDenied) as error:
            refused += getattr(error, "messages", [str(error)])
    if left := files[settings.ATTACHMENT_MAX_FILES :]:
        names = ", ".join(str(f.name) for f in left)
        text = _("%(names)s: at most %(limit)s files at a time. Add them on the page of the case.")
        refused.append(text % {"names": names, "limit": settings.ATTACHMENT_MAX_FILES})
    if refused:
        messages.warning(request, _("The report is sent. Not added: %(reasons)s") % {"reasons": " ".join(refused)})


def after(request: HttpRequest, form: ReportForm, incident: Incident, *, is_new: bool) -> HttpResponse:
    """To the case, or where it was sealed from the reporter's own unit to a receipt."""
    text = _("Sent. The case is %(reference)s.") if is_new else _("We have this report already: it is %(reference)s.")
    mine = Incident.objects.visible_to(form.person, unsealed=not incident.is_sealed)
    if mine.filter(pk=incident.pk).exists():
        messages.success(request, text % {"reference": incident.reference})
        address = incident.get_absolute_url()
    else:
        request.session[RECEIPT] = {"reference": incident.reference, "at": incident.reported_at.isoformat()}
        address = reverse("incidents:receipt")
    if wants_json(request):
        return JsonResponse({"id": str(incident.pk), "reference": incident.reference, "url": address})
    return redirect(address)


def page(request: HttpRequest, form: ReportForm, *, status: int = 200, is_checked: bool = False) -> HttpResponse:
    """The form with everything typed; for the script, errors by field and nothing else."""
    errors = form.errors if status != 200 else {}
    if wants_json(request):
        told = {name: list(texts) for name, texts in errors.items()}
        return JsonResponse({"errors": told, "id": form.typed("id")}, status=status)
    context: dict[str, Any] = {"form": form, "lost_files": bool(request.FILES), "is_checked": is_checked}
    if form.is_bound:
        context |= report_parts.ahead(form) | report_parts.point_warning(form)
    if status == 200:
        # Showing places or checking is no reason to scold about fields that were not reached yet.
        form = context["form"] = report_parts.without_errors(form) if not is_checked else form
    return render(request, "incidents/report.html", context | {"tile_url": settings.MAP_TILE_URL}, status=status)


def wants_json(request: HttpRequest) -> bool:
    """Whether the page's own script asks: it keeps the page, and with it the files that were chosen."""
    return request.headers.get("Accept", "").startswith("application/json")


@require_safe
def receipt(request: HttpRequest) -> HttpResponse:
    """The number of a report its writer may not see, because it is sealed from the writer's own unit."""
    kept = request.session.get(RECEIPT)
    if not kept:
        return redirect("start")
    at = dt.datetime.fromisoformat(kept["at"])
    return render(request, "incidents/report_receipt.html", {"reference": kept["reference"], "at": at})
