"""Everything that can happen to a case: the only writer. Each act is its meaning; `turn` does what all have in common.

Every function raises Incident.DoesNotExist (not visible), StaleVersion, PermissionDenied or ValidationError, and then
nothing was written. `version` is what the person saw; None only where no version was shown.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from commands import authority
from commands.models import Posting, SecurityCommand, User
from elections.khmer import search_key
from elections.models import Jurisdiction
from incidents import evidence, identities, lifecycle
from incidents.choices import (
    SEVERITY_ORDER,
    Act,
    Channel,
    Classification,
    ClockKind,
    DismissReason,
    Outcome,
    PersonRole,
    Severity,
    State,
    Verification,
)
from incidents.intake import Preview, Report, clean_words, preview, report
from incidents.models import (
    Attachment,
    ClockState,
    EscalationKind,
    IdentityGrant,
    Incident,
    ProtectedPerson,
    StationChange,
)
from incidents.routing import ladder_of, nec, targets_for
from incidents.turn import StaleVersion, Turn, chain_above, facts_of, locked, refused, turn

__all__ = ["Preview", "Report", "StaleVersion", "allowed", "perform", "preview", "report"]

_COUNTS = ("killed", "injured", "stations_affected", "minutes_stopped", "voters_affected")
#: Fields a correction may change; the narrative is never edited, only added to.
CORRECTABLE = frozenset(
    {"category", "place", "lat", "lon", "point_precision", "occurred_at", "time_precision", "title", "place_note"}
    | {"actor_type", "target_type", "means", "is_gender_based", *_COUNTS}
)


def _choice(kind: type[Any], value: str, field: str) -> str:
    if value not in kind.values:
        raise ValidationError({field: _("Choose one from the list.")}, code="choice")
    return value


def _check_words(text: str, field: str = "note", limit: int = 20_000) -> None:
    errors: dict[str, str] = {}
    clean_words(text, field, errors, limit)
    if errors:
        raise ValidationError(errors, code="words")


def _targets(t: Turn) -> Any:
    return targets_for(t.incident.election, t.incident.phase, t.incident.severity)


# ---- Taking the case ----


def acknowledge(incident: Incident, *, by: User, not_concerned: bool = True, **how: Any) -> Incident:
    """The owner, or a command above it, has it. From below the owner it is information and changes nothing."""
    if not not_concerned:
        raise refused(
            _("If you or your unit are concerned, do not take this case. Escalate it and say why."), "recusal"
        )
    if any(incident.owner.path.startswith(p.command.path) for p in by.current_postings) or not authority.may(
        Act.SEEN, by.current_postings, facts_of(incident, by)
    ):
        with turn(incident, Act.ACKNOWLEDGE, by=by, **how) as t:
            t.incident.acknowledged_at = t.now
            _take(t)
        return t.incident
    with turn(incident, Act.SEEN, by=by, **how) as t:
        t.note = t.note or _("For information; the owner stays.")
    return t.incident


def accept(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.ACCEPT, by=by, **how) as t:
        if t.incident.is_accepted:
            raise refused(_("This hand-over was accepted already."))
        _take(t)
    return t.incident


def _take(t: Turn) -> None:
    t.incident.is_accepted = True
    t.stop_clock(ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT)
    t.incident.custodies.filter(accepted_at=None).update(accepted_at=t.now, accepted_by=t.by)


def update(incident: Incident, *, by: User, note: str, **how: Any) -> Incident:
    if not note.strip():
        raise ValidationError({"note": _("Say what is new.")}, code="required")
    _check_words(note)
    with turn(incident, Act.UPDATE, by=by, note=note, **how) as t:
        _count_update(t)
    return t.incident


def _count_update(t: Turn) -> None:
    t.incident.first_update_at = t.incident.first_update_at or t.now
    t.incident.last_update_at = t.now
    t.stop_clock(ClockKind.FIRST_UPDATE, ClockKind.UPDATE)
    every = _targets(t).update_every
    if (
        every
        and t.incident.severity == Severity.CRITICAL
        and t.incident.state
        in (
            State.REPORTED,
            State.ACKNOWLEDGED,
            State.RESPONDING,
        )
    ):
        t.start_clock(ClockKind.UPDATE, every)


def assign(incident: Incident, *, by: User, assignee: int | str | None = None, **how: Any) -> Incident:
    """Put a unit, or a person of the owner's commands, to work."""
    with turn(incident, Act.ASSIGN, by=by, **how) as t:
        if assignee:
            person = User.objects.filter(
                pk=assignee, is_active=True, postings__in=_postings_under(t.incident.owner, t.now)
            ).first()
            if person is None:
                raise ValidationError({"assignee": _("Choose a person of your command.")}, code="choice")
            t.incident.assignee = person
            t.tell("assign", [person])
        elif not t.note:
            raise ValidationError({"note": _("Say who is sent.")}, code="required")
    return t.incident


def _postings_under(command: SecurityCommand, now: dt.datetime) -> Any:
    return Posting.objects.current(now).filter(command__path__startswith=command.path)


# ---- How serious, and whose ----


def raise_severity(incident: Incident, *, by: User, severity: str, **how: Any) -> Incident:
    return _set_severity(incident, Act.RAISE_SEVERITY, severity, by=by, **how)


def lower_severity(incident: Incident, *, by: User, severity: str, **how: Any) -> Incident:
    """One step at a time, with a reason: a machine may raise, only a person lowers (domain 3.1)."""
    return _set_severity(incident, Act.LOWER_SEVERITY, severity, by=by, **how)


def _set_severity(incident: Incident, act: Act, severity: str, **how: Any) -> Incident:
    _choice(Severity, severity, "severity")
    with turn(incident, act, **how) as t:
        old, new = Severity(t.incident.severity), Severity(severity)
        steps = SEVERITY_ORDER[new] - SEVERITY_ORDER[old]
        if (steps > 0) != (act == Act.RAISE_SEVERITY) or steps == 0:
            raise ValidationError({"severity": _("Choose another level than the present one.")}, code="choice")
        if steps < -1:
            raise ValidationError({"severity": _("Lower it by one step at a time.")}, code="choice")
        t.incident.severity = new
        _rebase_clocks(t)
        _inform_of_severity(t, old, new)
    return t.incident


def _rebase_clocks(t: Turn) -> None:
    """Deadlines of the new severity, from the same anchors: what is met stays met."""
    targets = _targets(t)
    minutes = {
        ClockKind.ACKNOWLEDGE: targets.acknowledge,
        ClockKind.ACCEPT: targets.acknowledge,
        ClockKind.FIRST_UPDATE: targets.first_update,
        ClockKind.CONTAIN: targets.contain,
        ClockKind.RESOLVE: targets.resolve,
    }
    running = list(t.incident.clocks.filter(state__in=[ClockState.RUNNING, ClockState.EXHAUSTED]))
    for clock in running:
        kind = ClockKind(clock.kind)
        if kind in minutes:
            t.start_clock(kind, minutes[kind], clock.anchor_at)
        elif kind == ClockKind.REVIEW:
            t.stop_clock(ClockKind.REVIEW)
            t.start_clock(ClockKind.CONTAIN, targets.contain, clock.anchor_at)


def _inform_of_severity(t: Turn, old: Severity, new: Severity) -> None:
    case = t.incident
    if case.is_sealed or SEVERITY_ORDER[new] < SEVERITY_ORDER[Severity.HIGH]:
        return
    ladder = ladder_of(case.place_id)
    if new == Severity.CRITICAL:
        secretariat = nec()
        if case.rung < 2:
            province = next((c for c in ladder if (c.rung or 0) >= 2), None)
            if province:
                t.hand_over(
                    province, Act.RAISE_SEVERITY, EscalationKind.OWNER_MOVED, _targets(t).acknowledge, told="escalate"
                )
        t.tell_commands("raise_severity", [*ladder, *([secretariat] if secretariat else [])])
    else:
        t.tell_commands("raise_severity", [c for c in ladder if c.rung == 2])


def escalate(incident: Incident, *, by: User, to: str = "", **how: Any) -> Incident:
    """Give the case to a command above the owner: the next one, or the one with code `to`."""
    with turn(incident, Act.ESCALATE, by=by, **how) as t:
        chain = chain_above(t.incident)
        target = next((c for c in chain if not to or c.code == to), None)
        if target is None:
            raise ValidationError({"to": _("There is no such command above the present owner.")}, code="choice")
        t.hand_over(target, Act.ESCALATE, EscalationKind.MANUAL, _targets(t).acknowledge, told="escalate")
    return t.incident


def hand_back(incident: Incident, *, by: User, **how: Any) -> Incident:
    """Give the case to the command below the owner; it must accept."""
    with turn(incident, Act.HAND_BACK, by=by, **how) as t:
        target = _below(t.incident)
        if target is None:
            raise refused(_("There is no command below the present owner."))
        t.hand_over(target, Act.HAND_BACK, EscalationKind.HAND_BACK, _targets(t).acknowledge, told="hand_back")
    return t.incident


def _below(incident: Incident) -> SecurityCommand | None:
    if incident.is_sealed or incident.owner.rung is None:
        return None
    lower = [c for c in ladder_of(incident.place_id) if (c.rung or 0) < incident.rung]
    return lower[-1] if lower else None


# ---- Towards the end ----


def contain(incident: Incident, *, by: User, **how: Any) -> Incident:
    """Harm stopped and a responsible authority holds it. Impact numbers may be given with it."""
    counts = {name: how.pop(name) for name in _COUNTS if how.get(name) is not None}
    how = {k: v for k, v in how.items() if k not in _COUNTS}
    with turn(incident, Act.CONTAIN, by=by, **how) as t:
        for name, value in counts.items():
            _set_count(t.incident, name, value)
        t.incident.contained_at = t.now
        t.stop_clock(ClockKind.CONTAIN, ClockKind.FIRST_UPDATE, ClockKind.UPDATE)
        t.start_clock(ClockKind.RESOLVE, _targets(t).resolve)
    return t.incident


def _set_count(incident: Incident, name: str, value: object) -> None:
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    if not 0 <= number <= 100_000:
        raise ValidationError({name: _("Give a number from 0 to %(limit)s.") % {"limit": "100,000"}}, code="number")
    setattr(incident, name, number)


def flare_up(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.FLARE_UP, by=by, **how) as t:
        t.incident.contained_at = None
        t.stop_clock(ClockKind.RESOLVE, state=ClockState.CANCELLED)
        t.start_clock(ClockKind.CONTAIN, _targets(t).contain)
    return t.incident


def resolve(incident: Incident, *, by: User, outcome: str, verification: str = "", **how: Any) -> Incident:
    """End the work with an outcome. A critical case waits for the NEC's countersignature (domain 4.1)."""
    _choice(Outcome, outcome, "outcome")
    if verification:
        _choice(Verification, verification, "verification")
    with turn(incident, Act.RESOLVE, by=by, **how) as t:
        if t.incident.severity == Severity.CRITICAL and not t.incident.is_sealed:
            _ask(t, {"outcome": outcome, "verification": verification})
        else:
            _resolve(t, outcome, verification, by)
    return t.incident


def _resolve(t: Turn, outcome: str, verification: str, by: User | None) -> None:
    t.incident.outcome = outcome
    t.incident.verification = verification or t.incident.verification
    t.incident.resolved_at, t.incident.resolved_by = t.now, by
    t.stop_all_clocks()
    t.tell("outcome", [t.incident.reporter])


def close(incident: Incident, *, by: User, **how: Any) -> Incident:
    """The last act, by somebody other than who resolved. The checklist is domain 4.5."""
    with turn(incident, Act.CLOSE, by=by, **how) as t:
        case = t.incident
        missing = []
        if case.category_id == "UNK-00":
            missing.append(_("a category"))
        if case.verification in (Verification.UNVERIFIED, Verification.PARTIAL):
            missing.append(_("a final verification"))
        if case.classification == Classification.UNDETERMINED and facts_of(case, by).needs_nec:
            missing.append(_("the classification by the NEC"))
        if missing:
            raise refused(_("Before closing, the case needs: %(what)s.") % {"what": ", ".join(missing)}, "checklist")
        case.closed_at = t.now
        t.tell("outcome", [case.reporter])
    return t.incident


def reopen(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.REOPEN, by=by, **how) as t:
        case = t.incident
        case.reopened_count += 1
        case.resolved_at = case.resolved_by = case.closed_at = case.contained_at = None
        case.outcome = ""
        t.start_clock(ClockKind.CONTAIN, _targets(t).contain)
        t.tell_commands("reopen", [case.owner])
    return t.incident


# ---- Is it true, what is it ----


def verify(incident: Incident, *, by: User, verification: str, **how: Any) -> Incident:
    _choice(Verification, verification, "verification")
    with turn(incident, Act.VERIFY, by=by, **how) as t:
        t.incident.verification = verification
    return t.incident


def propose(incident: Incident, *, by: User, classification: str, **how: Any) -> Incident:
    _choice(Classification, classification, "classification")
    with turn(incident, Act.PROPOSE, by=by, **how) as t:
        t.incident.proposed_classification = classification
    return t.incident


def classify(incident: Incident, *, by: User | None, classification: str, reason: str = "", **how: Any) -> Incident:
    """The NEC decides; a change of an earlier decision needs a reason. `by=None` is a rule, named in the reason."""
    _choice(Classification, classification, "classification")
    with turn(incident, Act.CLASSIFY, by=by, reason=reason, **how) as t:
        if t.incident.classification != Classification.UNDETERMINED and not t.reason:
            raise ValidationError({"reason": _("Say why, in a few words.")}, code="required")
        t.incident.classification = classification
        t.incident.classified_at = t.now
    return t.incident


def correct(incident: Incident, *, by: User, fields: dict[str, Any], **how: Any) -> Incident:
    """Amend structured fields with a reason; the old values stay in the journal. A narrative is never edited."""
    unknown = set(fields) - CORRECTABLE
    if unknown:
        raise ValidationError({name: _("This cannot be corrected.") for name in unknown}, code="choice")
    with turn(incident, Act.CORRECT, by=by, **how) as t:
        case = t.incident
        for name, value in fields.items():
            if name in _COUNTS:
                _set_count(case, name, value)
            elif name == "place":
                _correct_place(case, str(value))
            elif name == "category":
                case.category_id = str(value)
            else:
                setattr(case, name, value)
        _check_words(case.title, "title", 120)
        _check_words(case.place_note, "place_note", 200)
        if (case.lat is None) != (case.lon is None):
            raise ValidationError({"lat": _("A point needs both latitude and longitude.")}, code="point")
        if case.occurred_at > t.now:
            raise ValidationError({"occurred_at": _("That is in the future.")}, code="future")
        case.search_key = search_key(f"{case.title} {case.narrative}")
        case.clean_fields(exclude=["reference"])
    return t.incident


def _correct_place(case: Incident, code: str) -> None:
    place = Jurisdiction.objects.filter(pcode=code).first()
    if place is None or len(code) < 6:
        raise ValidationError({"place": _("Choose a commune or sangkat.")}, code="choice")
    if code[:6] != case.place_id[:6]:
        raise ValidationError(
            {"place": _("That is in another district. Withdraw this report and log it there.")}, code="choice"
        )
    case.place = place


def attach(incident: Incident, *, by: User, upload: UploadedFile[Any], **how: Any) -> Attachment:
    """Keep a file with its SHA-256; refused files change nothing."""
    checked = evidence.check_upload(upload)
    with turn(incident, Act.ATTACH, by=by, **how) as t:
        evidence.check_count(t.incident.attachments.count() + 1)
        attachment = evidence.store(checked, t.incident, by, t.now)
        t.extra_after = {"file": attachment.name, "sha256": attachment.sha256}
    return attachment


# ---- Joining, withdrawing, dismissing ----


def merge(incident: Incident, *, by: User, survivor: UUID | str, now: dt.datetime, **how: Any) -> Incident:
    """Join this report to another case of the same view. Sealed cases are never joined by police (domain 4.4)."""
    with transaction.atomic():
        first, second = sorted([str(incident.pk), str(survivor)])
        for key in (first, second):
            locked(UUID(key), by)
        keeper = Incident.objects.get(pk=survivor)
        if keeper.pk == incident.pk or keeper.is_sealed or not keeper.is_open:
            raise ValidationError({"survivor": _("Choose another open case.")}, code="choice")
        with turn(incident, Act.MERGE, by=by, now=now, **how) as t:
            t.incident.merged_into = keeper
            t.stop_all_clocks(ClockState.CANCELLED)
            t.extra_after = {"survivor": keeper.reference}
    return t.incident


def unmerge(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.UNMERGE, by=by, **how) as t:
        t.incident.merged_into = None
        t.start_clock(ClockKind.CONTAIN, _targets(t).contain)
    return t.incident


def withdraw(incident: Incident, *, by: User, **how: Any) -> Incident:
    """At once while nobody took it up; else, or where a victim or neutrality is at stake, the NEC countersigns."""
    with turn(incident, Act.WITHDRAW, by=by, **how) as t:
        was_new = t._before["state"] == State.REPORTED
        category = t.incident.category
        guarded = category.protects_victim or category.group_code in ("INT", "NEU", "INF") or t.incident.is_sealed
        if was_new and not guarded:
            t.stop_all_clocks(ClockState.CANCELLED)
        else:
            _ask(t, {})
    return t.incident


def dismiss(incident: Incident, *, by: User, dismiss_reason: str, **how: Any) -> Incident:
    """Ask that a report be found not to be an incident; a second person decides."""
    _choice(DismissReason, dismiss_reason, "dismiss_reason")
    with turn(incident, Act.DISMISS, by=by, **how) as t:
        _ask(t, {"dismiss_reason": dismiss_reason})
    return t.incident


def _ask(t: Turn, data: dict[str, Any]) -> None:
    """Keep the state; let the act wait for a second person."""
    case = t.incident
    if case.request_act:
        raise refused(_("Another request waits for a countersignature already."))
    case.state = t._before["state"]
    case.request_act, case.request_by, case.request_at = t.act, t.by, t.now
    case.request_reason, case.request_data = t.reason, data
    t.extra_after = {"requested": str(t.act)}
    deciders = chain_above(case) if case.is_sealed else [c for c in (nec(),) if c]
    t.tell_commands("request", deciders or [case.owner])


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
        if asked == Act.RESOLVE:
            _resolve(t, case.request_data["outcome"], case.request_data.get("verification", ""), case.request_by)
        else:
            case.dismiss_reason = case.request_data.get("dismiss_reason", "")
            t.stop_all_clocks(ClockState.CANCELLED)
        _clear_request(case)
    return t.incident


def decline(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.DECLINE, by=by, **how) as t:
        if not t.incident.request_act:
            raise refused(_("Nothing waits for a countersignature."))
        if t.incident.request_by:
            t.tell("request", [t.incident.request_by])
        _clear_request(t.incident)
    return t.incident


def _clear_request(case: Incident) -> None:
    case.request_act, case.request_by, case.request_at = "", None, None
    case.request_reason, case.request_data = "", {}


# ---- Stations and identities ----


def relocate_station(
    incident: Incident, *, by: User, station: str, old_place: str, new_place: str, voters_affected: int, **how: Any
) -> Incident:
    """The NEC moves a polling station because of this case."""
    for name, text, limit in (("station", station, 120), ("old_place", old_place, 200), ("new_place", new_place, 200)):
        _check_words(text, name, limit)
        if not text.strip():
            raise ValidationError({name: _("Please fill this in.")}, code="required")
    with turn(incident, Act.RELOCATE_STATION, by=by, **how) as t:
        change = StationChange(
            incident=t.incident, station=station, old_place=old_place, new_place=new_place, at=t.now, by=by
        )
        _set_count(t.incident, "voters_affected", voters_affected)
        change.voters_affected = t.incident.voters_affected
        change.save()
        t.extra_after = {"station": station, "from": old_place, "to": new_place}
        t.tell_commands("raise_severity", [t.incident.owner])
    return t.incident


def record_person(incident: Incident, *, by: User, role: str, identity: dict[str, str], **how: Any) -> Incident:
    """Keep an identity encrypted; the journal says that one was recorded, never whose."""
    _choice(PersonRole, role, "role")
    with turn(incident, Act.RECORD_PERSON, by=by, **how) as t:
        ProtectedPerson.objects.create(
            incident=t.incident, role=role, sealed=identities.seal(identity), recorded_by=by, recorded_at=t.now
        )
        t.extra_after = {"role": role}
    return t.incident


def grant_identity(incident: Incident, *, by: User, user: int | str, hours: int = 24, **how: Any) -> Incident:
    """Let one other person open the identities of this case for some hours."""
    with turn(incident, Act.GRANT_IDENTITY, by=by, **how) as t:
        person = User.objects.filter(pk=user, is_active=True).first()
        if person is None or person == by or not Incident.objects.visible_to(person).filter(pk=t.incident.pk).exists():
            raise ValidationError({"user": _("Choose another person who may see this case.")}, code="choice")
        if not 1 <= int(hours) <= 168:
            raise ValidationError({"hours": _("Give a number from 1 to %(limit)s.") % {"limit": 168}}, code="number")
        IdentityGrant.objects.create(
            incident=t.incident,
            user=person,
            granted_by=by,
            reason=t.reason,
            granted_at=t.now,
            expires_at=t.now + dt.timedelta(hours=int(hours)),
        )
        t.extra_after = {"to": person.pk, "hours": int(hours)}
    return t.incident


def open_identity(incident: Incident, *, by: User, **how: Any) -> list[dict[str, str]]:
    """The identities of a case, in clear, for who holds a grant; each opening is journaled first."""
    with turn(incident, Act.OPEN_IDENTITY, by=by, **how) as t:
        if not identities.may_open(by, t.incident, t.now):
            raise PermissionDenied(_("You have no grant for the identities of this case. Ask the NEC or the PSC."))
        people = [{"role": p.role, **identities.open(p.sealed)} for p in t.incident.persons.order_by("pk")]
    return people


# ---- What doors call ----

_ACTS = {
    Act.ACKNOWLEDGE: acknowledge,
    Act.ACCEPT: accept,
    Act.UPDATE: update,
    Act.ASSIGN: assign,
    Act.RAISE_SEVERITY: raise_severity,
    Act.LOWER_SEVERITY: lower_severity,
    Act.ESCALATE: escalate,
    Act.HAND_BACK: hand_back,
    Act.CONTAIN: contain,
    Act.FLARE_UP: flare_up,
    Act.RESOLVE: resolve,
    Act.CLOSE: close,
    Act.REOPEN: reopen,
    Act.VERIFY: verify,
    Act.PROPOSE: propose,
    Act.CLASSIFY: classify,
    Act.CORRECT: correct,
    Act.ATTACH: attach,
    Act.MERGE: merge,
    Act.UNMERGE: unmerge,
    Act.WITHDRAW: withdraw,
    Act.DISMISS: dismiss,
    Act.COUNTERSIGN: countersign,
    Act.DECLINE: decline,
    Act.RELOCATE_STATION: relocate_station,
    Act.RECORD_PERSON: record_person,
    Act.GRANT_IDENTITY: grant_identity,
    Act.OPEN_IDENTITY: open_identity,
}


def perform(
    act: str,
    incident: Incident,
    *,
    by: User,
    version: int | None,
    now: dt.datetime,
    channel: str = Channel.BROWSER,
    **data: Any,
) -> Incident:
    """Do `act` with its own `data`; returns the case as it is now.

    Raises ValidationError for an act that is no act of a person or lacks or exceeds its fields, besides what it raises.
    """
    function = _ACTS.get(Act(act)) if act in Act.values else None
    if function is None:
        raise ValidationError({"act": _("There is no such act.")}, code="choice")
    try:
        function(incident, by=by, version=version, now=now, channel=channel, **data)  # type: ignore[operator]
    except TypeError as fault:
        # A field too few or too many is the caller's; anything deeper is ours and must be seen.
        if (fault.__traceback__ and fault.__traceback__.tb_next is None) or "argument" in str(fault):
            raise ValidationError({"act": _("This act has other fields.")}, code="fields") from fault
        raise
    return Incident.objects.get(pk=incident.pk)


def allowed(incident: Incident, user: User) -> list[Act]:
    """Acts possible now for this person: which buttons to show."""
    facts = facts_of(incident, user)
    acts = [
        act
        for act in lifecycle.possible(incident.state)
        if act in _ACTS and _applies(act, incident) and authority.may(act, user.current_postings, facts)
    ]
    return acts if not incident.election.is_locked else []


def _applies(act: Act, case: Incident) -> bool:
    match act:
        case Act.ACCEPT:
            return not case.is_accepted and case.state != State.REPORTED
        case Act.COUNTERSIGN | Act.DECLINE:
            return bool(case.request_act)
        case Act.RAISE_SEVERITY:
            return case.severity != Severity.CRITICAL
        case Act.LOWER_SEVERITY:
            return case.severity not in (Severity.LOW, Severity.UNRATED)
        case Act.ESCALATE:
            # From the row alone: a list asks this of every case.
            return not case.owner.path.startswith("NEC.") if case.is_sealed else case.owner.rung in (0, 1, 2)
        case Act.HAND_BACK:
            return not case.is_sealed and (case.owner.rung or 0) >= 2
        case Act.WITHDRAW | Act.DISMISS:
            return not case.request_act
        case _:
            return True
