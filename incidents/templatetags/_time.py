"""Times and lengths of time in the reader's language and in local time: "18 min", "Late 12 min", "3 June, 14:20"."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

#: The last quarter of the time counts as soon (design: "Lateness").
SOON = 0.25


def length(span: dt.timedelta) -> str:
    """`span` in its two largest units: 18 min, 5 h 41 min, 2 d 3 h. Seconds are shown below one minute only."""
    seconds = max(int(span.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    parts = {"s": seconds, "m": minutes % 60, "h": hours % 24, "d": days}
    if minutes == 0:
        return _(_PATTERNS["s"]) % parts
    if hours == 0:
        return _(_PATTERNS["m"]) % parts
    if days == 0:
        return _(_PATTERNS["hm" if parts["m"] else "h"]) % parts
    return _(_PATTERNS["dh" if parts["h"] else "d"]) % parts


_PATTERNS = {
    "s": gettext_noop("%(s)d s"),
    "m": gettext_noop("%(m)d min"),
    "hm": gettext_noop("%(h)d h %(m)d min"),
    "h": gettext_noop("%(h)d h"),
    "dh": gettext_noop("%(d)d d %(h)d h"),
    "d": gettext_noop("%(d)d d"),
    "late": gettext_noop("Late %(length)s"),
    "ago": gettext_noop("%(length)s ago"),
}


def patterns() -> dict[str, str]:
    """The words of lengths of time in the active language; scripts get the same ones."""
    return {name: _(text) for name, text in _PATTERNS.items()}


def remaining(deadline: dt.datetime, now: dt.datetime) -> str:
    """Time left to `deadline`, or "Late …"; never a minus sign."""
    if now < deadline:
        return length(deadline - now)
    return _(_PATTERNS["late"]) % {"length": length(now - deadline)}


def share_left(deadline: dt.datetime, start: dt.datetime | None, now: dt.datetime) -> int:
    """Per cent of the time from `start` to `deadline` that is left, 0 to 100; 100 where the start is not known."""
    if start is None or deadline <= start:
        return 100 if now < deadline else 0
    return round(100 * min(max((deadline - now) / (deadline - start), 0), 1))


def is_soon(deadline: dt.datetime, start: dt.datetime | None, now: dt.datetime) -> bool:
    """In the last quarter of the time; without a known start, within the last hour."""
    if now >= deadline:
        return False
    if start is None:
        return deadline - now <= dt.timedelta(hours=1)
    return (deadline - now) <= (deadline - start) * SOON


def local(value: dt.datetime) -> dt.datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def clock_time(value: dt.datetime) -> str:
    """14:20"""
    return date_format(local(value), "TIME_FORMAT")


def day(value: dt.datetime | dt.date) -> str:
    """3 June"""
    return date_format(local(value) if isinstance(value, dt.datetime) else value, "MONTH_DAY_FORMAT")


def full_day(value: dt.datetime | dt.date) -> str:
    """3 June 2027"""
    return date_format(local(value) if isinstance(value, dt.datetime) else value, "DATE_FORMAT")


def moment(value: dt.datetime, now: dt.datetime | None = None) -> str:
    """As short as it can be understood at `now`: the time today, day and time this year, else with the year."""
    here = local(value)
    if now is not None:
        today = local(now).date()
        if here.date() == today:
            return clock_time(value)
        if here.year == today.year:
            return _("%(day)s, %(time)s") % {"day": day(value), "time": clock_time(value)}
    return _("%(day)s, %(time)s") % {"day": full_day(value), "time": clock_time(value)}


def dated(value: dt.datetime, now: dt.datetime) -> str:
    """Day and time, of today too: for columns in which some moments are of other days."""
    if local(value).date() == local(now).date():
        return _("%(day)s, %(time)s") % {"day": day(value), "time": clock_time(value)}
    return moment(value, now)


def stretch(start: dt.datetime, end: dt.datetime) -> str:
    """From when to when, the day said once where it is one: 3 June, 07:00 to 19:00."""
    values = {"start": moment(start, start), "end": clock_time(end), "day": day(start)}
    if local(start).date() == local(end - dt.timedelta(microseconds=1)).date():
        return _("%(day)s, %(start)s to %(end)s") % values
    until = _("%(day)s, %(time)s") % {"day": day(end), "time": clock_time(end)}
    return _("%(day)s, %(start)s to %(until)s") % {**values, "until": until}


def since(value: dt.datetime, now: dt.datetime) -> str:
    """How long ago, under 24 hours; then the moment."""
    span = now - value
    if dt.timedelta(0) <= span < dt.timedelta(hours=24):
        return _(_PATTERNS["ago"]) % {"length": length(span)}
    return moment(value, now)
