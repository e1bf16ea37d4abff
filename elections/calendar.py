"""Which phase a moment falls in: one function for forms, engine, dashboards and reports."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from elections.choices import IN_USE, Phase
from elections.models import Election, PhaseWindow
from elections.prepared import prepared


def election_at(now: dt.datetime) -> Election | None:
    """What `Election.objects.default_for(now)` answers, for the doors that ask it all day; its windows come along."""
    today = timezone.localdate(now)
    return _whole(_covering(now)) or _coming.first(today) or _past.first(today)


def election_of(code: str) -> Election | None:
    """The election of `code`; its windows come along."""
    return _whole(_windows_of(code)) or _of_code.first(code)


def _whole(windows: list[PhaseWindow]) -> Election | None:
    """The election that these are all windows of, from the same query."""
    if not windows:
        return None
    election = windows[0].election
    election.windows = windows
    return election


@prepared
def _covering(now: Any) -> QuerySet[PhaseWindow]:
    found = PhaseWindow.objects.filter(election__in=Election.objects.covering(now)[:1])
    return found.select_related("election").order_by("starts_at")


@prepared
def _windows_of(code: Any) -> QuerySet[PhaseWindow]:
    return PhaseWindow.objects.filter(election__code=code).select_related("election").order_by("starts_at")


@prepared
def _of_code(code: Any) -> QuerySet[Election]:
    return Election.objects.filter(code=code)


@prepared
def _coming(day: Any) -> QuerySet[Election]:
    return Election.objects.coming(day)[:1]


@prepared
def _past(day: Any) -> QuerySet[Election]:
    return Election.objects.past(day)[:1]


def window_at(election: Election, moment: dt.datetime, place: str = "") -> PhaseWindow | None:
    """The phase window of `election` that covers `moment` (aware) at P-code `place`; the most local one wins.

    Where two national windows overlap the one that started last wins (counting begins inside polling day).
    """
    covering = [w for w in election.windows if w.starts_at <= moment < w.ends_at]
    fitting = [w for w in covering if w.jurisdiction_id is None or (place and place.startswith(w.jurisdiction_id))]
    return max(fitting, key=lambda w: (len(w.jurisdiction_id or ""), w.starts_at), default=None)


def phase_at(election: Election, moment: dt.datetime, place: str = "") -> Phase:
    """The phase code at `moment`; BETWEEN where no window covers it."""
    window = window_at(election, moment, place)
    return Phase(window.phase) if window else Phase.BETWEEN


def first_moment(election: Election) -> dt.datetime | None:
    """When the election's first known phase began, or None without windows."""
    return min((w.starts_at for w in election.windows), default=None)


def under_way_instead(
    election: Election, moment: dt.datetime, reported_at: dt.datetime, place: str = ""
) -> Election | None:
    """The election under way at `reported_at` at `place`, where what happened at `moment` is not of `election`.

    None where nothing was under way, where `moment` was before that began, or where it lies in the time of `election`.
    """
    current = election_at(reported_at)
    if current is None or current.pk == election.pk or phase_at(current, reported_at, place) == Phase.BETWEEN:
        return None
    first = first_moment(current)
    was_before = first is not None and moment < first
    return None if was_before or phase_at(election, moment, place) != Phase.BETWEEN else current


# ---- When it changes ----

Change = tuple[dt.datetime, Phase]


def fitting(election: Election, place: str = "") -> list[PhaseWindow]:
    """The windows that count at P-code `place`: those of the country, and of the places it lies in."""
    return [w for w in election.windows if w.jurisdiction_id is None or (place and place.startswith(w.jurisdiction_id))]


def changes(election: Election, place: str = "") -> list[Change]:
    """Every moment at which another phase begins at `place`, with that phase, in order."""
    windows = fitting(election, place)
    found: list[Change] = []
    for moment in sorted({t for w in windows for t in (w.starts_at, w.ends_at)}):
        phase = phase_at(election, moment, place)
        if not found or found[-1][1] != phase:
            found.append((moment, phase))
    return found


def tight_spans(election: Election, hour: int, place: str = "") -> list[tuple[dt.datetime, dt.datetime]]:
    """When the silence-day rules hold at `place`: from local `hour` of the silence day to the end of the counting.

    Source: domain 3.3. Each polling day has its span, so a re-poll has one too; without a silence day it is the day
    before.
    """
    windows = fitting(election, place)
    zone = timezone.get_default_timezone()
    spans = []
    for polling in (w for w in windows if w.phase == Phase.POLLING):
        before = polling.starts_at.astimezone(zone).date() - dt.timedelta(days=1)
        start = dt.datetime.combine(before, dt.time(hour), zone)
        # Counting begins inside polling day or where it ends.
        counting = [w.ends_at for w in windows if w.phase == Phase.COUNTING and start <= w.starts_at <= polling.ends_at]
        spans.append((start, max([polling.ends_at, *counting])))
    return spans


def spans_in_use(election: Election, place: str = "") -> list[tuple[dt.datetime, dt.datetime]]:
    """When people vote and votes are counted at `place`: what follows without a gap is one span."""
    spans: list[tuple[dt.datetime, dt.datetime]] = []
    start = None
    for at, phase in changes(election, place):
        if phase in IN_USE:
            start = start or at
        elif start is not None:
            spans.append((start, at))
            start = None
    return spans


def is_tight(election: Election, moment: dt.datetime, hour: int, place: str = "") -> bool:
    """Whether the silence-day rules hold at `moment` at `place`, being set to begin at local `hour`."""
    return any(start <= moment < end for start, end in tight_spans(election, hour, place))
