"""Pauses: the deadlines of a low or medium case stand still for a time, asked for by one person, approved by another.

Source: domain 3.2 (pause only for low and medium, with reason and approver, the time shown); limits and why a sealed
case is never paused: docs/decisions/0014-pauses-and-referrals.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.authority import may
from commands.models import Posting, SecurityCommand, User
from elections import calendar
from incidents.choices import Act, Channel, ClockKind, Severity
from incidents.countersigning import ask
from incidents.delivery.messages import moment
from incidents.escalation.phases import SOON
from incidents.escalation.state import look_by
from incidents.models import Incident
from incidents.policies import rules_for
from incidents.routing import nec, people_at
from incidents.timekeeping import pause_clocks
from incidents.turn import Turn, chain_above, clear_request, facts_of, locked, refused, turn

#: A pause ends at most so long after it was asked for.
LONGEST = dt.timedelta(hours=72)
#: While the rules of the silence day hold or election sites are in use: the polls are open for eight hours.
LONGEST_TIGHT = dt.timedelta(hours=2)
#: A shorter one is over before the second person has read of it.
SHORTEST = dt.timedelta(minutes=30)
#: Pauses one case may have in its life.
MOST = 2
PAUSABLE = (Severity.LOW, Severity.MEDIUM)


def snooze(incident: Incident, *, by: User, until: dt.datetime, **how: Any) -> Incident:
    """Ask that the deadlines of a case stand still until a moment; they run on until a second person agrees."""
    with turn(incident, Act.SNOOZE, by=by, **how) as t:
        _check_case(t.incident, t.now)
        _check_moment(t.incident, until, t.now)
        if _is_over(t.incident, t.now):
            clear_request(t.incident)
        decides = decided_by(t.incident, by, t.now)
        t.extra_after = {"until": until.isoformat()}
        owner = t.incident.owner
        told = [owner] if decides.command == owner else [owner, decides.command]
        ask(t, {"until": until.isoformat(), "decided_by": decides.how}, told)
        look_by(until)
    return t.incident


@dataclass(frozen=True)
class Decider:
    """Who decides a pause: `how` is "above", "nec" or "same", as `Facts.pause_decided_by`; at which command."""

    how: str
    command: SecurityCommand


def decided_by(case: Incident, asked_by: User, now: dt.datetime) -> Decider:
    """The nearest command above the owner where somebody else than who asks may decide, the NEC above the highest one.

    Two people of the owner itself where nobody is: a district at night must be able to ask. Who only acts for a command
    does not count: whoever asks could have chosen them.
    """
    above = chain_above(case)
    for command in above:
        if _decides_there(command, "above", case, asked_by, now):
            return Decider("above", command)
    secretariat = None if above else nec()
    if secretariat and _decides_there(secretariat, "nec", case, asked_by, now):
        return Decider("nec", secretariat)
    return Decider("same", case.owner)


def _decides_there(command: SecurityCommand, how: str, case: Incident, asked_by: User, now: dt.datetime) -> bool:
    """Whether somebody else than who asks is there who may decide: the police of a province may not for its ladder."""
    people = [p.pk for p in people_at([command], now)[command.pk] if p.pk != asked_by.pk]
    own = Posting.objects.current(now).filter(command=command, user__in=people, user__is_active=True)
    asked = replace(facts_of(case, None), is_requester=False, request_act=Act.SNOOZE, pause_decided_by=how)
    return any(may(Act.COUNTERSIGN, [posting], asked) for posting in own.select_related("command__jurisdiction"))


def begin(t: Turn) -> None:
    """The second person agrees: the pause that waits begins now. Refused where the case has changed meanwhile."""
    case = t.incident
    until = parse_datetime(case.request_data["until"])
    assert until is not None  # noqa: S101 - written by `snooze`
    _check_case(case, t.now)
    if until <= t.now:
        raise refused(_("The time of this pause is over already. Decline the request."))
    if until > latest_end(case, t.now).at:
        # The calendar, the place or the policy of the case is another than when it was asked for.
        text = _("This pause would end too late now. Decline the request and ask anew.")
        raise refused(f"{text} {latest_in_words(case, t.now)}")
    pause_clocks(case, t.now, until)
    t.extra_after = {"until": until.isoformat()}
    if t.posting and t.posting.command_id == case.owner_id:
        t.extra_after["same_command"] = True
    t.tell("snooze", [p for p in (case.request_by,) if p])


def let_go(until: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Void every request for a pause whose own end has come at `until`; when the next one comes, if any waits.

    Nobody decided it, and nobody can agree to it any more. The deadlines ran all along. One that somebody acts on at
    this moment is left for the next look.
    """
    # Not empty: said apart for the index of what waits.
    waiting = Incident.objects.exclude(request_act="").filter(request_act=Act.SNOOZE, election__is_locked=False)
    left = []
    for case in waiting.order_by().only("request_act", "request_data"):
        end = _asked_until(case)
        if end is not None and (end > until or not _let_go(case, until, now)):
            left.append(max(end, until + SOON))
    return min(left, default=None)


@transaction.atomic
def _let_go(found: Incident, until: dt.datetime, now: dt.datetime) -> bool:
    """False where somebody else holds the case."""
    skip = connection.features.has_select_for_update_skip_locked
    free = Incident.objects.select_for_update(of=("self",), skip_locked=skip).filter(pk=found.pk)
    if not list(free.values_list("pk")):
        return False
    case = locked(found.pk, None)
    if not _is_over(case, until):
        return True
    t = Turn(incident=case, act=Act.DECLINE, by=None, posting=None, now=now, channel=Channel.ENGINE)
    t.extra_after = {"lapsed": True}
    clear_request(case)
    t.finish()
    return True


def _is_over(case: Incident, now: dt.datetime) -> bool:
    """Whether a pause waits on the case that would have ended by now."""
    until = _asked_until(case)
    return until is not None and until <= now


def _asked_until(case: Incident) -> dt.datetime | None:
    """When the pause would end that waits on the case; None where none does."""
    return parse_datetime(case.request_data.get("until", "")) if case.request_act == Act.SNOOZE else None


def wake(incident: Incident, *, by: User, **how: Any) -> Incident:
    """End a pause before its time."""
    with turn(incident, Act.WAKE, by=by, **how) as t:
        if not t.end_pause():
            raise refused(_("The deadlines of this case are not paused."))
        t.tell_commands("resume", [t.incident.owner])
    return t.incident


def may_pause(case: Incident) -> bool:
    """Whether its row lets a case be paused; how often it was is asked when it is done."""
    return case.severity in PAUSABLE and case.is_accepted and not case.is_sealed


def used(incident: Incident) -> int:
    """How many pauses the case had, running one included."""
    return incident.clocks.filter(kind=ClockKind.SNOOZE).count()


def _check_case(case: Incident, now: dt.datetime) -> None:
    if case.is_sealed:
        raise refused(_("A sealed case is never paused: its deadlines protect whoever reported."))
    if case.severity not in PAUSABLE:
        raise refused(_("Only low and medium cases may be paused. This one is %(severity)s.") % {
            "severity": str(Severity(case.severity).label).lower()
        })  # fmt: skip
    if case.snoozed_until:
        raise refused(_("The deadlines of this case are paused already."))
    if not case.is_accepted:
        raise refused(_("Accept the case first. What nobody has taken over cannot be paused."))
    if case.next_due_at and case.next_due_at <= now:
        # Paused, it would be among the late ones no longer, and nobody would be told any more.
        raise refused(_("This case is late already, and a pause does not hide that. Do first what it waits for."))
    if used(case) >= MOST:
        text = ngettext(
            "This case was paused %(number)d time, and may not be paused again.",
            "This case was paused %(number)d times, and may not be paused again.",
            MOST,
        )
        raise refused(text % {"number": MOST})


@dataclass(frozen=True)
class Latest:
    """The last moment at which a pause asked for now may end, and in words why not later."""

    at: dt.datetime
    why: str


def latest_end(case: Incident, now: dt.datetime) -> Latest:
    """No pause reaches into the silence-day rules, the vote or the count at the place of the case from before them.

    What stood still then would not be heard of while something can be done. While they hold it lasts LONGEST_TIGHT.
    """
    election, place = case.election, case.place_id
    spans = calendar.tight_spans(election, rules_for(case).tight_from_hour, place)
    spans += calendar.spans_in_use(election, place)
    if any(start <= now < end for start, end in spans):
        longest = LONGEST_TIGHT
        text = _("From the day before the vote to the end of the count a pause lasts at most %(hours)d hours.")
    else:
        longest, text = LONGEST, _("A pause lasts at most %(hours)d hours.")
    begins = min((start for start, _end in spans if start > now), default=None)
    if begins is not None and begins < now + longest:
        return Latest(begins, _("The shorter deadlines of the vote begin then."))
    return Latest(now + longest, text % {"hours": int(longest.total_seconds() // 3600)})


def latest_in_words(case: Incident, now: dt.datetime) -> str:
    """When a pause asked for now ends at the latest, and why; or that none fits before the vote."""
    latest = latest_end(case, now)
    values = {"time": moment(latest.at, now), "minutes": int(SHORTEST.total_seconds() // 60)}
    if latest.at < now + SHORTEST:
        return _("No pause of %(minutes)d minutes fits before %(time)s. Ask again after that.") % values
    return f"{_('The latest end is %(time)s.') % values} {latest.why}"


def _check_moment(case: Incident, until: dt.datetime, now: dt.datetime) -> None:
    latest = latest_end(case, now)
    if now + SHORTEST > latest.at:
        text = latest_in_words(case, now)
    elif until < now + SHORTEST:
        minutes = int(SHORTEST.total_seconds() // 60)
        text = _("Choose a later moment: a pause lasts at least %(minutes)d minutes.") % {"minutes": minutes}
    elif until > latest.at:
        text = f"{_('Choose an earlier moment.')} {latest_in_words(case, now)}"
    else:
        return
    raise ValidationError({"until": text}, code="time")
