"""Looking at duty: one roster week by week, the delegations, and how every command under one's own stands."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from commands.choices import BodyKind, Role
from commands.duty import DAY
from commands.duty_actions import FURTHEST
from commands.duty_authority import KEEPERS, keeper, keeps, sees
from commands.models import Delegation, SecurityCommand, User
from commands.rosters import AHEAD, Plan, plan_of, plans_of
from incidents.views import duty_week as weeks

#: More commands than this are not listed at once: those first that need somebody.
SHORT_LIST = 40


def person_of(request: HttpRequest) -> User:
    # LoginRequiredMiddleware stands before every view of duty.
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def command_for(request: HttpRequest, code: str, *, keeping: bool = False) -> SecurityCommand:
    """The command of this code; 404 where its roster is not shown to the person, or not theirs to keep."""
    command = SecurityCommand.objects.active().select_related("jurisdiction").filter(code=code).first()
    postings = person_of(request).current_postings
    if command is None or not (keeps if keeping else sees)(postings, command):
        raise Http404
    return command


def plan_for(command: SecurityCommand, now: dt.datetime) -> Plan:
    """The roster with all that is planned from now on, for a change that may be about any day of it."""
    return plan_of(command, now, now + FURTHEST)


@require_safe
def roster(request: HttpRequest, command: str) -> HttpResponse:
    """The week of one command, who is on duty now and next, gaps, and the shifts and covers of four weeks."""
    return render(request, "duty/roster.html", _roster(request, command_for(request, command), timezone.now()))


def _roster(request: HttpRequest, command: SecurityCommand, now: dt.datetime) -> dict[str, Any]:
    """Only what touches the weeks shown and the next fourteen days is read, however far a roster is planned."""
    postings, today = person_of(request).current_postings, timezone.localdate(now)
    monday = weeks.monday_of(request.GET.get("week", ""), now)
    ahead = plan_of(command, now, now + AHEAD)
    plan = plan_of(command, *weeks.window(monday))
    week = weeks.week_of(plan, monday, now)
    return {
        "command": command,
        "plan": ahead,
        "is_planned": weeks.is_planned(ahead, today),
        "keeps": keeps(postings, command),
        "delegates": may_delegate(person_of(request), command),
        "week": week,
        "people": weeks.lines_of(week.rows, request.GET, "people"),
        "watch": weeks.watch_of(ahead, now),
        "shifts": weeks.lines_of(weeks.shifts_from(plan, monday, today), request.GET, "shifts"),
        "shifts_until": weeks.window(monday)[1] - DAY,
        "covers": weeks.lines_of(weeks.covers_from(plan, monday, now), request.GET, "covers"),
        "delegations": command.delegations.filter(ends_at__gt=now).select_related("acting").order_by("starts_at", "pk"),
        "today": today,
        "able": ahead.named(ahead.held),
    }


def may_delegate(person: User, command: SecurityCommand) -> bool:
    """Whether the person may let another command act for this one, by a posting of their own."""
    true = [p for p in person.current_postings if not p.is_acting]
    return keeps(true, command) and keeper(true, command, delegating=True).role != Role.NEC_SECRETARIAT


# ---- All commands of mine ----


def kept_by(person: User) -> list[SecurityCommand]:
    """The commands whose duty the person answers for, by path: rungs from district up, posts where they serve."""
    wanted = Q(pk__in=[])
    for posting in person.current_postings:
        if posting.role not in KEEPERS:
            continue
        wanted |= Q(pk=posting.command_id)
        if posting.command.rung is not None:
            wanted |= Q(path__startswith=posting.command.path, kind__in=[BodyKind.DISTRICT, BodyKind.PROVINCE])
        elif posting.role == Role.INTEGRITY:
            wanted |= Q(kind=BodyKind.INTEGRITY_DESK)
    found = SecurityCommand.objects.active().filter(wanted).order_by("path")
    return [c for c in found if keeps(person.current_postings, c)]


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """How the commands under mine stand; with one command only, straight to its roster."""
    person, now = person_of(request), timezone.now()
    commands = kept_by(person)
    if not commands:
        return _own_roster(person)
    if len(commands) == 1:
        return redirect("duty:roster", commands[0].code)
    found = [weeks.standing_of(plan, now) for plan in plans_of(commands, now, now + AHEAD)]
    counts = {key: sum(s.key == key for s in found) for key in weeks.ORDER}
    asked = request.GET.get("show", "" if len(found) > SHORT_LIST else "all")
    wanted = {"": weeks.URGENT, "all": weeks.ORDER}.get(asked, (asked,))
    shown = sorted((s for s in found if s.key in wanted), key=lambda s: weeks.ORDER.index(s.key))
    context = {"shown": shown, "counts": counts, "total": len(found), "show": asked}
    return render(request, "duty/overview.html", context)


def _own_roster(person: User) -> HttpResponse:
    """Who keeps no roster looks at that of their own command; who has none has nothing to do with duty."""
    for posting in person.current_postings:
        if sees([posting], posting.command):
            return redirect("duty:roster", posting.command.code)
    raise Http404


@require_safe
def delegations(request: HttpRequest) -> HttpResponse:
    """Who acts for whom, now and next, and what is over; of the commands I keep."""
    person, now = person_of(request), timezone.now()
    keys = [c.pk for c in kept_by(person)]
    if not keys:
        raise Http404
    found = Delegation.objects.filter(Q(command__in=keys) | Q(acting__in=keys))
    found = found.select_related("command", "acting", "made_by").order_by("starts_at", "pk")
    live = [(d, may_delegate(person, d.command)) for d in found.filter(ends_at__gt=now)]
    context = {"live": live, "over": found.filter(ends_at__lte=now).reverse()[:20], "own": own_delegable(person)}
    return render(request, "duty/delegations.html", context)


def own_delegable(person: User) -> list[SecurityCommand]:
    """The commands the person serves at that another can act for, for the button of the page."""
    own = {p.command_id: p.command for p in person.current_postings if not p.is_acting}
    return [c for c in own.values() if may_delegate(person, c)]
