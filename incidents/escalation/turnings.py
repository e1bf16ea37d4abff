"""What the election calendar does to running clocks: when they are timed anew, and by which targets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from elections import calendar
from elections.models import Election, PhaseWindow
from incidents.choices import Severity
from incidents.deadlines import Targets
from incidents.policies import Rules, policy_for, rules_of, targets_at


@dataclass(frozen=True)
class Turning:
    """A moment from which clocks go by these targets, because a phase or the tight time of the silence day begins."""

    at: dt.datetime
    targets: Targets


def ahead(election: Election, rules: Rules, severity: str, place: str, after: dt.datetime) -> list[Turning]:
    """Every turning of a case after a moment, soonest first."""
    moments = {at for at, _phase in calendar.changes(election, place)}
    if severity == Severity.MEDIUM:
        moments |= {start for start, _end in calendar.tight_spans(election, rules.tight_from_hour, place)}
    return [
        Turning(at, targets_at(rules, election, calendar.phase_at(election, at, place), severity, place, at))
        for at in sorted(moments)
        if at > after
    ]


def entered_since(
    changes: Sequence[calendar.Change], phase: str, reported_at: dt.datetime, until: dt.datetime
) -> list[calendar.Change]:
    """The phases a case has entered since it was timed by `phase`, in order, up to `until`."""
    past = [change for change in changes if change[0] <= until]
    last = max((n for n, change in enumerate(past) if change[1] == phase), default=-1)
    return [change for change in past[last + 1 :] if change[0] > reported_at]


def local_places(election: Election) -> list[str]:
    """Places with a calendar of their own, the smallest first."""
    return sorted({w.jurisdiction_id for w in election.windows if w.jurisdiction_id}, key=len, reverse=True)


def moments(election: Election, hours: set[int]) -> Iterator[dt.datetime]:
    """Every moment at which something turns anywhere in the election, tight times beginning at these local hours."""
    yield from (t for w in election.windows for t in (w.starts_at, w.ends_at))
    for hour in hours:
        for place in ("", *local_places(election)):
            yield from (start for start, _end in calendar.tight_spans(election, hour, place))


def next_within(now: dt.datetime, span: dt.timedelta) -> dt.datetime | None:
    """The first moment in `span` from `now` at which deadlines of running cases may turn, by the policies in force.

    Raises ValidationError where no policy was ever published.
    """
    until = now + span
    # The tight time begins on the day before a polling window does.
    near = PhaseWindow.objects.filter(starts_at__lte=until + dt.timedelta(days=2), ends_at__gt=now)
    found: list[dt.datetime] = []
    for election in Election.objects.filter(is_locked=False, pk__in=near.values("election")):
        hour = rules_of(policy_for(election, now)).tight_from_hour
        found += [at for at in moments(election, {hour}) if now < at <= until]
    return min(found, default=None)
