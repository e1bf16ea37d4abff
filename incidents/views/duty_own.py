"""One's own duties as they are read: the one now, the next, and the others by their pattern."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from commands.choices import WEEKDAYS_SHORT
from commands.duty import DAY, Span
from commands.rosters import Plan
from incidents.templatetags import _time

#: Duties listed one by one: seven a day for four weeks. Each is a line with a button.
LISTED = 200


@dataclass
class Alike:
    """Duties at one command at the same hours of the day, in order; together they are a pattern of weekdays."""

    plan: Plan
    hours: str
    spans: list[Span] = field(default_factory=list)

    @property
    def weekdays(self) -> list[str]:
        """The days of the week they begin on, Monday first, each once."""
        days = {timezone.localtime(span.starts_at).weekday() for span in self.spans}
        return [str(WEEKDAYS_SHORT[day]) for day in sorted(days)]

    @property
    def last(self) -> dt.datetime:
        return self.spans[-1].starts_at


@dataclass
class Own:
    """`now` is running, `coming` begins next; `alike` has the first of all, the pattern of the soonest first."""

    now: list[tuple[Plan, Span]]
    coming: tuple[Plan, Span] | None
    alike: list[Alike]
    #: How many come after those in `alike`.
    more: int = 0


def own(duties: Sequence[tuple[Plan, Span]], now: dt.datetime) -> Own:
    """The duties of a person, in order of their beginning, put together."""
    groups: dict[tuple[int, str], Alike] = {}
    for plan, span in duties[:LISTED]:
        hours = _hours(span)
        groups.setdefault((plan.command.pk, hours), Alike(plan, hours)).spans.append(span)
    coming = next(((plan, span) for plan, span in duties if span.starts_at > now), None)
    running = [(p, s) for p, s in duties if s.starts_at <= now < s.ends_at]
    return Own(running, coming, list(groups.values()), max(0, len(duties) - LISTED))


def _hours(span: Span) -> str:
    """07:00-19:00 with a dash between, local time; what is longer than a day with its days."""
    if span.ends_at - span.starts_at > DAY:
        return _time.stretch(span.starts_at, span.ends_at)
    start, end = timezone.localtime(span.starts_at), timezone.localtime(span.ends_at)
    return f"{start:%H:%M}\u2013{end:%H:%M}"
