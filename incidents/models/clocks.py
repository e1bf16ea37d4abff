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
    PAUSED = "paused", _("paused")
    EXHAUSTED = "exhausted", _("nothing further to do")
    CANCELLED = "cancelled", _("cancelled")


#: Clocks whose deadline is still to be met: those that run, and those that fired all their steps in vain.
LIVE = (ClockState.RUNNING, ClockState.EXHAUSTED)
#: Clocks that are neither met nor given up: those of `LIVE`, and those that stand still for a time.
STANDING = (*LIVE, ClockState.PAUSED)


class Clock(models.Model):
    """One deadline of one case.

    `deadline_at` is the target moment, absolute: anchor + target. `fires_at` is when the engine looks next: the moment
    of step `step` of the case's policy. `episode` grows when a clock of the same kind starts again (new owner,
    reopened), or a legitimate second escalation would be blocked. Times paused have moved `anchor_at` on.
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="clocks", db_index=False)
    kind = models.CharField(max_length=12, choices=ClockKind.choices)
    #: Key of the referral for a legal deadline, of which a case may have several; 0 for every other kind.
    about = models.PositiveBigIntegerField(default=0)
    episode = models.PositiveSmallIntegerField(default=1)
    step = models.PositiveSmallIntegerField(default=0)
    anchor_at = models.DateTimeField()
    target_minutes = models.PositiveIntegerField()
    deadline_at = models.DateTimeField()
    fires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=ClockState.choices, default=ClockState.RUNNING)
    stopped_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            # The engine's question: which running clocks are due, oldest first.
            models.Index(fields=["fires_at", "id"], condition=Q(state=ClockState.RUNNING), name="clocks_due"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "kind", "about", "episode"], name="one_clock_a_kind_and_episode"
            ),
            models.UniqueConstraint(
                fields=["incident", "kind", "about"],
                condition=Q(state__in=[ClockState.RUNNING, ClockState.PAUSED]),
                name="one_running_clock_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(state=ClockState.PAUSED, paused_at__isnull=False)
                | (~Q(state=ClockState.PAUSED) & Q(paused_at=None)),
                name="paused_clock_knows_since_when",
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
    PASSED = "passed", _("passed through: the engine was late")
    VACANT = "vacant", _("left out: nobody there")
    RESUMED = "resumed", _("pause ended")
    MANUAL = "manual", _("by a person")
    HAND_BACK = "hand_back", _("handed back")


class Escalation(models.Model):
    """One step fired, once: the unique key is what makes a second worker, a retry or a replay harmless."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="escalations", db_index=False)
    #: Kind of the clock, or "" for an act of a person; `about` as there.
    clock = models.CharField(max_length=12, blank=True)
    about = models.PositiveBigIntegerField(default=0)
    episode = models.PositiveSmallIntegerField()
    step = models.PositiveSmallIntegerField()
    #: 0 for what the step did; 1 and more for the commands it left out on the way.
    part = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=12, choices=EscalationKind.choices)
    from_command = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="+", db_index=False)
    to_command = models.ForeignKey(
        SecurityCommand, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    run = models.ForeignKey("incidents.EngineRun", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["fired_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "clock", "about", "episode", "step", "part"], name="a_step_fires_once"
            ),
        ]
        indexes = [models.Index(fields=["fired_at"], name="escalations_by_time")]


class EngineRun(models.Model):
    """One tick that did something, failed or was asked for by a person; idle ones leave only the state. Seven days."""

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
    """One row (pk 1): when the engine last did its whole work, what it saw, and the standing alarm or hold if any."""

    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_started_at = models.DateTimeField(null=True, blank=True)
    #: The latest `now` of any tick: a clock that went back fires nothing, a leap ahead may have to be confirmed.
    last_now = models.DateTimeField(null=True, blank=True)
    #: How long the machine of that tick had been up, and which start of it that was: how much time truly passed since.
    last_boot = models.CharField(max_length=40, blank=True)
    last_uptime = models.FloatField(null=True, blank=True)
    last_source = models.CharField(max_length=8, blank=True)
    last_host = models.CharField(max_length=80, blank=True)
    last_error = models.TextField(blank=True)
    #: Due cases the last tick left for the next one.
    backlog = models.PositiveIntegerField(default=0)
    #: When the next phase of an election begins: clocks of its open cases are then timed anew.
    next_phase_at = models.DateTimeField(null=True, blank=True)
    #: Set while a leap of the clock would move too many cases: since when, how many, and up to which moment due
    #: steps were released by a person.
    held_at = models.DateTimeField(null=True, blank=True)
    held_count = models.PositiveIntegerField(default=0)
    released_to = models.DateTimeField(null=True, blank=True)
    alarm_since = models.DateTimeField(null=True, blank=True)
    alarm_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_engine_state")]


class Outage(models.Model):
    """The engine did not run from `started_at` (its last good tick) to `ended_at`; what then fired late says so."""

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    #: Cases that the tick after it moved, and steps it fired.
    cases = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = _("outage")
        verbose_name_plural = _("outages")
        constraints = [
            models.UniqueConstraint(fields=["started_at"], name="one_outage_a_beginning"),
            models.CheckConstraint(condition=Q(ended_at__gt=F("started_at")), name="outage_ends_after_start"),
        ]


class Quarantine(models.Model):
    """A clock whose firing failed: tried again later with growing pauses, so one bad row never stops the rest."""

    clock = models.OneToOneField(Clock, models.CASCADE, related_name="quarantine")
    attempts = models.PositiveSmallIntegerField(default=1)
    next_try_at = models.DateTimeField()
    error = models.TextField()
