"""How a report comes in: checked, routed, given its reference and clocks, journaled, told; and its preview."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet, TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from commands.choices import Role
from commands.models import Posting, SecurityCommand, User
from elections import calendar
from elections.choices import Level
from elections.khmer import search_key
from elections.models import Election, Jurisdiction
from elections.prepared import prepared
from incidents.choices import (
    Act,
    ActorType,
    Channel,
    ClockKind,
    Means,
    PointPrecision,
    Severity,
    State,
    TargetType,
    TimePrecision,
)
from incidents.deadlines import Targets, is_rumour, opening_clocks
from incidents.escalation.plan import PlannedStep, planned_for
from incidents.escalation.turnings import ahead
from incidents.limits import (
    COUNTS,
    NARRATIVE_MAX,
    NARRATIVE_MIN,
    OLDEST_YEAR,
    check_count,
    check_point,
    clean_words,
)
from incidents.models import (
    Category,
    Clock,
    ConflictSubject,
    Custody,
    Incident,
    Policy,
)
from incidents.policies import Rules, policy_for, rules_of, targets_at
from incidents.routing import (
    above,
    desk_chain,
    first_owner,
    first_staffed,
    ladder_of,
    people_at,
    told_at_once,
    vacant_among,
)
from incidents.turn import Turn, new_clock, refused
from incidents.vacancies import keep_left_out

#: Roles that log cases.
REPORTERS = (
    Role.OFFICER,
    Role.DUTY_COMMANDER,
    Role.PROVINCIAL_COMMAND,
    Role.PSC_WATCH,
    Role.NEC_SECRETARIAT,
    Role.INTEGRITY,
    Role.LIAISON,
)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a form, the API or an import hands in. Places are P-codes, points degrees WGS 84, times aware."""

    category: str
    occurred_at: dt.datetime
    place: str
    narrative: str
    id: UUID | None = None
    severity: str = ""
    time_precision: str = "minutes"
    lat: float | None = None
    lon: float | None = None
    point_precision: str = "area"
    title: str = ""
    place_note: str = ""
    actor_type: str = "unknown"
    target_type: str = ""
    means: str = ""
    is_gender_based: bool = False
    killed: int = 0
    injured: int = 0
    stations_affected: int = 0
    minutes_stopped: int = 0
    voters_affected: int = 0
    #: Codes of the units the report is about; any makes it sealed.
    concerned: tuple[str, ...] = ()
    concerned_civil: bool = False
    election: str = ""
    #: The person confirmed a time before the election's first phase.
    confirmed_early: bool = False


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would happen to a report sent now."""

    owner: SecurityCommand
    phase: str
    severity: str
    targets: Targets
    deadlines: dict[str, dt.datetime]
    steps: list[PlannedStep]
    told: list[SecurityCommand]
    is_sealed: bool
    policy: Policy
    #: Whether the tighter rules of the silence day hold now.
    is_tight: bool
    #: Commands with nobody there, whose report it would have been; never said of a sealed one.
    left_out: list[SecurityCommand]


@dataclass(frozen=True, kw_only=True)
class _Routed:
    data: Report
    election: Election
    phase: str
    category: Category
    severity: str
    place: Jurisdiction
    subjects: list[SecurityCommand]
    owner: SecurityCommand
    told: list[SecurityCommand]
    #: Commands with nobody there, whose report it would have been; nearest first.
    left_out: list[SecurityCommand]
    #: Who is at the commands it may go to, by key; and keys of those where nobody counts.
    people: dict[int, list[User]]
    vacant: set[int]
    policy: Policy
    rules: Rules
    targets: Targets


_CHOICES: dict[str, type[TextChoices]] = {
    "time_precision": TimePrecision,
    "point_precision": PointPrecision,
    "actor_type": ActorType,
    "target_type": TargetType,
    "means": Means,
}


def _route(data: Report, now: dt.datetime, *, partial: bool = False) -> _Routed:
    """Every check of a report, and where it goes. Raises ValidationError with a sentence for each field."""
    errors: dict[str, str] = {}
    category = category_in_use(data.category)
    if category is None:
        errors["category"] = _("Choose a category from the list, or «not sure».")
    place = _place_on.first(data.place, timezone.localdate(now))
    if place is None or place.level in (Level.COUNTRY, Level.PROVINCE):
        errors["place"] = _("Choose a commune or sangkat.")
    election = calendar.election_of(data.election) if data.election else calendar.election_at(now)
    if election is None:
        errors["election"] = _("Choose an election from the list.")
    elif data.election:
        # Else whoever names another gets its slow deadlines on polling day, and stays out of this one's numbers.
        check_election(election, data.occurred_at, now, data.place, errors)
    if data.severity and data.severity not in Severity.values:
        errors["severity"] = _("Choose how serious it is.")
    if not partial:
        _check_words(data, errors)
    _check_when(data, election, now, errors)
    check_point(data.lat, data.lon, errors)
    for name in _CHOICES:
        value = getattr(data, name)
        if value and value not in _CHOICES[name].values:
            errors[name] = _("Choose one from the list.")
    subjects = list(SecurityCommand.objects.active().filter(code__in=data.concerned)) if data.concerned else []
    if len(subjects) != len(set(data.concerned)):
        errors["concerned"] = _("Choose the unit concerned from the list.")
    if errors or category is None or place is None or election is None:
        raise ValidationError(errors)
    if election.is_locked:
        raise refused(_("The record of this election is closed. It can be read and not changed."), "locked")
    if category.is_conflict_route and not subjects:
        # The lowest command that answers for the place: never nobody, or a report about a unit would reach that unit.
        subjects = ladder_of(place.pcode)[:1]
    phase = calendar.phase_at(election, now, place.pcode)
    usual = category.usual_severity(phase)
    if data.severity and (data.severity == Severity.UNRATED) != (usual == Severity.UNRATED):
        raise ValidationError({"severity": _unlike_the_usual(usual)})
    severity = data.severity or usual
    policy = policy_for(election, now)
    rules = rules_of(policy)
    if subjects:
        chain = desk_chain(subjects)
        if not chain:
            raise ValidationError(_("No integrity desk covers this. Ask your administrator."), code="setup")
        people = people_at(chain, now)
        vacant = vacant_among(chain, now, subjects, people)
        owner, left_out = first_staffed(chain[0], chain[1:], vacant)
        told = [d for d in chain[1:] if d.path.startswith("NEC.") and d.pk != owner.pk]
    else:
        ladder = ladder_of(place.pcode)
        first = first_owner(place.pcode, severity, ladder)
        chain = [first, *(c for c in ladder if first.rung is not None and (c.rung or 0) > first.rung)]
        people = people_at(chain, now)
        vacant = vacant_among(chain, now, known=people)
        owner, left_out = first_staffed(first, chain[1:], vacant)
        is_tight = calendar.is_tight(election, now, rules.tight_from_hour, place.pcode)
        told = told_at_once(owner, ladder, severity, is_tight=is_tight)
    return _Routed(
        data=data,
        election=election,
        phase=phase,
        category=category,
        severity=severity,
        place=place,
        subjects=subjects,
        owner=owner,
        told=told,
        left_out=left_out,
        people=people,
        vacant=vacant,
        policy=policy,
        rules=rules,
        targets=targets_at(rules, election, phase, severity, place.pcode, now),
    )


def category_in_use(code: str) -> Category | None:
    """The category of `code`, unless it is retired."""
    return _in_use.first(code)


@prepared
def _in_use(code: Any) -> QuerySet[Category]:
    return Category.objects.filter(code=code, retired_on=None)


@prepared
def _place_on(code: Any, day: Any) -> QuerySet[Jurisdiction]:
    return Jurisdiction.objects.current_on(day).filter(pcode=code)


def _unlike_the_usual(usual: Severity) -> str:
    """Alleged incitement alone waits for its worksheet, and it does so always (domain 8.2)."""
    if usual == Severity.UNRATED:
        return _("Such a report is rated after its worksheet is done. Leave the severity out.")
    return _("Choose how serious it is.")


def _check_words(data: Report, errors: dict[str, str]) -> None:
    clean_words(data.title, "title", errors, 120)
    clean_words(data.place_note, "place_note", errors, 200)
    clean_words(data.narrative, "narrative", errors, NARRATIVE_MAX)
    # Khmer is typed with zero-width spaces, which say nothing.
    seen = "".join(c for c in data.narrative if unicodedata.category(c) != "Cf").strip()
    if "narrative" not in errors and len(seen) < NARRATIVE_MIN:
        errors["narrative"] = _("Say what happened in at least %(count)s characters.") % {"count": NARRATIVE_MIN}
    for name in COUNTS:
        check_count(name, getattr(data, name), errors)


def _check_when(data: Report, election: Election | None, now: dt.datetime, errors: dict[str, str]) -> None:
    if data.occurred_at > now + dt.timedelta(minutes=1):
        local = timezone.localtime(now)
        errors["occurred_at"] = _("That is in the future. Now it is %(now)s.") % {"now": f"{local:%d/%m/%Y %H:%M}"}
        return
    if data.occurred_at.year < OLDEST_YEAR:
        errors["occurred_at"] = _("That is too long ago. Look at the year again.")
        return
    first = calendar.first_moment(election) if election else None
    if first and data.occurred_at < first and not data.confirmed_early:
        errors["occurred_at"] = _("That is before this election began. Check the date, or confirm that it is right.")


def check_election(
    election: Election, occurred_at: dt.datetime, reported_at: dt.datetime, place: str, errors: dict[str, str]
) -> None:
    """A report is of the election that was under way, unless it was before that, or in the time of the one named."""
    if instead := calendar.under_way_instead(election, occurred_at, reported_at, place):
        text = _("This happened during %(code)s, «%(name)s», which is under way. Name that election, or none.")
        errors["election"] = text % {"code": instead.code, "name": instead.name}


def preview(data: Report, *, by: User, now: dt.datetime) -> Preview:
    """Who would own the report, by when, who is told, what follows if nobody acts. Writes nothing."""
    posting = _posting_of(by, data.place)
    routed = _route(data, now, partial=True)
    clocks = _clocks_of(routed, posting, Channel.BROWSER)
    chain = above(routed.owner, routed.place.pcode, routed.subjects or None)
    return Preview(
        owner=routed.owner,
        phase=routed.phase,
        severity=routed.severity,
        targets=routed.targets,
        deadlines={kind.value: now + dt.timedelta(minutes=minutes) for kind, minutes in clocks.items()},
        steps=planned_for(
            routed.owner,
            chain,
            clocks,
            routed.rules,
            now,
            routed.vacant,
            ahead(routed.election, routed.rules, routed.severity, routed.place.pcode, now),
        ),
        told=routed.told,
        is_sealed=bool(routed.subjects),
        policy=routed.policy,
        is_tight=calendar.is_tight(routed.election, now, routed.rules.tight_from_hour, routed.place.pcode),
        left_out=[] if routed.subjects else routed.left_out,
    )


#: Police log what happened inside their command's jurisdiction; the others anywhere.
_LOCAL = (Role.OFFICER, Role.DUTY_COMMANDER, Role.PROVINCIAL_COMMAND)


def _posting_of(by: User, place: str) -> Posting:
    postings = [p for p in by.current_postings if p.role in REPORTERS]
    if not postings:
        raise PermissionDenied(_("Your posting does not log cases."))
    for posting in postings:
        if posting.role not in _LOCAL or place.startswith(posting.command.jurisdiction_id):
            return posting
    raise ValidationError({"place": _("That is outside your command. Choose a place inside it.")}, code="reach")


def report(data: Report, *, by: User, now: dt.datetime, channel: str = Channel.BROWSER) -> Incident:
    """Log a case. The same id from the same person gives the case it made before, so a repeat is harmless.

    Raises PermissionDenied; ValidationError by field, or code "taken" where somebody else used the id.
    """
    posting = _posting_of(by, data.place)
    key = data.id or uuid7()
    if earlier := _sent_before(key, by):
        return earlier
    try:
        with transaction.atomic():
            return _create(key, _route(data, now), by, posting, channel, now)
    except IntegrityError:
        # The same id came twice at once and the other one won.
        if earlier := _sent_before(key, by):
            return earlier
        raise


def is_known(key: UUID) -> bool:
    """Whether a case has this id; says nothing of who may see it."""
    return _by_key.first(key) is not None


def said_before(narrative: str, *, by: User, since: dt.datetime) -> bool:
    """Whether `by` reported in these very words since then; says nothing of whether they still see the case."""
    return _of_words.first(by.pk, since, narrative) is not None


@prepared
def _of_words(reporter: Any, since: Any, narrative: Any) -> QuerySet[Incident]:
    found = Incident.objects.filter(reporter=reporter, reported_at__gte=since, narrative=narrative)
    return found.order_by("-reported_at")[:1]


@prepared
def _by_key(key: Any) -> QuerySet[Incident]:
    return Incident.objects.filter(pk=key)


def _sent_before(key: UUID, by: User) -> Incident | None:
    earlier = _by_key.first(key)
    if earlier is not None and earlier.reporter_id != by.pk:
        raise refused(_("This report number is taken. Open a new form."), "taken")
    return earlier


def _clocks_of(routed: _Routed, posting: Posting, channel: str) -> dict[ClockKind, int]:
    rumour = is_rumour(routed.category.pk, channel, is_liaison=posting.role == Role.LIAISON)
    return opening_clocks(routed.severity, routed.targets, is_rumour=rumour)


def _create(key: UUID, routed: _Routed, by: User, posting: Posting, channel: str, now: dt.datetime) -> Incident:
    data, owner = routed.data, routed.owner
    clocks = [
        new_clock(key, kind, minutes, routed.rules, now)
        for kind, minutes in _clocks_of(routed, posting, channel).items()
    ]
    first = min(clocks, key=lambda clock: clock.deadline_at)
    incident = Incident(
        id=key,
        reference=_reference(routed),
        election=routed.election,
        phase=routed.phase,
        category=routed.category,
        policy=routed.policy,
        clock_phase=routed.phase,
        state=State.REPORTED,
        severity=routed.severity,
        initial_severity=routed.severity,
        owner=owner,
        rung=owner.rung or 0,
        highest_rung=owner.rung or 0,
        occurred_at=data.occurred_at,
        reported_at=now,
        reporter=by,
        reporting_command=posting.command,
        channel=channel,
        place=routed.place,
        lat=data.lat,
        lon=data.lon,
        title=data.title.strip(),
        narrative=data.narrative,
        place_note=data.place_note.strip(),
        search_key=search_key(f"{data.title} {data.narrative}"),
        is_gender_based=data.is_gender_based,
        is_sealed=bool(routed.subjects),
        version=1,
        updated_at=now,
        next_due_at=first.deadline_at,
        next_due_kind=first.kind,
        **{name: getattr(data, name) for name in (*COUNTS, *_CHOICES)},
    )
    incident.save(force_insert=True)
    going = Turn(incident=incident, act=Act.REPORT, by=by, posting=posting, now=now, channel=channel)
    ConflictSubject.objects.bulk_create(
        ConflictSubject(incident=incident, command=s, is_civil_authority=data.concerned_civil) for s in routed.subjects
    )
    Custody.objects.create(incident=incident, command=owner, reason=Act.REPORT, due_at=now, at=now)
    Clock.objects.bulk_create(clocks)
    going.extra_after = {
        "state": State.REPORTED,
        "severity": routed.severity,
        "category": routed.category.pk,
        "owner": owner.pk,
    }
    going.tell_commands("skip" if routed.left_out else "report", [owner], routed.people)
    going.tell_commands("informed", routed.told, routed.people)
    going.finish_new()
    if routed.left_out:
        keep_left_out(incident, routed.left_out, now)
    return incident


def _reference(routed: _Routed) -> str:
    """The next number of the election and province; sealed cases count apart, so a gap reveals nothing."""
    province = "X" if routed.subjects else routed.place.pcode[2:4]
    # One statement makes or locks the row, counts and answers: on a busy morning everybody of a province waits here.
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_NUMBER, [routed.election.pk, province])
        number: int = cursor.fetchone()[0]
    return f"{routed.election.code}-{province}-{number:06d}"


_NEXT_NUMBER = """
INSERT INTO incidents_referencecounter (election_id, province, last) VALUES (%s, %s, 1)
ON CONFLICT (election_id, province) DO UPDATE SET last = incidents_referencecounter.last + 1
RETURNING last
"""
