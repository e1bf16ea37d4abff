"""What the pages and files of the weekly summary call things: one wording for all of them."""

from __future__ import annotations

import datetime as dt
import re

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incidents.dashboards.measures import MEASURES, Value
from incidents.reports.figures import Figure
from incidents.reports.week import Week
from incidents.reports.weekly import IN_PLACE, Weekly


def days(first: dt.date, last: dt.date) -> str:
    """9 to 15 November 2026; the month and year of the first day only where they differ."""
    end = date_format(last, "DATE_FORMAT")
    if (first.year, first.month) == (last.year, last.month):
        return _("%(day)s to %(last)s") % {"day": first.day, "last": end}
    start = date_format(first, "MONTH_DAY_FORMAT" if first.year == last.year else "DATE_FORMAT")
    return _("%(first)s to %(last)s") % {"first": start, "last": end}


def week_option(week: Week, now: dt.datetime) -> str:
    """Week 46, 9 to 15 November 2026; the running one says that it is not over."""
    text = _("Week %(number)s, %(days)s") % {"number": week.number, "days": days(week.monday, week.sunday)}
    return _("%(week)s, so far") % {"week": text} if week.is_running(now) else text


def moment(value: dt.datetime) -> str:
    """23 November 2026, 14:20; the end of a day is 24:00 of that day and not 00:00 of the next."""
    here = timezone.localtime(value, timezone.get_default_timezone())
    if here.time() == dt.time.min:
        day = here.date() - dt.timedelta(days=1)
        return _("%(day)s, %(time)s") % {"day": date_format(day, "DATE_FORMAT"), "time": "24:00"}
    day_text, time = date_format(here, "DATE_FORMAT"), date_format(here, "TIME_FORMAT")
    return _("%(day)s, %(time)s") % {"day": day_text, "time": time}


def zone(at: dt.datetime) -> str:
    """Asia/Phnom_Penh (UTC+07:00)"""
    offset = timezone.localtime(at, timezone.get_default_timezone()).strftime("%z")
    return f"{timezone.get_default_timezone_name()} (UTC{offset[:3]}:{offset[3:]})"


def eyes(weekly: Weekly) -> str:
    """Ministry analyst @ Ministry of Interior: the whole country"""
    return f"{role(weekly)}: {weekly.scope}"


def role(weekly: Weekly) -> str:
    return f"{weekly.posting.get_role_display()} @ {weekly.posting.command.name}"


def about(weekly: Weekly, *, made: bool = True) -> list[tuple[str, str]]:
    """What must stand at the head of every file, as (what, text); `made`: also when it was made."""
    week = f"{weekly.week.code}, {days(weekly.week.monday, weekly.week.sunday)}"
    at = timezone.localtime(weekly.made_at, timezone.get_default_timezone())
    return [
        (_("Election"), f"{weekly.election.name} ({weekly.election.code})"),
        (_("Week"), _("%(week)s, so far") % {"week": week} if weekly.is_running else week),
        (_("Cut-off"), moment(weekly.cut_off)),
        (_("Compared with"), compared(weekly)),
        (_("Time zone"), zone(weekly.cut_off)),
        (_("Whose eyes"), eyes(weekly)),
        *([(_("Made"), date_format(at, "DATETIME_FORMAT"))] if made else []),
        (_("Read this first"), caveat()),
    ]


def compared(weekly: Weekly) -> str:
    """What the change is against, in words."""
    week = f"{weekly.week.before.code}, {days(weekly.week.before.monday, weekly.week.before.sunday)}"
    if weekly.is_running:
        return _("%(week)s, up to %(moment)s") % {"week": week, "moment": moment(weekly.compared.end)}
    return week


def periods(weekly: Weekly) -> tuple[str, str]:
    """The headings of the two columns of numbers: 2026-W46, 2026-W45."""
    if weekly.is_running:
        return (
            _("%(week)s, so far") % {"week": weekly.week.code},
            _("%(week)s, as far") % {"week": weekly.week.before.code},
        )
    return weekly.week.code, weekly.week.before.code


def caveat() -> str:
    """Two sentences that no file leaves without."""
    numbers = _(
        "Numbers show what was known at the cut-off. A case whose place was corrected later is counted where it is"
        " known to have happened."
    )
    return f"{numbers} {_('Security incidents recorded by authorities only; not an assessment of the election.')}"


def unit(name: str) -> str:
    return {"cases": _("cases"), "percent": _("per cent"), "minutes": _("minutes"), "people": _("people")}[name]


def kinds_title() -> str:
    return _("Reports received by category and severity")


def three(figure: Figure) -> tuple[Value, Value, Value]:
    return figure.value, figure.before, figure.change


def place_headers(weekly: Weekly) -> list[str]:
    """For each measure of a place: this week, the week before, the change."""
    now, before = periods(weekly)
    titles = [str(MEASURES[name].title) for name in IN_PLACE]
    return [f"{title}: {part}" for title in titles for part in (now, before, _("change"))]


def file_name(what: str, week: Week, election: str, ending: str) -> str:
    """weekly-SUMMARY-2026-W46-CC27.xlsx: ASCII, so that no system stumbles over it."""
    code = re.sub(r"[^A-Za-z0-9]+", "", election) or "election"
    return f"weekly-{what}-{week.code}-{code}.{ending}"
