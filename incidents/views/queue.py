"""The queue and every other list of cases: what is asked for lives in the address."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from itertools import islice
from typing import Any, cast
from urllib.parse import parse_qsl

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commands.choices import COMMANDING, Role
from commands.models import SecurityCommand, User
from elections.choices import Level, Phase
from elections.models import Election, Jurisdiction
from incidents.choices import Classification, Severity, State, Verification
from incidents.filters import CaseFilter, mine_choices, state_groups
from incidents.models import Category, Incident
from incidents.querysets import IncidentQuerySet
from incidents.views import ladder, rows

#: Parameters of the page that are no filters.
ALSO = ("after", "since", "panel")
SOON = dt.timedelta(minutes=30)
#: Cases in the strip above the list.
NEXT_OUT = 3


@require_safe
def case_list(request: HttpRequest) -> HttpResponse:
    """Open cases, soonest deadline first; another state in the address gives other lists, newest first."""
    user, now = cast(User, request.user), timezone.now()
    try:
        asked = CaseFilter.from_query(request.GET, also=ALSO).with_default_state("open")
        cases = asked.apply(Incident.objects.visible_to(user), user, now)
        after = request.GET.get("after", "")
        page = rows.page(cases, user, now, by_deadline=asked.is_open_only, after=after)
    except ValidationError as error:
        return render(request, "incidents/refused.html", {"errors": error.messages}, status=400)
    context = {"page": page, "filter": asked, "now": now, "after": after, **_next_link(asked, page)}
    if request.headers.get("X-Fragment") == "rows":
        return render(request, "incidents/_rows.html", context)
    return render(request, "incidents/queue.html", context | _around(request, user, asked, cases, page, now))


@require_safe
def queue_news(request: HttpRequest) -> HttpResponse:
    """How many cases came into the list since it was shown: a line the page fetches again and again."""
    user, now = cast(User, request.user), timezone.now()
    try:
        asked = CaseFilter.from_query(request.GET, also=ALSO).with_default_state("open")
        since = dt.datetime.fromisoformat(request.GET.get("since", "").replace(" ", "+"))
        if since.tzinfo is None or not 1900 < since.year < 2200:
            raise ValueError
    except (ValidationError, ValueError):
        return render(request, "incidents/_news.html", status=400)
    cases = asked.apply(Incident.objects.visible_to(user), user, now)
    # Nobody is told of what they reported themselves a moment ago.
    new = rows.counted(cases.filter(reported_at__gt=since).exclude(reporter=user), limit=99)
    tag = '"' + hashlib.sha256(f"{user.pk} {asked} {since} {new} {get_language()}".encode()).hexdigest()[:24] + '"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    answer = render(request, "incidents/_news.html", {"new": new, "filter": asked})
    answer.headers["ETag"], answer.headers["Cache-Control"] = tag, "private, no-cache"
    return answer


def _next_link(asked: CaseFilter, page: rows.Page) -> dict[str, str]:
    return {"query": asked.query_string(), "more": asked.query_string(after=page.after) if page.after else ""}


def _around(
    request: HttpRequest, user: User, asked: CaseFilter, cases: IncidentQuerySet, page: rows.Page, now: dt.datetime
) -> dict[str, Any]:
    """What stands around the rows: title, counts, the strip, chips, and the panel of filters where it is open."""
    chips = asked.active(leave_out=() if asked.state != ("open",) else ("state",))
    panel_open = "panel" in request.GET
    is_top = asked.is_open_only and not chips and "after" not in request.GET
    return {
        "title": _title(user, asked),
        "is_commanding": user.has_role(*COMMANDING),
        "numbers": _numbers(cases, now) if asked.is_open_only else {"all": rows.counted(cases)},
        "next_out": _next_out(user, now, page) if is_top else [],
        "is_top_command": user.has_role(Role.PSC_WATCH),
        "chips": chips,
        "quick": _quick(asked),
        # What the search box sends along: every other filter of the address.
        "kept": parse_qsl(replace(asked, q="").query_string()),
        "all_states": asked.query_string(state="all"),
        "since": now.isoformat(),
        "panel": _panel(user, asked) if panel_open else None,
    }


def _numbers(cases: IncidentQuerySet, now: dt.datetime) -> dict[str, str]:
    """Open, late, and due within half an hour: one query of the nearest deadlines, cut at the limit."""
    limit = rows.COUNT_LIMIT
    due = list(cases.order_by("next_due_at").values_list("next_due_at", flat=True)[: limit + 1])
    numbers = {
        "all": len(due),
        "late": sum(at < now for at in due if at),
        "soon": sum(now <= at <= now + SOON for at in due if at),
    }
    return {name: f"{limit:,}+" if n > limit else f"{n:,}" if n else "" for name, n in numbers.items()}


def _title(user: User, asked: CaseFilter) -> str:
    if asked.is_open_only and user.has_role(*COMMANDING):
        return _("Queue")
    if user.has_role(Role.OFFICER, Role.LIAISON) and not user.has_role(*COMMANDING, Role.NEC_SECRETARIAT):
        return _("My cases")
    return _("Cases") if user.has_role(*COMMANDING) or not asked.is_open_only else _("Open cases")


def _next_out(user: User, now: dt.datetime, page: rows.Page) -> list[rows.Row]:
    """The three cases of the person's own command whose deadline comes first: what the command would lose next."""
    own = rows.own_commands(user)
    if not own:
        return []
    # The page is by deadline already: its first three of ours are the first three of all.
    listed = [row for row in page.rows if row.incident.owner_id in own]
    shown = _with_a_next_step(listed, user, now)
    if len(shown) < NEXT_OUT and page.after:
        mine = Incident.objects.visible_to(user).open().filter(owner__in=own)
        if not user.has_role(Role.PSC_WATCH):
            mine = mine.filter(next_due_at__gt=now)
        shown = _with_a_next_step(rows.page(mine, user, now, by_deadline=True).rows, user, now)
    return shown


def _with_a_next_step(listed: list[rows.Row], user: User, now: dt.datetime) -> list[rows.Row]:
    """The first of them that a rule takes further at a time to come; nothing is above the top command, so there all."""
    named = (replace(row, then=ladder.then(row.incident, above)) for row, above in ladder.with_above(listed))
    if user.has_role(Role.PSC_WATCH):
        return list(islice(named, NEXT_OUT))
    return list(islice((r for r in named if r.then and (r.incident.next_due_at or now) > now), NEXT_OUT))


def _quick(asked: CaseFilter) -> list[tuple[str, str, bool]]:
    """Chips of one tap: label, address, whether it is on."""
    serious = (Severity.CRITICAL.value, Severity.HIGH.value)
    late, mine, high = asked.state == ("late",), bool(asked.mine), asked.severity == serious
    return [
        (_("Late"), asked.query_string(state="open" if late else "late"), late),
        (_("Ours"), asked.query_string(mine="" if mine else "command"), mine),
        (_("High and up"), asked.query_string(severity="" if high else serious), high),
    ]


def _panel(user: User, asked: CaseFilter) -> dict[str, Any]:
    """Choices of the panel. Places and commands: those of the person's scope, one level down from what is chosen."""
    return {
        "states": [*state_groups(), *((s.value, s.label) for s in State if s != State.DRAFT)],
        "severities": Severity.choices,
        "phases": Phase.choices,
        "classifications": Classification.choices,
        "verifications": Verification.choices,
        "mine": mine_choices(),
        "elections": list(Election.objects.shown()),
        "categories": _categories(),
        "places": _places(user, asked.place),
        "owners": _owners(user),
    }


def _categories() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Groups with their categories: (code, name, [(code, name)])."""
    groups: dict[str, tuple[str, str, list[tuple[str, str]]]] = {}
    for category in Category.objects.all():
        group = groups.setdefault(category.group_code, (category.group_code, category.group, []))
        group[2].append((category.code, category.name))
    return list(groups.values())


def _home(user: User) -> str:
    """The place all the person's postings have in common."""
    codes = [p.command.jurisdiction_id for p in user.current_postings] or ["KH"]
    shortest = min(codes, key=len)
    return shortest if all(c.startswith(shortest) for c in codes) else shortest[:2]


def _places(user: User, chosen: str) -> list[Jurisdiction]:
    """What can be chosen next: the way down to the chosen place, its neighbours, and what lies in it."""
    home, here = _home(user), ""
    steps = {home[:2], home}
    for length in (2, 4, 6, 8):
        here = (chosen or home)[:length]
        if len(here) == length and here.startswith(home[:2]):
            steps.add(here)
    levels = [Level.PROVINCE, Level.DISTRICT, Level.COMMUNE]
    parents = [s for s in steps if len(s) >= len(home)] or [home]
    found = Jurisdiction.objects.filter(parent__in=parents, level__in=levels, valid_to=None)
    return sorted({*found, *Jurisdiction.objects.filter(pk__in=[home, chosen or home])}, key=lambda p: p.pcode)


def _owners(user: User) -> list[SecurityCommand]:
    """Commands of the ladder the person's scope holds: two levels from the top of it."""
    paths = [p.command.path for p in user.current_postings if p.role in COMMANDING]
    active = SecurityCommand.objects.active()
    if not paths:
        return list(active.filter(kind__in=["psc", "province", "nec"])[:60])
    return list(active.under(min(paths, key=len)).filter(kind__in=["psc", "province", "district"])[:60])
