"""The ISO week as reports use it: Monday 00:00 to Sunday 24:00 in the country's time zone, and where it is cut off."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incidents.dashboards.question import Period, midnight
from incidents.tallies import local_day

#: Before this year nothing can have been recorded.
FIRST_YEAR = 2000
_CODE = re.compile(r"^(\d{4})-?W(\d{1,2})$", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, order=True)
class Week:
    """One ISO 8601 week: the year it belongs to and its number, 1 to 52 or 53."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: dt.datetime) -> Week:
        """The week of a moment (aware), by the country's clock."""
        year, number, _day = local_day(moment).isocalendar()
        return cls(year, number)

    @classmethod
    def read(cls, text: str, now: dt.datetime) -> Week:
        """The week written as 2026-W46. ValidationError with a sentence where there is no such week, or not yet."""
        match = _CODE.match(text.strip())
        if match is None:
            raise ValidationError(_("Write the week as the year, W and its number, like 2026-W46."))
        year, number = int(match[1]), int(match[2])
        try:
            week = cls(year, number)
            first = week.monday
        except ValueError:
            raise ValidationError(
                _("The year %(year)s has no week %(week)s."), params={"year": year, "week": number}
            ) from None
        if year < FIRST_YEAR:
            raise ValidationError(_("Nothing is recorded before the year %(year)s."), params={"year": FIRST_YEAR})
        if first > local_day(now):
            raise ValidationError(
                _("Week %(week)s of %(year)s has not begun. It begins on %(day)s."),
                params={"week": number, "year": year, "day": date_format(first, "DATE_FORMAT")},
            )
        return week

    @property
    def code(self) -> str:
        """2026-W46"""
        return f"{self.year:04}-W{self.number:02}"

    @property
    def monday(self) -> dt.date:
        return dt.date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> dt.date:
        return self.monday + dt.timedelta(days=6)

    @property
    def period(self) -> Period:
        return Period.of_days(self.monday, self.sunday)

    @property
    def before(self) -> Week:
        return self._moved(-7)

    @property
    def after(self) -> Week:
        return self._moved(7)

    def _moved(self, days: int) -> Week:
        year, number, _day = (self.monday + dt.timedelta(days=days)).isocalendar()
        return Week(year, number)

    # ---- Where it is cut off ----

    def is_running(self, now: dt.datetime) -> bool:
        return self.period.end > now

    def has_begun(self, now: dt.datetime) -> bool:
        return self.monday <= local_day(now)

    def cut_off(self, now: dt.datetime) -> dt.datetime:
        """The end of the week, or of the last whole minute while it runs: the moment every number is as of."""
        return min(self.period.end, now.replace(second=0, microsecond=0))

    def counted(self, now: dt.datetime) -> Period:
        """From Monday 00:00 to the cut-off."""
        return Period(midnight(self.monday), max(self.cut_off(now), midnight(self.monday)))

    def compared(self, now: dt.datetime) -> Period:
        """What it is compared with: the week before; while it runs, as much of that week as has passed of this one."""
        if not self.is_running(now):
            return self.before.period
        counted, start = self.counted(now), midnight(self.before.monday)
        return Period(start, start + (counted.end - counted.start))
