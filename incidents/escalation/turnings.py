"""What the election calendar does to running clocks: when they are timed anew, and by which targets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from elections import calendar
from elections.models import Election
from incidents.choices import ClockKind, Severity
from incidents.deadlines import Targets
from incidents.models import Incident
from incidents.policies import Rules, rules_for, targets_at


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


def next_shorter(cases: Sequence[Incident], now: dt.datetime, span: dt.timedelta) -> dt.datetime | None:
    """The first moment in `span` from `now` at which the calendar asks something of one of `cases` sooner than now."""
    used = Election.objects.with_windows().filter(pk__in={case.election_id for case in cases})
    elections = {election.pk: election for election in used}
    found: list[dt.datetime] = []
    for case in cases:
        election, place, severity = elections[case.election_id], case.place_id, case.severity
        try:
            rules = rules_for(case)
            targets = targets_at(rules, election, calendar.phase_at(election, now, place), severity, place, now)
            coming = [t for t in ahead(election, rules, severity, place, now) if t.at <= now + span]
        except ValidationError:
            # A policy with a gap: the audit names it.
            continue
        found += [turning.at for turning in coming if _is_shorter(turning.targets, targets)]
    return min(found, default=None)


def _is_shorter(later: Targets, now: Targets) -> bool:
    """Whether a clock that may run is asked for sooner."""
    both = [(later.of(kind), now.of(kind)) for kind in ClockKind]
    return any(minutes is not None and (before is None or minutes < before) for minutes, before in both)
