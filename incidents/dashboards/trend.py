"""Is it getting worse: incidents a day by category group, and the sentence that says what moved most."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from django.utils.translation import gettext as _

from elections.models import Election
from incidents.dashboards import breakdowns, charts
from incidents.dashboards.question import Period, Question
from incidents.tallies import local_day

DAYS = 28


def _windows(question: Question) -> list[charts.Window]:
    return question.once(f"windows {question.asked.election}", lambda: _windows_of(question))


def _windows_of(question: Question) -> list[charts.Window]:
    asked = question.asked.election
    election = Election.objects.filter(code=asked).first() if asked else question.election
    if election is None:
        return []
    return [
        charts.Window(
            str(w.get_phase_display()), local_day(w.starts_at), local_day(w.ends_at - dt.timedelta(seconds=1))
        )
        for w in election.phase_windows.filter(jurisdiction=None)
    ]


def _by_day(question: Question) -> Counter[tuple[str, dt.date]]:
    month = question.over(Period.last_days(DAYS, question.now))
    return month.remembered("by day", lambda: breakdowns.by_day(month))


def daily(question: Question) -> charts.Daily:
    """All categories together, as one sparkline."""
    counts: Counter[dt.date] = Counter()
    for (_group, day), n in _by_day(question).items():
        counts[day] += n
    days = Period.last_days(DAYS, question.now).days
    return charts.daily("", "", counts, days, max(counts.values(), default=0), _windows(question))


def trend(question: Question) -> dict[str, Any]:
    """Small multiples by category group on one scale, and the sentence that says what moved most."""
    counts = _by_day(question)
    groups = {c.group_code: c.group for c in question.categories if c.retired_on is None}
    days = Period.last_days(DAYS, question.now).days
    windows = _windows(question)
    scale = max(counts.values(), default=0)
    charted = [
        charts.daily(code, name, {day: n for (g, day), n in counts.items() if g == code}, days, scale, windows)
        for code, name in groups.items()
    ]
    charted = [chart for chart in charted if chart.total] or charted[:4]
    charted.sort(key=lambda chart: -chart.total)
    return {
        "title": trend_title(charted),
        "charts": charted,
        "days": [(day, [chart.bars[index].count for chart in charted]) for index, day in enumerate(days)],
        "first": days[0],
        "phases": [b.name for b in charted[0].bands if b.name] if charted else [],
    }


def trend_title(charted: list[charts.Daily]) -> str:
    if not any(chart.total for chart in charted):
        return _("No incident in the last %(n)d days") % {"n": DAYS}
    top = max(charted, key=lambda chart: abs(chart.change))
    if abs(top.change) < 3:
        return _("About as many incidents as the week before")
    told = {"group": top.name, "n": top.this_week, "change": abs(top.change)}
    if top.change > 0:
        return _("%(group)s: %(n)d this week, %(change)d more than the week before") % told
    return _("%(group)s: %(n)d this week, %(change)d fewer than the week before") % told
