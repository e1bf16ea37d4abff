"""The dashboard page, its live parts, and what its map fetches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from commands.models import User
from elections.choices import Phase
from elections.models import Election
from incidents.choices import Classification, Severity, Verification
from incidents.dashboards import map as maps
from incidents.dashboards import points as point_layer
from incidents.dashboards import screen
from incidents.dashboards.question import Question
from incidents.filters import CaseFilter, mine_choices

YEAR = 31_536_000
FILTER_SECONDS = 60
#: Templates of the parts that renew themselves.
LIVE_PARTS = ("top", "map_title", "legend", "picked", "places", "trend", "side")
View = Callable[[HttpRequest, Question], HttpResponse]
Door = Callable[[HttpRequest], HttpResponse]


def _asked(also: tuple[str, ...] = (), *, is_page: bool = False) -> Callable[[View], Door]:
    """Turn the request into a question; 404 for who sees no case at all, 400 naming each filter that is not known."""

    def around(view: View) -> Door:
        @require_safe
        @wraps(view)
        def door(request: HttpRequest) -> HttpResponse:
            try:
                asked = CaseFilter.from_query(request.GET, also=also)
                question = Question(cast(User, request.user), timezone.now(), asked)
                if question.places == ():
                    raise Http404
                return view(request, question)
            except ValidationError as error:
                if is_page:
                    return render(request, "dashboards/refused.html", {"errors": error.messages}, status=400)
                return JsonResponse({"errors": error.message_dict}, status=400)

        return door

    return around


@_asked(is_page=True)
def page(request: HttpRequest, question: Question) -> HttpResponse:
    host = tile_host(settings.MAP_TILE_URL)
    if not host:
        return _page(request, question)
    return cast(HttpResponse, csp_update({"img-src": [host]})(lambda r: _page(r, question))(request))


def _page(request: HttpRequest, question: Question) -> HttpResponse:
    context = {"parts": _parts(question), "filter": question.asked, "filter_bar": _filter_bar(question)}
    return render(request, "dashboards/page.html", context)


def _filter_bar(question: Question) -> str:
    """The panel of filters, the same for everybody who asks the same in one language; a new category waits a minute."""
    asked = question.asked

    def draw() -> str:
        context = {"filter": asked, "chips": asked.active(), **_choices(question)}
        return render_to_string("dashboards/_filters.html", context)

    said = f"{get_language()}\n{asked.query_string()}"
    key = "dashboard-filters:" + hashlib.sha256(said.encode()).hexdigest()
    return cast(str, cache.get_or_set(key, draw, FILTER_SECONDS))


def tile_host(address: str) -> str:
    """Where the tiles of an address like https://{s}.tiles.example/{z}/{x}/{y}.png come from, for the page's policy.

    "" for tiles of this server, which need no leave.
    """
    parts = urlsplit(address.replace("{s}", "*"))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


@_asked()
def live(request: HttpRequest, question: Question) -> HttpResponse:
    """The parts of the page that change; 304 while they read the same.

    The tag is made of what this reader sees: one made of the last act would tell of acts on cases they may not see.
    What it was for a state of the record and a minute is remembered, so asking again draws nothing.
    """
    remembered = question.key(f"live {_reader(question)} {_minute(question)}")
    tag = cache.get(remembered)
    if tag is None or request.headers.get("If-None-Match") != tag:
        parts = _parts(question)
        tag = maps.etag(*parts.items())
        cache.set(remembered, tag, 60)
        if request.headers.get("If-None-Match") != tag:
            return _tagged(render(request, "dashboards/_live.html", {"parts": parts}), tag)
    return _tagged(HttpResponseNotModified(), tag)


def _minute(question: Question) -> str:
    return question.now.isoformat(timespec="minutes")


def _reader(question: Question) -> str:
    """What a page depends on beside scope and filters: the reader's language and roles (the NEC's card, titles)."""
    roles = sorted(f"{p.role}@{p.command_id}" for p in question.user.current_postings)
    return f"{get_language()} {roles}"


def _parts(question: Question) -> dict[str, str]:
    """The drawn parts of the page, kept while nothing is written: drawing costs more than counting."""

    def draw() -> dict[str, str]:
        context = screen.build(question) | {
            "filter": question.asked,
            "tile_layer": {"url": settings.MAP_TILE_URL, "attribution": settings.MAP_TILE_ATTRIBUTION},
        }
        names = [*LIVE_PARTS, *(["map"] if context["counts"] else [])]
        return {name: render_to_string(f"dashboards/_{name}.html", context) for name in names}

    # The minute they show is that of asking, whenever somebody last wrote.
    return question.remembered(f"parts {_reader(question)} {_minute(question)}", draw)


@_asked()
def areas(request: HttpRequest, question: Question) -> HttpResponse:
    """Counts of the areas under the place asked for, without outlines."""
    return JsonResponse(maps.area_counts(question, maps.check_place(maps.root_of(question))))


@_asked(also=("bbox", "zoom"))
def points(request: HttpRequest, question: Question) -> HttpResponse:
    """Cases of the map's box, clustered."""
    view = point_layer.read_view(request.GET.get("bbox", ""), request.GET.get("zoom", ""))
    return JsonResponse(point_layer.points(question, view), content_type="application/geo+json")


@require_safe
def outlines(request: HttpRequest, place: str) -> HttpResponse:
    """Outlines of the areas under a place: the same for everybody, and for a year under one address."""
    try:
        found = maps.outlines(maps.check_place(place))
    except ValidationError as error:
        raise Http404 from error
    response = JsonResponse(found, content_type="application/geo+json")
    response["Cache-Control"] = f"private, max-age={YEAR}, immutable"
    return response


def _tagged(response: HttpResponse, tag: str) -> HttpResponse:
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    return response


def _choices(question: Question) -> dict[str, Any]:
    """What the filter panel offers, and what it sends along: filters of the address it has no field for."""
    asked = question.asked
    groups: dict[str, tuple[str, str, list[tuple[str, str]]]] = {}
    for category in question.categories:
        group = groups.setdefault(category.group_code, (category.group_code, category.group, []))
        group[2].append((category.code, category.name))
    return {
        "elections": Election.objects.shown(),
        "groups": list(groups.values()),
        "severities": [s.value for s in Severity],
        "classifications": Classification.choices,
        "phases": Phase.choices,
        "verifications": Verification.choices,
        "mine": mine_choices(),
        "kept": parse_qsl(CaseFilter(place=asked.place, owner=asked.owner, state=asked.state).query_string()),
    }
