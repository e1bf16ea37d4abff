"""Rehearsals of the chain: who was called, who answered. No case is made, so nothing touches a statistic."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from commands.models import SecurityCommand


class Drill(models.Model):
    """A rehearsal: every chain from the chosen commands up to the PSC is called, rung after rung."""

    name = models.CharField(_("name"), max_length=80)
    #: Minutes each command has to answer; the next rung is called when they are over, or when it answered.
    minutes = models.PositiveSmallIntegerField(_("minutes to answer"), default=15)
    starts_at = models.DateTimeField(_("starts"))
    ended_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-starts_at", "-pk"]
        verbose_name = _("drill")
        verbose_name_plural = _("drills")
        constraints = [models.CheckConstraint(condition=Q(minutes__gte=1), name="drill_gives_time")]

    def __str__(self) -> str:
        return self.name


class DrillCall(models.Model):
    """One command called in one drill: called when its turn came, answered or not by `due_at`."""

    drill = models.ForeignKey(Drill, models.CASCADE, related_name="calls")
    command = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="+")
    #: Its turn comes at this moment, or as soon as every command below it in the drill answered.
    turn_at = models.DateTimeField()
    called_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    #: How many people were called; 0 is a vacant level.
    people = models.PositiveSmallIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=8, blank=True)

    class Meta:
        ordering = ["drill", "command"]
        verbose_name = _("call of a drill")
        verbose_name_plural = _("calls of a drill")
        constraints = [
            models.UniqueConstraint(fields=["drill", "command"], name="one_call_a_command"),
            models.CheckConstraint(
                condition=Q(called_at=None, due_at=None) | Q(due_at__gte=F("called_at")), name="call_is_due_after_it"
            ),
        ]
        indexes = [models.Index(fields=["turn_at"], condition=Q(called_at=None), name="calls_to_make")]
