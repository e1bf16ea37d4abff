"""Drills: chosen, tried on paper, started, answered, cancelled; the only writer of `Drill` beside the engine's step.

A drill rehearses the way of an escalation and makes no case, so no number of any report knows of it. Each act is in the
journal with the posting it was done under.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from commands.authority import DRILL_WHOLE, DRILLS, judge_drill
from commands.choices import COMMANDING, BodyKind, Role
from commands.models import Posting, SecurityCommand, User
from incidents import entries
from incidents.choices import Act, Channel
from incidents.delivery.drills import KIND
from incidents.delivery.outbox import notices_for, post
from incidents.delivery.texts import day_and_time
from incidents.drill_checks import check, refuse_overlap, refuse_while_voting, wrong_times
from incidents.escalation.beginnings import heirs, holding
from incidents.escalation.rehearsal import is_vacant, paths_above, run, step, tell
from incidents.models import Drill, DrillCall, Entry, NoticeChannel
from incidents.routing import ANSWERING, people_at

#: Levels that are called. A post (rung 0) owns no case, so it stands in no chain.
CALLED = (BodyKind.DISTRICT, BodyKind.PROVINCE, BodyKind.PSC)
#: How an answer is heard that somebody else enters.
HEARD = (Channel.RADIO, Channel.PHONE, Channel.SMS)
#: See every drill whole; the auditor besides those who may hold one anywhere.
SEE_ALL = (*DRILL_WHOLE, Role.AUDITOR)


# ---- Who is in it ----


def choosable(user: User) -> QuerySet[SecurityCommand]:
    """Commands the person may hold a drill of, in the order of the tree."""
    found = SecurityCommand.objects.active().filter(kind__in=CALLED).select_related("jurisdiction")
    if user.has_role(*DRILL_WHOLE):
        return found.order_by("path")
    scope = Q(pk__in=[])
    for posting in user.current_postings:
        if posting.role in DRILLS:
            scope |= Q(path__startswith=posting.command.path)
    return found.filter(scope).order_by("path")


def called_for(chosen: Iterable[SecurityCommand]) -> list[SecurityCommand]:
    """Who a drill of `chosen` calls: these, every command under them, and those above up to the PSC."""
    scope = Q(pk__in=[])
    for command in chosen:
        scope |= Q(path__startswith=command.path) | Q(path__in=paths_above(command.path))
    return list(
        SecurityCommand.objects.active().filter(scope, kind__in=CALLED).select_related("jurisdiction").order_by("path")
    )


@dataclass(frozen=True)
class Level:
    """One rung of a drill that is not held yet."""

    rung: int
    commands: int
    people: int
    vacant: list[SecurityCommand]


@dataclass(frozen=True)
class Preview:
    """What a drill would do: its levels from the bottom, and when it would be over at the latest."""

    levels: list[Level]
    latest_end: dt.datetime

    @property
    def commands(self) -> int:
        return sum(level.commands for level in self.levels)

    @property
    def people(self) -> int:
        return sum(level.people for level in self.levels)

    @property
    def vacant(self) -> list[SecurityCommand]:
        return [command for level in self.levels for command in level.vacant]


def preview(codes: Iterable[str], *, minutes: int, starts_at: dt.datetime, by: User, now: dt.datetime) -> Preview:
    """Who would be called by a drill at `starts_at`, as posted and on duty then. Calls nobody and writes nothing.

    Raises ValidationError and PermissionDenied as `start` does.
    """
    commands = called_for(_chosen(codes, by))
    if wrong := wrong_times(minutes, starts_at, now):
        raise ValidationError(wrong)
    if not by.has_role(*DRILL_WHOLE):
        refuse_while_voting(commands, starts_at, minutes, now)
    people = people_at(commands, starts_at)
    levels = []
    for rung in (1, 2, 3):
        here = [c for c in commands if c.rung == rung]
        if here:
            told = {person.pk for c in here for person in people.get(c.pk, [])}
            levels.append(Level(rung, len(here), len(told), [c for c in here if not people.get(c.pk)]))
    return Preview(levels, starts_at + len(levels) * dt.timedelta(minutes=minutes))


# ---- Who sees and may do what ----


def visible_to(user: User) -> QuerySet[Drill]:
    """Drills the person may know of: all, or those that call a command of theirs, under it or above it."""
    drills = Drill.objects.select_related("made_by")
    if user.has_role(*SEE_ALL):
        return drills
    return drills.filter(pk__in=DrillCall.objects.filter(_within(user)).values("drill"))


def calls_of(drill: Drill, user: User) -> QuerySet[DrillCall]:
    """The calls of a drill the person may read: all, or those of their own command, under it and above it."""
    calls = drill.calls.select_related("command", "command__jurisdiction", "answered_by").order_by("command__path")
    return calls if user.has_role(*SEE_ALL) else calls.filter(_within(user) | _above(user))


def _within(user: User) -> Q:
    scope = Q(pk__in=[])
    for posting in user.current_postings:
        if posting.role in COMMANDING:
            scope |= Q(command__path__startswith=posting.command.path)
    return scope


def _above(user: User) -> Q:
    paths = {p for posting in user.current_postings for p in paths_above(posting.command.path)}
    return Q(command__path__in=paths) if user.has_role(*COMMANDING) else Q(pk__in=[])


def previous(drill: Drill, user: User) -> Drill | None:
    """The latest drill that was over before this one began and called one of its commands below the PSC."""
    commands = drill.calls.exclude(command__kind=BodyKind.PSC).values("command")
    before = visible_to(user).filter(ended_at__lte=drill.starts_at).exclude(pk=drill.pk)
    before = before.filter(calls__command__in=commands, calls__called_at__isnull=False)
    return before.order_by("-starts_at", "-pk").first()


def posting_at(user: User, call: DrillCall) -> Posting | None:
    """The posting under which the person answers for the command called, their own or one they act for."""
    return next((p for p in user.current_postings if p.command_id == call.command_id and p.role in ANSWERING), None)


def operator_for(user: User, call: DrillCall) -> Posting | None:
    """The posting under which the person may enter what somebody of it said: at it or above it, at the PSC or NEC."""
    for posting in user.current_postings:
        if posting.role in DRILL_WHOLE:
            return posting
        if posting.role in COMMANDING and call.command.path.startswith(posting.command.path):
            return posting
    return None


def may_cancel(drill: Drill, user: User) -> bool:
    """The PSC and the NEC, and of one that a province holds whoever could hold it now, also after its maker left."""
    return user.has_role(*DRILL_WHOLE) or (user.has_role(*DRILLS) and holding(drill, user.current_postings) is not None)


def people_of(call: DrillCall, now: dt.datetime) -> list[User]:
    """On whose behalf an answer may be entered: all who answer at the command, on duty or not, and who act for it."""
    posted = Posting.objects.current(now).filter(command=call.command_id, role__in=ANSWERING).select_related("user")
    acting = people_at([call.command_id], now).get(call.command_id, [])
    return sorted({p.pk: p for p in (*(x.user for x in posted), *acting)}.values(), key=lambda p: p.username)


# ---- Acts ----


def start(
    name: str,
    codes: Iterable[str],
    *,
    minutes: int,
    by: User,
    now: dt.datetime,
    starts_at: dt.datetime | None = None,
    channel: str = Channel.BROWSER,
) -> Drill:
    """Start a drill of the commands with these codes, now or at `starts_at`; the first are called before it returns.

    Raises ValidationError by field, and PermissionDenied for a command the person may not hold one of.
    """
    chosen = _chosen(codes, by)
    posting = judge_drill(by.current_postings, [c.path for c in chosen])
    begins = max(starts_at or now, now)
    check(name, minutes, starts_at, now)
    with transaction.atomic():
        called = called_for(chosen)
        if posting.role not in DRILL_WHOLE:
            refuse_while_voting(called, begins, minutes, now)
        # Two who start at once would not see each other's drill. `no_key`: what names a command is not held up.
        locked = SecurityCommand.objects.filter(pk__in=[c.pk for c in called]).order_by("pk")
        list(locked.select_for_update(no_key=True).values_list("pk"))
        refuse_overlap(called, begins, minutes, now)
        drill = Drill.objects.create(name=name.strip(), minutes=minutes, starts_at=begins, made_by=by, made_at=now)
        rungs = sorted({c.rung or 0 for c in called})
        DrillCall.objects.bulk_create(
            DrillCall(
                drill=drill,
                command=c,
                turn_at=begins + rungs.index(c.rung or 0) * dt.timedelta(minutes=minutes),
            )
            for c in called
        )
        after = {"commands": len(called), "chosen": sorted(c.code for c in chosen)[:40], "minutes": minutes}
        _record(drill, "started", by, posting, now, channel, {**after, "starts_at": begins.isoformat()})
    if begins <= now:
        run(drill.pk, now)
    return drill


def not_answerable(call: DrillCall, by: User) -> str:
    """Why the person cannot answer this call now, as a sentence; "" where they can. Reads what `answer` decides on."""
    try:
        if posting_at(by, call) is None:
            return _not_theirs(call)
        _refuse_over(call.drill)
        _refuse_answered(call)
    except ValidationError as refused:
        return " ".join(refused.messages)
    return ""


@transaction.atomic
def answer(call: DrillCall, *, by: User, now: dt.datetime, channel: str = Channel.BROWSER) -> DrillCall:
    """Answer for one's command; the next level is called at once where it waited for this alone.

    An answer after the time counts as late. Raises ValidationError, PermissionDenied.
    """
    posting = posting_at(by, call)
    if posting is None:
        raise PermissionDenied(_not_theirs(call))
    return _answered(call, by, by, posting, now, channel)


@transaction.atomic
def answer_for(call: DrillCall, person: User, *, by: User, now: dt.datetime, channel: str) -> DrillCall:
    """Enter what `person` of the command said by radio, telephone or SMS; both names are in the journal."""
    posting = operator_for(by, call)
    if posting is None:
        raise PermissionDenied(
            _("The answer of %(command)s is entered by itself, a command above it, the PSC or the NEC.")
            % {"command": call.command.name}
        )
    if channel not in HEARD:
        raise ValidationError({"channel": _("Say how the answer was heard.")})
    if person not in people_of(call, now):
        raise ValidationError(
            {"person": _("Nobody of this name answers at %(command)s now.") % {"command": call.command.name}}
        )
    return _answered(call, person, by, posting, now, channel)


@transaction.atomic
def cancel(drill: Drill, *, by: User, now: dt.datetime, channel: str = Channel.BROWSER) -> Drill:
    """Stop a drill that is planned or runs.

    Who was called and has not answered yet is told by every way; who made it and who could hold it, in the inbox.
    """
    if not may_cancel(drill, by):
        raise PermissionDenied(
            _(
                "A drill that a province planned is cancelled by this province, the PSC or the NEC, "
                "any other by the PSC or the NEC."
            )
        )
    drill = Drill.objects.select_for_update(of=("self",)).select_related("made_by").get(pk=drill.pk)
    _refuse_over(drill)
    whole = next((p for p in by.current_postings if p.role in DRILL_WHOLE), None)
    posting = whole or holding(drill, by.current_postings)
    assert posting is not None  # noqa: S101  who may cancel has one
    drill.ended_at = now
    drill.save(update_fields=["ended_at"])
    after = {"role": posting.role, "command": posting.command.code}
    entry = _record(drill, "cancelled", by, posting, now, channel, after)
    waiting = [c for c in drill.calls.filter(answered_at=None).exclude(called_at=None) if not is_vacant(c)]
    people = people_at([c.command_id for c in waiting], now)
    asked = {p.pk: p for c in waiting for p in people.get(c.command_id, []) if p.pk != by.pk}
    tell([(entry, asked.values())])
    _tell_inbox(entry, [p for p in heirs(drill, now) if p.pk != by.pk and p.pk not in asked])
    return drill


# ---- Inside ----


def _chosen(codes: Iterable[str], by: User) -> list[SecurityCommand]:
    """The commands with these codes, those under another of them left out. Raises ValidationError."""
    wanted = set(codes)
    found = list(SecurityCommand.objects.active().filter(code__in=wanted, kind__in=CALLED).order_by("path"))
    if not found or len(found) < len(wanted):
        raise ValidationError({"command": _("Choose at least one command from the list.")})
    judge_drill(by.current_postings, [c.path for c in found])
    return [c for c in found if not any(c.path.startswith(o.path) and c.pk != o.pk for o in found)]


def _refuse_over(drill: Drill) -> None:
    if drill.ended_at:
        raise ValidationError(_("This drill is over. Nothing more needs to be done."), code="over")


def _not_theirs(call: DrillCall) -> str:
    return _("Only people of %(command)s answer for it.") % {"command": call.command.name}


def _refuse_answered(call: DrillCall) -> None:
    if call.called_at is None:
        raise ValidationError(_("%(command)s was not called yet.") % {"command": call.command.name}, code="early")
    if call.answered_at:
        raise ValidationError(
            _("%(command)s has answered already, at %(time)s. Nothing more needs to be done.")
            % {"command": call.command.name, "time": day_and_time(call.answered_at)},
            code="answered",
        )


def _answered(call: DrillCall, person: User, by: User, posting: Posting, now: dt.datetime, channel: str) -> DrillCall:
    drill = Drill.objects.select_for_update(of=("self",)).select_related("made_by").get(pk=call.drill_id)
    call = drill.calls.select_related("command", "answered_by").get(pk=call.pk)
    _refuse_over(drill)
    _refuse_answered(call)
    # A vacant level that answers all the same is reachable now, and people=0 says that nobody was called.
    call.answered_at, call.answered_by, call.channel = now, person, channel
    call.save(update_fields=["answered_at", "answered_by", "channel"])
    after: dict[str, Any] = {"command": call.command.code, "call": call.pk}
    if person.pk != by.pk:
        after["on_behalf_of"] = person.username
    entry = _record(drill, "answered", by, posting, now, channel, after, call.command)
    if person.pk != by.pk:
        _tell_inbox(entry, [person])
    step(drill, now)
    return call


def _tell_inbox(entry: Entry, people: list[User]) -> None:
    """In the inbox alone: it may be read at any time, and nothing is to be done where it is true."""
    post([n for n in notices_for(entry, None, people, KIND) if n.channel == NoticeChannel.INBOX])


def _record(
    drill: Drill,
    what: str,
    by: User,
    posting: Posting,
    now: dt.datetime,
    channel: str,
    after: dict[str, Any],
    command: SecurityCommand | None = None,
) -> Entry:
    after = {"drill": drill.pk, "name": drill.name, **after}
    return entries.record(
        Act.DRILL, what, by=by, posting=posting, now=now, channel=channel, command=command, after=after
    )
