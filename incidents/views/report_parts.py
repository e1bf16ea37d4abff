"""Small answers the log page asks for while it is filled in: places, the point's commune, outlines, units, what next.

All of them are reference data or what the person may see anyway. Nothing is written.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commands.models import User
from elections import geometry
from elections.models import Election, Jurisdiction
from incidents import actions, duplicates
from incidents.forms import places
from incidents.forms.report import ReportForm
from incidents.models import Category, EscalationKind
from incidents.templatetags.parts import place_path


def _reach(request: HttpRequest) -> list[str]:
    """Where the person may report from; 404 for who may not report at all."""
    reach = places.roots(cast(User, request.user))
    if not reach:
        raise Http404
    return reach


def _tagged(request: HttpRequest, content: Any, *, seconds: int) -> HttpResponse:
    """JSON with an ETag, kept by this browser alone for some seconds and then asked for again cheaply."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    tag = '"' + hashlib.sha256(body.encode()).hexdigest()[:20] + '"'
    same = request.headers.get("If-None-Match") == tag
    response = HttpResponseNotModified() if same else HttpResponse(body, content_type="application/json")
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = f"private, max-age={seconds}"
    response.headers["Vary"] = "Cookie, Accept-Language"
    return response


@require_safe
def place_list(request: HttpRequest) -> HttpResponse:
    """The places under `under` that the person may choose: {"places": [[code, name], …]}."""
    reach, under = _reach(request), request.GET.get("under", "")
    found = places.children(under, reach, timezone.localdate())
    if not found:
        # Without a word whether it exists: outside one's area and nowhere are the same answer.
        inside = Jurisdiction.objects.filter(pcode=under).exists() and places.within(under, reach)
        if not inside:
            raise Http404
    named = [[p.pcode, p.name] for p in found]
    return _tagged(request, {"places": named, "language": get_language()}, seconds=3600)


@require_safe
def outlines(request: HttpRequest, code: str) -> HttpResponse:
    """Outlines of the areas under `code`, with the names of those the person may choose, for the map of the form."""
    reach = _reach(request)
    try:
        shapes = geometry.outlines(code)
    except ValueError:
        raise Http404 from None
    if not shapes["features"]:
        raise Http404
    names = {p.pcode: p.name for p in places.children(code, reach, timezone.localdate())}
    return _tagged(request, {**shapes, "names": names}, seconds=86400)


@require_safe
def point(request: HttpRequest) -> HttpResponse:
    """Which commune a point lies in: its codes by level, its name, and whether the person may report from there."""
    reach = _reach(request)
    code = commune_at(request.GET.get("lat", ""), request.GET.get("lon", ""))
    if code is None:
        return JsonResponse({"refused": _("That position is outside the country. Set it again, or send without it.")})
    place = Jurisdiction.objects.select_related("parent__parent").filter(pcode=code).first()
    if place is None:
        raise Http404
    known = {"levels": places.levels_of(code), "name": place.name, "path": place_path(place)}
    return JsonResponse(known | {"allowed": places.within(code, reach)})


@require_safe
def units(request: HttpRequest) -> HttpResponse:
    """The commands a report from `place` may be about, as answers to tick."""
    _reach(request)
    form = _form(request, QueryDict(request.GET.urlencode()))
    return render(request, "incidents/_report_units.html", {"form": form})


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Who will own it, by when, who is told; and cases nearby that may be the same."""
    form = _form(request, request.POST)
    return render(request, "incidents/_report_ahead.html", ahead(form) | point_warning(form) | {"form": form})


def _form(request: HttpRequest, data: QueryDict) -> ReportForm:
    now = timezone.now()
    return ReportForm(data, person=cast(User, request.user), election=Election.objects.default_for(now), now=now)


def ahead(form: ReportForm) -> dict[str, Any]:
    """`preview` of `actions`, or in `why_not` what is missing for it; `similar` cases."""
    form.is_valid()
    if not form.is_enough_to_preview:
        return {"why_not": ""}
    data = form.data_for_report()
    try:
        found = actions.preview(actions.Report(**data), by=form.person, now=form.now)
    except ValidationError as refused:
        return {"why_not": " ".join(refused.messages)}
    except PermissionDenied as refused:
        return {"why_not": str(refused)}
    ladder = [step for step in found.steps if step.kind == EscalationKind.OWNER_MOVED]
    return {"preview": found, "ladder": ladder, "similar": [] if found.is_sealed else similar(form, data)}


def similar(form: ReportForm, data: dict[str, Any]) -> list[Any]:
    """Cases that may be the same; none for a report about a unit, whose existence nobody may guess."""
    category = Category.objects.get(code=data["category"])
    where = (data["lat"], data["lon"]) if data["lat"] is not None and data["lon"] is not None else None
    return duplicates.candidates(
        form.person, group=category.group_code, place=data["place"], occurred_at=data["occurred_at"], point=where
    )


# ---- The point ----


def commune_at(lat: str, lon: str) -> str | None:
    """P-code of the commune that holds the point or lies nearest; None outside the country or for no point at all."""
    try:
        north, east = float(lat), float(lon)
    except ValueError:
        return None
    if not (-90 <= north <= 90 and -180 <= east <= 180):
        return None
    return geometry.nearest(north, east)


def levels_from_point(lat: str, lon: str) -> dict[str, str]:
    """The four choices for the commune the point lies in, village left open; empty outside the country."""
    code = commune_at(lat, lon)
    return {**dict.fromkeys(map(str, places.LEVELS), ""), **places.levels_of(code)} if code else {}


def point_warning(form: ReportForm) -> dict[str, Any]:
    """Where the point lies if that is another commune than the chosen one: a hint with two ways out, no refusal."""
    code = commune_at(form.typed("lat"), form.typed("lon"))
    chosen = form.place
    if code is None or not chosen or code.startswith(chosen[:8]) or form.typed("point_kept"):
        return {}
    both = Jurisdiction.objects.select_related("parent__parent").in_bulk([code, chosen[:8]])
    if code not in both or chosen[:8] not in both or not both[chosen[:8]].has_outline:
        # A place made after the boundaries were drawn, or an invented one: the map cannot know better.
        return {}
    return {"lies_in": both[code], "chosen": both[chosen[:8]], "may_move": places.within(code, form.reach)}


# ---- Showing again ----


def without_errors(form: ReportForm) -> ReportForm:
    """The same form with everything typed and nothing marked wrong."""
    form.errors.clear()
    return form
