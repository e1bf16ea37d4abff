"""Everything that can happen to a case: the only writer. Each act is its meaning; `turn` does what all have in common.

How a case comes in is in `intake`, how it ends in `endings`; all are called from here.

Every function raises Incident.DoesNotExist (not visible), StaleVersion, PermissionDenied or ValidationError, and then
nothing was written. `version` is what the person saw; None only where no version was shown.
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import authority
from commands.models import Posting, SecurityCommand, User
from elections.calendar import under_way_instead
from elections.khmer import search_key
from elections.models import Jurisdiction
from elections.prepared import prepared
from incidents import evidence, identities, lifecycle, pauses, stand_down
from incidents.choices import (
    Act,
    Channel,
    Classification,
    ClockKind,
    PersonRole,
    Severity,
    Verification,
)
from incidents.countersigning import is_in_the_way
from incidents.deadlines import next_anchor
from incidents.endings import close, countersign, decline, dismiss, merge, reopen, resolve, unmerge, withdraw
from incidents.intake import Preview, Report, preview, report
from incidents.limits import COUNTS, OLDEST_YEAR, check_count, check_point, clean_words
from incidents.models import (
    LIVE,
    Attachment,
    Category,
    ClockState,
    EscalationKind,
    IdentityGrant,
    Incident,
    ProtectedPerson,
    StationChange,
)
from incidents.pauses import snooze, wake
from incidents.referrals import concludable, conclude_referral, may_refer, refer
from incidents.routing import nearest_staffed, nec
from incidents.rumours import time_verification
from incidents.severity import NEEDS_UPDATES, lower_severity, raise_severity
from incidents.stand_down import hand_back
from incidents.turn import StaleVersion, Turn, chain_above, chosen, clear_request, facts_of, refused, turn, vacant_for

__all__ = [
    "Preview", "Report", "StaleVersion", "allowed", "close", "countersign", "decline", "dismiss", "merge", "perform",
    "preview", "reopen", "report", "resolve", "unmerge", "withdraw",
]  # fmt: skip

#: Fields a correction may change; the narrative is never edited, only added to.
CORRECTABLE = frozenset(
    {"category", "place", "lat", "lon", "point_precision", "occurred_at", "time_precision", "title", "place_note"}
    | {"actor_type", "target_type", "means", "is_gender_based", *COUNTS}
)


def _check_words(text: str, field: str = "note", limit: int = 20_000) -> None:
    errors: dict[str, str] = {}
    clean_words(text, field, errors, limit)
    if errors:
        raise ValidationError(errors, code="words")


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
    if t.incident.request_act == Act.SNOOZE:
        # The owner before asked for it, and the engine, which moved the case up, decides no request.
        clear_request(t.incident)
    t.stop_clock(ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT)
    # Of the present owner alone: a command that let the time pass did not accept because the next one did.
    held = t.incident.custodies.order_by("-pk").first()
    if held and held.accepted_at is None:
        held.accepted_at, held.accepted_by = t.now, t.on_behalf_of or t.by
        held.save(update_fields=["accepted_at", "accepted_by"])


def update(incident: Incident, *, by: User, note: str, is_quiet: bool = False, **how: Any) -> Incident:
    """Say what is new; or, `is_quiet`, that nothing is, which keeps the quiet that a stand-down waits for."""
    if not note.strip():
        raise ValidationError({"note": _("Say what is new.")}, code="required")
    _check_words(note)
    with turn(incident, Act.UPDATE, by=by, note=note, **how) as t:
        if is_quiet:
            t.extra_after = {"quiet": True}
        _count_update(t)
    return t.incident


def _count_update(t: Turn) -> None:
    case, every = t.incident, t.targets.update_every
    awaited = (ClockKind.FIRST_UPDATE, ClockKind.UPDATE)
    due = case.clocks.filter(kind__in=awaited, state__in=LIVE).order_by("-deadline_at").first()
    case.first_update_at = case.first_update_at or t.now
    case.last_update_at = t.now
    t.stop_clock(*awaited)
    if every and case.severity == Severity.CRITICAL and case.state in NEEDS_UPDATES:
        t.start_clock(ClockKind.UPDATE, every, next_anchor(due.deadline_at if due else None, every, t.now))


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


# ---- Whose it is ----


def escalate(incident: Incident, *, by: User, to: str = "", **how: Any) -> Incident:
    """Give the case to a command above the owner: the next one, or the one with code `to`.

    Where nobody is there it goes on at once to the nearest above where somebody is, as the engine would let it.
    """
    with turn(incident, Act.ESCALATE, by=by, **how) as t:
        chain = chain_above(t.incident)
        target = next((c for c in chain if not to or c.code == to), None)
        if target is None:
            raise ValidationError({"to": _("There is no such command above the present owner.")}, code="choice")
        target, left_out = _somebody_at(t, chain, target)
        t.end_pause()
        t.hand_over(
            target, Act.ESCALATE, EscalationKind.MANUAL, t.targets.acknowledge, told="escalate", left_out=left_out
        )
        # A rung that is left out stays informed, and of a critical case the NEC.
        passed = chain[: chain.index(target)]
        if t.incident.severity == Severity.CRITICAL and not t.incident.is_sealed and (secretariat := nec()):
            passed.append(secretariat)
        t.tell_commands("informed", passed)
    return t.incident


def _somebody_at(
    t: Turn, chain: list[SecurityCommand], wanted: SecurityCommand
) -> tuple[SecurityCommand, list[SecurityCommand]]:
    """`wanted` or the nearest above it with somebody there, and whom that leaves out. Refused where nobody is."""
    vacant = vacant_for(t.incident, chain, t.now)
    found, left_out = nearest_staffed(chain[chain.index(wanted) :], vacant)
    if found is not None:
        return found, left_out
    lower, _passed = nearest_staffed(chain, vacant)
    if lower is None:
        text = _("Nobody is there now at any command above. Call them; the case stays with its owner.")
        raise ValidationError({"to": text}, code="vacant")
    text = _("Nobody is there now at %(wanted)s, nor above it. Choose %(other)s: somebody is there.")
    raise ValidationError({"to": text % {"wanted": wanted.name, "other": lower.name}}, code="vacant")


# ---- Towards the end ----


def contain(
    incident: Incident,
    *,
    by: User,
    killed: int | None = None,
    injured: int | None = None,
    stations_affected: int | None = None,
    minutes_stopped: int | None = None,
    voters_affected: int | None = None,
    **how: Any,
) -> Incident:
    """Harm stopped and a responsible authority holds it. Impact numbers may be given with it."""
    counts = zip(COUNTS, (killed, injured, stations_affected, minutes_stopped, voters_affected), strict=True)
    with turn(incident, Act.CONTAIN, by=by, **how) as t:
        for name, value in counts:
            if value is not None:
                _set_count(t.incident, name, value)
        t.incident.contained_at = t.now
        t.end_pause()
        t.stop_clock(ClockKind.CONTAIN, ClockKind.FIRST_UPDATE, ClockKind.UPDATE)
        t.start_clock(ClockKind.RESOLVE, t.targets.resolve)
    return t.incident


def _set_count(incident: Incident, name: str, value: object) -> None:
    errors: dict[str, str] = {}
    number = check_count(name, value, errors)
    if errors:
        raise ValidationError(errors, code="number")
    setattr(incident, name, number)


def flare_up(incident: Incident, *, by: User, **how: Any) -> Incident:
    with turn(incident, Act.FLARE_UP, by=by, **how) as t:
        t.incident.contained_at = None
        t.end_pause()
        t.stop_clock(ClockKind.RESOLVE, state=ClockState.CANCELLED)
        t.start_clock(ClockKind.CONTAIN, t.targets.contain)
        if t.incident.severity == Severity.CRITICAL and t.targets.update_every:
            t.start_clock(ClockKind.UPDATE, t.targets.update_every)
        stand_down.tell_watchers(t)
    return t.incident


# ---- Is it true, what is it ----


def verify(incident: Incident, *, by: User, verification: str, **how: Any) -> Incident:
    chosen(Verification, verification, "verification")
    with turn(incident, Act.VERIFY, by=by, **how) as t:
        t.incident.verification = verification
        time_verification(t)
    return t.incident


def propose(incident: Incident, *, by: User, classification: str, **how: Any) -> Incident:
    chosen(Classification, classification, "classification")
    with turn(incident, Act.PROPOSE, by=by, **how) as t:
        t.incident.proposed_classification = classification
    return t.incident


def classify(incident: Incident, *, by: User | None, classification: str, reason: str = "", **how: Any) -> Incident:
    """The NEC decides; a change of an earlier decision needs a reason. `by=None` is a rule, named in the reason."""
    chosen(Classification, classification, "classification")
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
            if name in COUNTS:
                _set_count(case, name, value)
            elif name == "place":
                _correct_place(case, str(value), t.now)
            elif name == "category":
                _correct_category(case, str(value))
                time_verification(t)
            else:
                setattr(case, name, value)
        _check_words(case.title, "title", 120)
        _check_words(case.place_note, "place_note", 200)
        errors: dict[str, str] = {}
        check_point(case.lat, case.lon, errors)
        if errors:
            raise ValidationError(errors, code="point")
        if case.occurred_at > t.now:
            raise ValidationError({"occurred_at": _("That is in the future.")}, code="future")
        if case.occurred_at.year < OLDEST_YEAR:
            raise ValidationError({"occurred_at": _("That is too long ago. Look at the year again.")}, code="past")
        if "occurred_at" in fields:
            _check_election(case)
        case.search_key = search_key(f"{case.title} {case.narrative}")
        case.clean_fields(exclude=["reference"])
    return t.incident


def _check_election(case: Incident) -> None:
    """A correction leads no case into an election under which it could not have been reported."""
    if instead := under_way_instead(case.election, case.occurred_at, case.reported_at, case.place_id):
        text = _("That was during %(code)s, «%(name)s». Withdraw this report and log it there.")
        raise ValidationError({"occurred_at": text % {"code": instead.code, "name": instead.name}}, code="choice")


def _correct_category(case: Incident, code: str) -> None:
    category = Category.objects.filter(code=code, retired_on=None).first()
    if category is None:
        raise ValidationError({"category": _("Choose a category from the list, or «not sure».")}, code="choice")
    if category.is_conflict_route and not case.is_sealed:
        text = _("Such a report is sealed from the unit concerned. Withdraw this one and log it anew.")
        raise ValidationError({"category": text}, code="choice")
    kind = replace(facts_of(case, None), severity="")
    other = replace(kind, nature=category.nature, group=category.group_code)
    if case.classification == Classification.UNDETERMINED and kind.needs_nec and not other.needs_nec:
        # Else two people of the ladder could end the case without the NEC ever hearing of it.
        text = _("This kind of case is for the NEC. Propose what it is instead; then the NEC decides.")
        raise ValidationError({"category": text}, code="choice")
    case.category = category


def _correct_place(case: Incident, code: str, now: dt.datetime) -> None:
    place = Jurisdiction.objects.current_on(timezone.localdate(now)).filter(pcode=code).first()
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
        attachment = evidence.store(checked, t.incident, by, t.now)
        t.extra_after = {"file": attachment.name, "sha256": attachment.sha256}
    return attachment


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
        t.tell_commands("relocate_station", [t.incident.owner])
    return t.incident


def record_person(incident: Incident, *, by: User, role: str, identity: dict[str, str], **how: Any) -> Incident:
    """Keep an identity encrypted; the journal says that one was recorded, never whose."""
    chosen(PersonRole, role, "role")
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
        case = Incident.objects.filter(pk=t.incident.pk)
        if person is None or person == by or not case.detailed_to(person).exists():
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
        t.extra_after = {"to": person.username, "hours": int(hours)}
    return t.incident


def open_identity(incident: Incident, *, by: User, **how: Any) -> list[dict[str, str]]:
    """The identities of a case, in clear, for who holds a grant; each opening is journaled first."""
    with turn(incident, Act.OPEN_IDENTITY, by=by, **how) as t:
        if not identities.may_open(by, t.incident, t.now):
            raise PermissionDenied(_("You have no grant for the identities of this case. Ask the NEC or the PSC."))
        people = [{"role": p.role, **identities.open(p.sealed)} for p in t.incident.persons.order_by("pk")]
    return people


# ---- What doors call ----

_ACTS: dict[Act, Callable[..., Any]] = {
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
    Act.SNOOZE: snooze,
    Act.WAKE: wake,
    Act.REFER: refer,
    Act.CONCLUDE_REFERRAL: conclude_referral,
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
    needed, known = _fields_of(function)
    if not needed <= data.keys() <= known:
        raise ValidationError({"act": _("This act has other fields.")}, code="fields")
    function(incident, by=by, version=version, now=now, channel=channel, **data)
    return _as_it_is_now(incident.pk)[0]


@prepared
def _as_it_is_now(pk: Any) -> QuerySet[Incident]:
    return Incident.objects.filter(pk=pk)


@functools.cache
def _fields_of(function: Callable[..., Any]) -> tuple[frozenset[str], frozenset[str]]:
    """The fields an act needs, and all it knows, beside what every act has."""
    own = [p for p in inspect.signature(function).parameters.values() if p.kind == p.KEYWORD_ONLY]
    own = [p for p in own if p.name not in ("by", "now")]
    return frozenset(p.name for p in own if p.default is p.empty), frozenset({"reason", "note"} | {p.name for p in own})


def allowed(incident: Incident, user: User) -> list[Act]:
    """Acts possible now for this person: which buttons to show."""
    return list(_allowed(lifecycle.possible(incident.state), incident, user))


def first_allowed(acts: Iterable[Act], incident: Incident, user: User) -> Act | None:
    """The first of `acts` that is in `allowed(incident, user)`; a list asks this of every case, so no further."""
    possible = (act for act in acts if lifecycle.is_possible(incident.state, act))
    return next(_allowed(possible, incident, user), None)


def _allowed(acts: Iterable[Act], incident: Incident, user: User) -> Iterator[Act]:
    if incident.election.is_locked:
        return
    facts = facts_of(incident, user)
    for act in acts:
        if act not in _ACTS or not _applies(act, incident) or not authority.may(act, user.current_postings, facts):
            continue
        # Asked last, because it is asked of the database.
        if act == Act.REFER and not may_refer(incident, user):
            continue
        if act == Act.CONCLUDE_REFERRAL and not concludable(incident, user):
            continue
        yield act


def _applies(act: Act, case: Incident) -> bool:
    match act:
        case Act.ACCEPT:
            return not case.is_accepted
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
            return not case.is_sealed and case.is_accepted and (case.owner.rung or 0) >= 2
        case Act.SNOOZE:
            return not case.request_act and not case.snoozed_until and pauses.may_pause(case)
        case Act.WAKE:
            return case.snoozed_until is not None
        case Act.WITHDRAW | Act.DISMISS:
            return not is_in_the_way(case, act)
        case Act.RESOLVE:
            # A critical one is asked for, and one request at a time can wait.
            return not is_in_the_way(case, act) or case.is_sealed or case.severity != Severity.CRITICAL
        case _:
            return True
