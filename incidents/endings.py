"""How a case stops being open: resolved and closed, joined to another, withdrawn, found not to be an incident.

Some of these wait for a second person: the request stands on the case until it is countersigned, declined or void.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands.choices import Role
from commands.models import User
from elections import calendar
from incidents import lifecycle, pauses, referrals
from incidents.choices import (
    SEVERITY_ORDER,
    Act,
    Classification,
    ClockKind,
    DismissReason,
    Outcome,
    Severity,
    State,
    Verification,
)
from incidents.countersigning import ask
from incidents.models import LIVE, STANDING, ClockState, Incident
from incidents.rumours import time_verification
from incidents.turn import Turn, chosen, clear_request, facts_of, locked, refused, turn

#: Later, a record that was reported from is not opened again.
REOPEN_WITHIN = dt.timedelta(days=90)

# ---- With an outcome ----


def resolve(incident: Incident, *, by: User, outcome: str, verification: str = "", **how: Any) -> Incident:
    """End the work with an outcome. A critical case waits for the NEC's countersignature (domain 4.1)."""
    chosen(Outcome, outcome, "outcome")
    if verification:
        chosen(Verification, verification, "verification")
    with turn(incident, Act.RESOLVE, by=by, **how) as t:
        if text := referrals.why_not_pending(t.incident, outcome):
            raise ValidationError({"outcome": text}, code="choice")
        if t.incident.severity == Severity.CRITICAL and not t.incident.is_sealed:
            ask(t, {"outcome": outcome, "verification": verification})
        else:
            _resolve(t, outcome, verification, by)
    return t.incident


def _resolve(t: Turn, outcome: str, verification: str, by: User | None) -> None:
    t.incident.outcome = outcome
    t.incident.verification = verification or t.incident.verification
    t.incident.resolved_at, t.incident.resolved_by = t.now, by
    _end(t, ClockState.MET)
    t.tell("outcome", [t.incident.reporter])


def close(incident: Incident, *, by: User, **how: Any) -> Incident:
    """The last act, by somebody other than who resolved. The checklist is domain 4.5."""
    with turn(incident, Act.CLOSE, by=by, **how) as t:
        case = t.incident
        referrals.refuse_while_running(case)
        missing = [_("how the referral ended")] if case.outcome == Outcome.REFERRED_PENDING else []
        if case.category_id == "UNK-00":
            missing.append(_("a category"))
        if case.verification in (Verification.UNVERIFIED, Verification.PARTIAL):
            missing.append(_("a final verification"))
        if case.classification == Classification.UNDETERMINED and facts_of(case, by).needs_nec:
            missing.append(_("the classification by the NEC"))
        if missing:
            raise refused(_("Before closing, the case needs: %(what)s.") % {"what": ", ".join(missing)}, "checklist")
        case.closed_at = t.now
        t.tell("closed", [case.reporter])
    return t.incident


def reopen(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.REOPEN, by=by, **how) as t:
        case = t.incident
        ended = case.closed_at or case.resolved_at
        if ended and t.now - ended > REOPEN_WITHIN and not _may_always_reopen(case):
            raise refused(_("This case ended more than 90 days ago. Log what is new as a case of its own."))
        case.reopened_count += 1
        case.resolved_at = case.resolved_by = case.closed_at = case.contained_at = None
        case.outcome = ""
        _begin_anew(t)
        t.tell_commands("reopen", [case.owner])
    return t.incident


def _begin_anew(t: Turn) -> None:
    """What had ended is open again, by the targets of the phase of now: nobody timed it anew while it was over."""
    case = t.incident
    case.clock_phase = calendar.phase_at(case.election, t.now, case.place_id)
    t.start_clock(ClockKind.CONTAIN, t.targets.contain)
    time_verification(t)


def _may_always_reopen(case: Incident) -> bool:
    """Killing, intimidation and conduct of units: those who know may need longer than that to speak (domain 4.1)."""
    return case.category_id == "CRM-01" or case.category.group_code in ("INT", "NEU")


# ---- Joining, withdrawing, dismissing ----


def merge(incident: Incident, *, by: User, survivor: UUID | str, now: dt.datetime, **how: Any) -> Incident:
    """Join this report to another case of the same view. Sealed cases are never joined by police (domain 4.4)."""
    with transaction.atomic():
        # Both are locked before anything is written, in one order whoever joins which; tallies move for one alone.
        other = UUID(str(survivor))
        cases = {key: locked(key, by) for key in sorted({incident.pk, other})}
        keeper = cases[other]
        if keeper.pk == incident.pk or keeper.is_sealed or not keeper.is_open:
            raise ValidationError({"survivor": _("Choose another open case.")}, code="choice")
        _check_survivor(cases[incident.pk], keeper, by)
        with turn(incident, Act.MERGE, by=by, now=now, **how) as t:
            referrals.refuse_while_running(t.incident)
            t.incident.merged_into = keeper
            _keep_earliest(t, keeper)
            _end(t, ClockState.CANCELLED)
            t.extra_after = {"survivor": keeper.reference}
    return t.incident


def _check_survivor(case: Incident, keeper: Incident, by: User) -> None:
    """What counts more goes on: joined to less, a case would lose its severity, or the NEC its word on the end."""
    if SEVERITY_ORDER[Severity(case.severity)] > SEVERITY_ORDER[Severity(keeper.severity)]:
        text = _("This report is more serious than that case. Join that one to this, or raise its severity first.")
        raise ValidationError({"survivor": text}, code="choice")
    for_nec = facts_of(case, by).needs_nec and not facts_of(keeper, by).needs_nec
    if for_nec and not by.has_role(Role.NEC_SECRETARIAT):
        text = _("This report is for the NEC and that case is not. Join that one to this, or ask the NEC.")
        raise ValidationError({"survivor": text}, code="choice")


def _keep_earliest(t: Turn, keeper: Incident) -> None:
    """The survivor answers by the earlier deadline of the two (domain 3.2); its own journal says what joined it."""
    note = _("%(reference)s was joined to this case.") % {"reference": t.incident.reference}
    joined = Turn(incident=keeper, act=Act.UPDATE, by=t.by, posting=t.posting, now=t.now, channel=t.channel, note=note)
    joined.end_pause()
    running = {clock.kind: clock for clock in keeper.clocks.filter(state__in=LIVE)}
    # Of a paused report the time it stood is no time of the other's: it has run from its anchor all along.
    for clock in t.incident.clocks.filter(state__in=STANDING, kind__in=running):
        if clock.deadline_at < running[clock.kind].deadline_at:
            joined.start_clock(ClockKind(clock.kind), clock.target_minutes, clock.anchor_at)
    joined.finish()


def unmerge(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.UNMERGE, by=by, **how) as t:
        t.incident.merged_into = None
        _begin_anew(t)
    return t.incident


def withdraw(incident: Incident, *, by: User, **how: Any) -> Incident:
    """At once while nobody took it up; else, or where a victim or neutrality is at stake, the NEC countersigns."""
    with turn(incident, Act.WITHDRAW, by=by, **how) as t:
        was_new = t.state_before == State.REPORTED
        category = t.incident.category
        guarded = category.protects_victim or category.group_code in ("INT", "NEU", "INF") or t.incident.is_sealed
        if was_new and not guarded:
            referrals.refuse_while_running(t.incident)
            _end(t, ClockState.CANCELLED)
        else:
            ask(t, {})
    return t.incident


def dismiss(incident: Incident, *, by: User, dismiss_reason: str, **how: Any) -> Incident:
    """Ask that a report be found not to be an incident; a second person decides."""
    chosen(DismissReason, dismiss_reason, "dismiss_reason")
    with turn(incident, Act.DISMISS, by=by, **how) as t:
        ask(t, {"dismiss_reason": dismiss_reason})
    return t.incident


def countersign(incident: Incident, *, by: User, **how: Any) -> Incident:
    """The second person agrees, and what was asked happens."""
    with turn(incident, Act.COUNTERSIGN, by=by, **how) as t:
        case = t.incident
        if not case.request_act:
            raise refused(_("Nothing waits for a countersignature."))
        asked = Act(case.request_act)
        target = lifecycle.after(case.state, asked)
        if target is None:
            raise refused(lifecycle.refusal(case.state, asked))
        case.state = target
        if asked == Act.SNOOZE:
            pauses.begin(t)
            clear_request(case)
        elif asked == Act.RESOLVE:
            if text := referrals.why_not_pending(case, case.request_data["outcome"]):
                # What ran when it was asked for may have ended meanwhile.
                raise refused(f"{text} {_('For another outcome, decline what was asked.')}")
            _resolve(t, case.request_data["outcome"], case.request_data.get("verification", ""), case.request_by)
        else:
            referrals.refuse_while_running(case)
            case.dismiss_reason = case.request_data.get("dismiss_reason", "")
            _end(t, ClockState.CANCELLED)
    return t.incident


def decline(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.DECLINE, by=by, **how) as t:
        if not t.incident.request_act:
            raise refused(_("Nothing waits for a countersignature."))
        if t.incident.request_by:
            t.tell("decline", [t.incident.request_by])
        clear_request(t.incident)
    return t.incident


def _end(t: Turn, clocks: ClockState) -> None:
    """The case is open no more: nothing is due but by law, and a request that waited has nothing left to decide."""
    t.end_pause()
    t.stop_clock(*(kind for kind in ClockKind if kind != ClockKind.LEGAL), state=clocks)
    clear_request(t.incident)
