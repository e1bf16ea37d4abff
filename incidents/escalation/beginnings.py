"""Whether a drill may begin: who may hold it still, how many there are in an hour, and whether people vote meanwhile.

Asked when a drill is made and again in the moment it begins, which may be weeks later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from django.core.exceptions import PermissionDenied

from commands.authority import DRILL_WHOLE, DRILLS, judge_drill
from commands.models import Posting, SecurityCommand, User
from commands.models.people import read_postings
from elections import calendar
from elections.choices import IN_USE
from elections.models import Election
from incidents import policies
from incidents.models import Drill
from incidents.routing import holders

#: Drills in any hour of which a command is called: who is called all the time answers to nothing any more.
MOST_AN_HOUR = 5
HOUR = dt.timedelta(hours=1)
#: The rules of the silence day begin on the day before a polling day, and that may begin at midnight.
BEFORE_POLLING = dt.timedelta(days=2)


# ---- Whose it is ----


def lowest(paths: Iterable[str]) -> list[str]:
    """Those of `paths` with no other under them: whoever may hold a drill of these may hold the whole of it."""
    known = set(paths)
    return [path for path in sorted(known) if not any(p.startswith(path) and p != path for p in known)]


def holding(drill: Drill, postings: Sequence[Posting]) -> Posting | None:
    """The posting of these under which somebody could hold this drill now; None without one.

    One that the PSC or the NEC began is theirs alone: a province does not call off what rehearses it.
    """
    if is_from_above(drill):
        return next((p for p in postings if p.role in DRILL_WHOLE), None)
    return _judged(postings, _paths(drill))


def _paths(drill: Drill) -> list[str]:
    return lowest(drill.calls.values_list("command__path", flat=True))


def _judged(postings: Sequence[Posting], paths: Sequence[str]) -> Posting | None:
    try:
        return judge_drill(postings, paths)
    except PermissionDenied:
        return None


def is_from_above(drill: Drill) -> bool:
    """Whether who made it stood at the PSC or the NEC then."""
    then = Posting.objects.current(drill.made_at).filter(user=drill.made_by_id, role__in=DRILL_WHOLE)
    return then.exists()


def heirs(drill: Drill, now: dt.datetime) -> list[User]:
    """Who is told of a drill that does not begin: who made it, and who could hold it; where nobody is, PSC and NEC."""
    able: list[User] = []
    if not is_from_above(drill):
        provinces, paths = holders([r for r in DRILLS if r not in DRILL_WHOLE], now), _paths(drill)
        read_postings(provinces, now)
        able = [p for p in provinces if p.is_active and _judged(p.current_postings, paths)]
    told = [drill.made_by, *(able or holders(DRILL_WHOLE, now))]
    return list({p.pk: p for p in told if p.is_active}.values())


# ---- When it may be ----


def latest_end(drill: Drill) -> dt.datetime:
    """When a drill is over if nobody answers: its minutes once for each of at most three levels."""
    kinds = drill.calls.values_list("command__kind", flat=True).distinct().order_by()
    return drill.starts_at + len(set(kinds)) * dt.timedelta(minutes=drill.minutes)


def is_crowded(begin: Iterable[dt.datetime], begins: dt.datetime) -> bool:
    """Whether with one more at `begins` more than MOST_AN_HOUR of these drills would begin within an hour."""
    near = sorted([*(at for at in begin if abs(at - begins) < HOUR), begins])
    return any(last - first < HOUR for first, last in zip(near, near[MOST_AN_HOUR:], strict=False))


class Vote(NamedTuple):
    """When people vote and votes are counted at a place, from the evening of the silence day."""

    place: str
    start: dt.datetime
    end: dt.datetime


def vote_within(
    commands: Collection[SecurityCommand], begins: dt.datetime, end: dt.datetime, now: dt.datetime
) -> Vote | None:
    """The first vote from `begins` to `end` at the place of one of these commands, or at a place in it.

    The PSC is left out, which is called in every drill. The rules are those in force at `now`. Four queries at most
    where no vote is near.
    """
    called = {c.jurisdiction_id: c.jurisdiction.name for c in commands if c.rung != 3}
    near = Election.objects.filter(phase_windows__phase__in=IN_USE, phase_windows__ends_at__gt=begins)
    near = near.filter(phase_windows__phase__in=IN_USE, phase_windows__starts_at__lt=end + BEFORE_POLLING)
    found = []
    for election in Election.objects.with_windows().filter(pk__in=near.values("pk")):
        hour = policies.rules_of(policies.policy_for(election, now)).tight_from_hour
        local = {w.jurisdiction_id for w in election.windows if w.jurisdiction_id}
        for code, name in called.items():
            for place in {code, *(p for p in local if p.startswith(code))}:
                spans = calendar.tight_spans(election, hour, place) + calendar.spans_in_use(election, place)
                found += [Vote(name, start, until) for start, until in spans if start < end and begins < until]
    return min(found, key=lambda vote: (vote.start, vote.place), default=None)
