"""The page of one case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from commands.choices import COMMANDING, BodyKind, Role
from commands.models import SecurityCommand, User
from incidents import actions, classification, routing
from incidents.choices import SEVERITY_ORDER, Act, Classification, ClockKind, Severity, State, Verification
from incidents.forms.asks import ASKS, Ask, primary
from incidents.limits import COUNTS
from incidents.models import Attachment, Clock, ClockState, Custody, Incident
from incidents.templatetags import _time
from incidents.views import ladder, outline, rebase, receipts, timeline, waiting
from incidents.views.rows import place_for

#: Acts shown beside the primary one before "More".
NEAR = 4
#: Offered in their own panels of the page, not among the buttons.
_ELSEWHERE = (
    Act.COUNTERSIGN, Act.DECLINE, Act.GRANT_IDENTITY, Act.OPEN_IDENTITY, Act.RECORD_PERSON, Act.ATTACH,
    Act.CONCLUDE_REFERRAL, Act.WAKE,
)  # fmt: skip


@never_cache
@require_safe
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One case, as exactly as its reader may know it."""
    user, now = cast(User, request.user), timezone.now()
    cases = Incident.objects.visible_to(user).with_names()
    cases = cases.select_related("assignee", "request_by", "merged_into", "policy__election")
    incident = get_object_or_404(cases, pk=pk)
    detailed = Incident.objects.detailed_to(user).filter(pk=pk).exists()
    context = _content(incident, user, now, detailed)
    show, whole = request.GET.get("show", "all"), "whole" in request.GET
    context["receipts"] = receipts.of(incident, now) if detailed else []
    context["timeline"] = timeline.of(incident, detailed=detailed, show=show, whole=whole)
    return render(request, "incidents/detail.html", context)


def _content(incident: Incident, user: User, now: dt.datetime, detailed: bool) -> dict[str, Any]:
    clocks = list(incident.clocks.order_by("pk"))
    custodies = list(incident.custodies.select_related("command", "from_command").order_by("pk"))
    allowed = actions.allowed(incident, user)
    return {
        "incident": incident,
        "now": now,
        "detailed": detailed,
        "title": (incident.title if detailed else "") or incident.category.name,
        "has_own_title": bool(incident.title) and detailed,
        "place": place_for(incident, detailed=detailed),
        "axes": _axes(incident, custodies, now, detailed),
        "clock_start": _clock_start(incident, clocks),
        "due_what": ClockKind(incident.next_due_kind).label if incident.next_due_kind else "",
        "buttons": _buttons(incident, allowed),
        "reopened_by": _reopened_by(incident, user, allowed),
        "allowed": set(allowed),
        "asks": {act.value: ASKS[act] for act in allowed if act in ASKS},
        "newer_policy": rebase.newer_for(incident, user, now),
        "path": ladder.path(incident, custodies, clocks),
        "targets": _targets(clocks, custodies, now),
        # A number nobody wrote is nought too: only what was reported is said.
        "impact": [(number, IMPACT_WORDS[name]()) for name in COUNTS if (number := getattr(incident, name))],
        "picture": outline.picture(incident, detailed=detailed),
        **waiting.context(incident, user, clocks, custodies, now),
        **_related(incident, user, detailed),
        **_people(incident, user, now, detailed),
    }


# ---- Five axes, each with its line of evidence ----


def _axes(incident: Incident, custodies: list[Any], now: dt.datetime, detailed: bool) -> dict[str, str]:
    return {
        "severity": _severity_line(incident),
        "state": _state_line(incident, now, detailed),
        "verification": _verification_line(incident),
        "classification": _classification_line(incident, now),
        "owner": _owner_line(incident, custodies, now),
    }


def _severity_line(incident: Incident) -> str:
    first, current = Severity(incident.initial_severity), Severity(incident.severity)
    if first == current:
        return _("as reported")
    up = SEVERITY_ORDER[current] > SEVERITY_ORDER[first]
    text = _("raised from %(severity)s") if up else _("lowered from %(severity)s")
    return text % {"severity": str(first.label).lower()}


def _state_line(incident: Incident, now: dt.datetime, detailed: bool) -> str:
    since = {
        "reported": incident.reported_at,
        "acknowledged": incident.acknowledged_at,
        "contained": incident.contained_at,
        "resolved": incident.resolved_at,
        "closed": incident.closed_at,
    }.get(incident.state)
    parts = [_("since %(time)s") % {"time": timeline_moment(since, now)}] if since else []
    if incident.outcome:
        parts.append(str(incident.get_outcome_display()).lower())
    if incident.dismiss_reason:
        parts.append(str(incident.get_dismiss_reason_display()).lower())
    if incident.reopened_count:
        times = ngettext("reopened once", "reopened %(number)d times", incident.reopened_count)
        parts.append(times % {"number": incident.reopened_count})
    if incident.assignee_id and detailed and incident.is_open:
        parts.append(_("one person is assigned"))
    return ", ".join(parts)


def _verification_line(incident: Incident) -> str:
    if incident.verification == Verification.UNVERIFIED:
        return _("one report, not checked yet")
    return _("set by a person, see the timeline")


def _classification_line(incident: Incident, now: dt.datetime) -> str:
    proposed = Classification(incident.proposed_classification)
    if incident.classification != Classification.UNDETERMINED:
        text = _("decided %(time)s") % {"time": timeline_moment(incident.classified_at, now)}
        differs = proposed not in (Classification.UNDETERMINED, incident.classification)
        return _("%(decided)s; police proposed %(proposed)s") % {
            "decided": text, "proposed": str(proposed.label).lower(),
        } if differs else text  # fmt: skip
    due = classification.due_at(incident)
    when = (
        _("due since %(time)s") if due < now else _("due by %(time)s")
    ) % {"time": timeline_moment(due, now)}  # fmt: skip
    if proposed == Classification.UNDETERMINED:
        return when
    return _("police propose %(proposed)s; %(due)s") % {"proposed": str(proposed.label).lower(), "due": when}


def _owner_line(incident: Incident, custodies: list[Any], now: dt.datetime) -> str:
    last = custodies[-1] if custodies else None
    if last is None:
        return ""
    if last.accepted_at:
        return _("accepted %(time)s") % {"time": timeline_moment(last.accepted_at, now)}
    return _("since %(time)s, not yet accepted") % {"time": timeline_moment(last.at, now)}


def timeline_moment(value: dt.datetime | None, now: dt.datetime) -> str:
    return _time.moment(value, now) if value else ""


# ---- What next ----


@dataclass(frozen=True)
class Button:
    act: Act
    ask: Ask


@dataclass(frozen=True)
class Buttons:
    first: Button | None
    near: list[Button]
    more: list[Button]


def _buttons(incident: Incident, allowed: list[Act]) -> Buttons:
    first = primary(incident, allowed)
    others = [Button(act, ask) for act, ask in ASKS.items() if act in allowed and act not in (first, *_ELSEWHERE)]
    return Buttons(Button(first, ASKS[first]) if first else None, others[:NEAR], others[NEAR:])


def _reopened_by(incident: Incident, user: User, allowed: list[Act]) -> str:
    """Whom a person who works on cases asks to reopen this one, or "" where that is no question."""
    is_ended = incident.state in (State.RESOLVED, State.CLOSED) and not incident.is_sealed
    if not is_ended or Act.REOPEN in allowed or incident.election.is_locked:
        return ""
    if not user.has_role(*COMMANDING, Role.OFFICER, Role.LIAISON):
        return ""
    return next((c.name for c in routing.ladder_of(incident.place_id) if c.kind == BodyKind.PROVINCE), "")


def _clock_start(incident: Incident, clocks: list[Clock]) -> dt.datetime | None:
    for clock in clocks:
        if clock.state == ClockState.RUNNING and clock.deadline_at == incident.next_due_at:
            return clock.anchor_at
    return None


@dataclass(frozen=True)
class Target:
    """One clock in words. `took` is all the time from its start, `paused` included; late it is by the rest alone."""

    clock: Clock
    label: str
    took: dt.timedelta | None
    left: dt.timedelta | None
    is_late: bool
    paused: dt.timedelta
    is_paused: bool = False
    #: Where the time counts from a hand-over: who got the case then, and who had let its own time run out before.
    came_to: SecurityCommand | None = None
    missed: Sequence[tuple[SecurityCommand, dt.datetime]] = ()


def _targets(clocks: list[Clock], custodies: Sequence[Custody], now: dt.datetime) -> list[Target]:
    """The latest episode of each kind, in the order of the vocabulary."""
    latest = {c.kind: c for c in sorted(clocks, key=lambda c: c.episode) if c.state != ClockState.CANCELLED}
    found = []
    for kind in ClockKind:
        # A legal deadline stands with its referral, the end of a pause with the pause.
        if kind not in (ClockKind.LEGAL, ClockKind.SNOOZE) and (clock := latest.get(kind)):
            stopped = clock.stopped_at if clock.state == ClockState.MET else None
            end = stopped or clock.paused_at or now
            paused = dt.timedelta(seconds=clock.paused_seconds)
            found.append(
                Target(
                    clock=clock,
                    label=str(kind.label),
                    took=stopped - clock.anchor_at + paused if stopped else None,
                    left=clock.deadline_at - end if not stopped and clock.deadline_at > end else None,
                    is_late=end > clock.deadline_at,
                    paused=paused,
                    is_paused=clock.state == ClockState.PAUSED,
                    came_to=next((c.command for c in custodies[1:] if c.at == clock.anchor_at), None),
                    missed=_missed(clock, clocks, custodies),
                )
            )
    return found


def _missed(
    clock: Clock, clocks: list[Clock], custodies: Sequence[Custody]
) -> list[tuple[SecurityCommand, dt.datetime]]:
    """Who let the time of an earlier episode of `clock` run out, and when that was over; the earliest first."""
    found = []
    for earlier in sorted((c for c in clocks if c.kind == clock.kind), key=lambda c: c.episode):
        if earlier.state != ClockState.CANCELLED or earlier.stopped_at is None:
            continue
        if earlier.anchor_at < clock.anchor_at and earlier.stopped_at >= earlier.deadline_at:
            had = [c.command for c in custodies if c.at <= earlier.anchor_at]
            found += [(had[-1], earlier.deadline_at)] if had else []
    return found


IMPACT_WORDS = {
    "killed": lambda: _("killed"),
    "injured": lambda: _("injured"),
    "stations_affected": lambda: _("stations"),
    "minutes_stopped": lambda: _("min stopped"),
    "voters_affected": lambda: _("voters"),
}


# ---- Beside the case ----


def _related(incident: Incident, user: User, detailed: bool) -> dict[str, Any]:
    """Joined reports, the case it was joined to, files, units concerned: as far as this person may see them."""
    visible = Incident.objects.visible_to(user)
    files: list[Attachment] = list(incident.attachments.all()) if detailed else []
    return {
        "merged": list(visible.filter(merged_into=incident.pk).select_related("place").order_by("reported_at")[:50]),
        "survivor": visible.filter(pk=incident.merged_into_id).first() if incident.merged_into_id else None,
        "files": files,
        "station_changes": list(incident.station_changes.order_by("pk")) if detailed else [],
        "subjects": list(incident.subjects.select_related("command")) if incident.is_sealed and detailed else [],
    }


def _people(incident: Incident, user: User, now: dt.datetime, detailed: bool) -> dict[str, Any]:
    """How many identities are sealed, whether this person holds a grant, and who may give one. Never a name."""
    number = incident.persons.count()
    grant = None
    if number and detailed:
        grant = incident.identity_grants.filter(user=user, granted_at__lte=now, expires_at__gt=now).first()
    return {"persons": number, "grant": grant, "granting": [Role.PSC_WATCH.label, Role.NEC_SECRETARIAT.label]}
