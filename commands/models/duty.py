"""Who is on duty at a command, hour by hour: weekly patterns, and what covers or swaps them on a day.

What follows from the rows is worked out in `commands.duty`, which is pure.
"""

from __future__ import annotations

import datetime as dt

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from commands.choices import WEEKDAYS_SHORT
from commands.models.people import SecurityCommand, User


class Roster(models.Model):
    """The duty roster of one command. While `is_on`, an hour with nobody on duty makes the command unattended."""

    command = models.OneToOneField(SecurityCommand, models.CASCADE, related_name="roster", verbose_name=_("command"))
    is_on = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("duty roster")
        verbose_name_plural = _("duty rosters")

    def __str__(self) -> str:
        return str(self.command)


class Shift(models.Model):
    """Every week on `weekday` (0 Monday) from `starts` (local time) for `minutes`, which may cross midnight."""

    roster = models.ForeignKey(Roster, models.CASCADE, related_name="shifts")
    person = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("person"))
    weekday = models.PositiveSmallIntegerField(_("weekday"), validators=[MaxValueValidator(6)])
    starts = models.TimeField(_("from"))
    minutes = models.PositiveSmallIntegerField(
        _("length, minutes"), validators=[MinValueValidator(30), MaxValueValidator(1440)]
    )
    valid_from = models.DateField(_("first day"))
    valid_to = models.DateField(_("last day"), null=True, blank=True)

    class Meta:
        ordering = ["roster", "weekday", "starts", "pk"]
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__lte=6, minutes__gte=30, minutes__lte=1440), name="shift_is_within_a_day"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="shift_ends_after_it_began",
                violation_error_message=_("The last day must not come before the first."),
            ),
        ]

    @property
    def day_name(self) -> str:
        """The weekday it begins on, in the language active now."""
        return str(WEEKDAYS[self.weekday])

    @property
    def day_short(self) -> str:
        return str(WEEKDAYS_SHORT[self.weekday])

    @property
    def hours(self) -> str:
        """22:00-06:00 with a dash between, local time."""
        ends = dt.datetime.combine(dt.date.min, self.starts) + dt.timedelta(minutes=self.minutes)
        return f"{self.starts:%H:%M}\u2013{ends:%H:%M}"


class Cover(models.Model):
    """For some hours `person` is on duty, in place of `replaces` where that is named, else besides whoever is.

    With no person, `replaces` is simply off duty then. Covers come before patterns, later ones before earlier ones.
    """

    roster = models.ForeignKey(Roster, models.CASCADE, related_name="covers")
    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("person"))
    replaces = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("in place of")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["roster", "starts_at", "pk"]
        verbose_name = _("cover")
        verbose_name_plural = _("covers")
        indexes = [models.Index(fields=["roster", "ends_at"], name="covers_of_roster")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="cover_ends_after_start",
                violation_error_message=_("The cover must end after it starts."),
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False) | Q(replaces__isnull=False), name="cover_names_somebody"
            ),
        ]


class SwapState(models.TextChoices):
    ASKED = "asked", _("asked")
    AGREED = "agreed", _("agreed")
    DECLINED = "declined", _("declined")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Swap(models.Model):
    """`asked_by` gives away the hours from `starts_at`, and takes `asked_of`'s hours from `back_at` where named.

    Agreed, it becomes one cover or two; until then nothing changes.
    """

    roster = models.ForeignKey(Roster, models.CASCADE, related_name="swaps")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_of = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("colleague"))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    back_at = models.DateTimeField(null=True, blank=True)
    back_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=9, choices=SwapState.choices, default=SwapState.ASKED)
    made_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        verbose_name = _("swap")
        verbose_name_plural = _("swaps")
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="swap_ends_after_start"),
            models.CheckConstraint(condition=~Q(asked_by=F("asked_of")), name="nobody_swaps_with_themselves"),
            models.CheckConstraint(
                condition=Q(back_at=None, back_until=None) | Q(back_until__gt=F("back_at")),
                name="swap_back_ends_after_start",
            ),
        ]


class CalendarFeed(models.Model):
    """A private address of a person's duties for their own calendar. Only the SHA-256 of its token is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="calendar_feeds")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_read_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
