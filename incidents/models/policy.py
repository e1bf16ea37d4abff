"""How fast a case must be answered and what happens when it is not: versioned policies, immutable once published.

A case keeps the version it was reported under; moving open cases to another is an act of its own (REBASE).
"""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from elections.choices import Phase
from elections.models import Election
from incidents.choices import ClockKind, Deed, ReferralBody, Severity


class Policy(models.Model):
    """One version. A draft until `published_at`; then nothing of it changes any more, its rows included."""

    election = models.ForeignKey(
        Election, models.PROTECT, null=True, blank=True, related_name="policies", verbose_name=_("election")
    )
    number = models.PositiveSmallIntegerField(_("version"))
    based_on = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(_("what changes and why"), blank=True)
    #: The silence-day rules hold from this local hour of the day before polling to the end of the count (domain 3.3).
    tight_from_hour = models.PositiveSmallIntegerField(
        _("tighter rules from, hour of the silence day"), default=18, validators=[MaxValueValidator(23)]
    )
    #: In that time an unacknowledged medium case goes up after so many minutes at most.
    tight_medium_minutes = models.PositiveSmallIntegerField(
        _("medium case unacknowledged in that time, minutes"), default=30, validators=[MinValueValidator(1)]
    )
    #: With nobody left above, the alarm is said again every so many minutes.
    repeat_minutes = models.PositiveSmallIntegerField(
        _("repeat at the top every, minutes"), default=60, validators=[MinValueValidator(5)]
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["election", "-number"]
        verbose_name = _("escalation policy")
        verbose_name_plural = _("escalation policies")
        constraints = [
            # Two, because an empty election is equal to no other.
            models.UniqueConstraint(fields=["election", "number"], name="one_policy_a_version"),
            models.UniqueConstraint(fields=["number"], condition=Q(election=None), name="one_general_policy_a_version"),
            models.CheckConstraint(
                condition=Q(published_at=None) | ~Q(published_by=models.F("created_by")) | Q(published_by=None),
                name="a_second_person_publishes",
            ),
            models.CheckConstraint(
                condition=Q(tight_from_hour__lte=23, tight_medium_minutes__gte=1, repeat_minutes__gte=5),
                name="policy_times_are_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.election.code if self.election else 'general'}/{self.number}"


class ResponseTarget(models.Model):
    """Time allowed for a phase and severity, in minutes from the report.

    Figures: domain 3.2 and docs/decisions/0004-targets.md.
    """

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="targets", verbose_name=_("policy"))
    phase = models.CharField(_("phase"), max_length=12, choices=Phase.choices)
    severity = models.CharField(_("severity"), max_length=8, choices=Severity.choices)
    acknowledge_minutes = models.PositiveIntegerField(_("acknowledge, minutes"))
    first_update_minutes = models.PositiveIntegerField(_("first update, minutes"))
    contain_minutes = models.PositiveIntegerField(_("contain, minutes"))
    #: Then an update every so many minutes, for critical cases; empty means none.
    update_every_minutes = models.PositiveIntegerField(_("further updates every, minutes"), null=True, blank=True)
    #: From containment to resolution.
    resolve_minutes = models.PositiveIntegerField(_("resolve after containment, minutes"))
    #: A rumour is to be verified or refuted within this (domain 4.2).
    verify_minutes = models.PositiveIntegerField(_("verify a rumour, minutes"), default=1440)

    class Meta:
        ordering = ["policy", "phase", "severity"]
        verbose_name = _("response target")
        verbose_name_plural = _("response targets")
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "phase", "severity"],
                name="one_target_a_policy",
                violation_error_message=_("There is a target for this phase and severity already."),
            ),
            models.CheckConstraint(
                condition=Q(
                    acknowledge_minutes__gt=0,
                    first_update_minutes__gt=0,
                    contain_minutes__gt=0,
                    resolve_minutes__gt=0,
                    verify_minutes__gt=0,
                )
                & (Q(update_every_minutes=None) | Q(update_every_minutes__gt=0)),
                name="targets_are_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_phase_display()}, {self.get_severity_display()}"


class PolicyStep(models.Model):
    """Step `number` of a clock: at `percent` of its time, `deed`; a case moves to the next rung or at least to `rung`.

    Numbers run from 0 without a gap and percents only grow, or a deadline would be passed over or come twice.
    """

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="steps", verbose_name=_("policy"))
    clock = models.CharField(_("clock"), max_length=12, choices=ClockKind.choices)
    number = models.PositiveSmallIntegerField(_("step"))
    percent = models.PositiveSmallIntegerField(_("at percent of the time"))
    deed = models.CharField(_("what happens"), max_length=4, choices=Deed.choices)
    #: 2 province, 3 PSC; empty is the next command above the owner.
    rung = models.PositiveSmallIntegerField(
        _("not below rung"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(3)]
    )

    class Meta:
        ordering = ["policy", "clock", "number"]
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        constraints = [
            models.UniqueConstraint(fields=["policy", "clock", "number"], name="one_step_a_number"),
            models.UniqueConstraint(fields=["policy", "clock", "percent"], name="one_step_a_moment"),
            models.CheckConstraint(condition=Q(percent__gte=1, percent__lte=1000), name="step_is_within_ten_times"),
            models.CheckConstraint(condition=Q(rung=None) | Q(rung__range=(1, 3)), name="step_names_a_rung"),
        ]

    def __str__(self) -> str:
        return f"{self.clock} {self.number}"


class LegalDeadline(models.Model):
    """How long a body has by law to decide what was referred to it, in minutes; empty where the law sets no time."""

    body = models.CharField(_("body"), max_length=16, choices=ReferralBody.choices, unique=True)
    minutes = models.PositiveIntegerField(_("time to decide, minutes"), null=True, blank=True)
    source = models.TextField(_("source"), blank=True)

    class Meta:
        ordering = ["body"]
        verbose_name = _("legal deadline")
        verbose_name_plural = _("legal deadlines")
        constraints = [
            models.CheckConstraint(condition=Q(minutes=None) | Q(minutes__gt=0), name="legal_deadline_is_positive")
        ]

    def __str__(self) -> str:
        return self.get_body_display()
