"""Deadlines of cases, what fired, and the engine's own pulse. Narrow rows, so a tick touches little."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from commands.models import SecurityCommand
from incidents.choices import ClockKind
from incidents.models.incident import Incident


class ClockState(models.TextChoices):
    RUNNING = "running", _("running")
    MET = "met", _("met")
    EXHAUSTED = "exhausted", _("nothing further to do")
    CANCELLED = "cancelled", _("cancelled")


#: Clocks whose deadline is still to be met: those that run, and those that fired all their steps in vain.
LIVE = (ClockState.RUNNING, ClockState.EXHAUSTED)


class Clock(models.Model):
    """One deadline of one case.

    `deadline_at` is the target moment, absolute: anchor + target. `fires_at` is when the engine looks next: the warning
    at three quarters of the time (step 0), the deadline (step 1), twice the time (step 2). `episode` grows when a clock
    of the same kind starts again (new owner, reopened), or a legitimate second escalation would be blocked.
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=12, choices=ClockKind.choices)
    episode = models.PositiveSmallIntegerField(default=1)
    step = models.PositiveSmallIntegerField(default=0)
    anchor_at = models.DateTimeField()
    target_minutes = models.PositiveIntegerField()
    deadline_at = models.DateTimeField()
    fires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=ClockState.choices, default=ClockState.RUNNING)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # The engine's question: which running clocks are due, oldest first.
            models.Index(fields=["fires_at", "id"], condition=Q(state=ClockState.RUNNING), name="clocks_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["incident", "kind", "episode"], name="one_clock_a_kind_and_episode"),
            models.UniqueConstraint(
                fields=["incident", "kind"], condition=Q(state=ClockState.RUNNING), name="one_running_clock_a_kind"
            ),
            models.CheckConstraint(condition=Q(deadline_at__gt=F("anchor_at")), name="deadline_after_anchor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.episode}.{self.step}"


class EscalationKind(models.TextChoices):
    WARNING = "warning", _("warning")
    OWNER_MOVED = "owner_moved", _("moved up")
    NEXT_TOLD = "next_told", _("next command told")
    EXHAUSTED = "exhausted", _("top reached")
    MANUAL = "manual", _("by a person")
    HAND_BACK = "hand_back", _("handed back")


class Escalation(models.Model):
    """One step fired, once: the unique key is what makes a second worker, a retry or a replay harmless."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="escalations")
    #: Kind of the clock, or "" for an act of a person.
    clock = models.CharField(max_length=12, blank=True)
    episode = models.PositiveSmallIntegerField()
    step = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=EscalationKind.choices)
    from_command = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="+")
    to_command = models.ForeignKey(SecurityCommand, models.PROTECT, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    run = models.ForeignKey("incidents.EngineRun", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["fired_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "clock", "episode", "step"], name="a_step_fires_once"),
        ]
        indexes = [models.Index(fields=["fired_at"], name="escalations_by_time")]


class EngineRun(models.Model):
    """One tick, however started; kept for seven days."""

    source = models.CharField(max_length=8)
    host = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    claimed = models.PositiveIntegerField(default=0)
    fired = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    max_late_seconds = models.FloatField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["started_at"], name="runs_by_time")]


class EngineState(models.Model):
    """One row (pk 1): when the engine last did its whole work, and the watchdog's standing alarm if any."""

    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_started_at = models.DateTimeField(null=True, blank=True)
    alarm_since = models.DateTimeField(null=True, blank=True)
    alarm_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_engine_state")]


class Quarantine(models.Model):
    """A clock whose firing failed: tried again later with growing pauses, so one bad row never stops the rest."""

    clock = models.OneToOneField(Clock, models.CASCADE, related_name="quarantine")
    attempts = models.PositiveSmallIntegerField(default=1)
    next_try_at = models.DateTimeField()
    error = models.TextField()
