"""The journal: one row an act, append-only by database triggers, sealed into a chain of hashed blocks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from commands.models import Posting, SecurityCommand
from incidents.choices import Act, Channel
from incidents.models.incident import Incident


class Entry(models.Model):
    """What was done, by whom in which role, through which channel, from what to what, and why.

    Triggers refuse UPDATE and DELETE on both databases (migration `journal_append_only`).
    """

    incident = models.ForeignKey(
        Incident, models.PROTECT, null=True, blank=True, related_name="entries", db_index=False
    )
    act = models.CharField(_("act"), max_length=20, choices=Act.choices)
    at = models.DateTimeField(_("when"))
    channel = models.CharField(_("through"), max_length=8, choices=Channel.choices)
    #: The person; empty for the engine.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    posting = models.ForeignKey(Posting, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    command = models.ForeignKey(SecurityCommand, models.PROTECT, null=True, blank=True, related_name="+")
    #: Changed fields only, as stored values: {"severity": "medium"} and {"severity": "high"}.
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    note = models.TextField(blank=True)
    #: The case's version after the act; 0 where there is no case.
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        indexes = [
            models.Index(fields=["incident", "id"], name="timeline"),
            models.Index(fields=["at"], name="journal_by_time"),
            # How things stood at a past moment: only the acts that changed a state or a severity are read.
            models.Index(fields=["at"], condition=models.Q(before__has_key="state"), name="state_changes"),
            models.Index(fields=["at"], condition=models.Q(before__has_key="severity"), name="severity_changes"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.act}"


class Block(models.Model):
    """A run of consecutive entries sealed together: `hash` = SHA-256 over the previous one and every entry in order."""

    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField(unique=True)
    count = models.PositiveIntegerField()
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField()
    #: Where to look when the hash is wrong: 16 bytes an entry, its id and the beginning of its own hash.
    marks = models.BinaryField(default=b"", editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["previous_hash"], name="the_chain_does_not_fork")]

    def __str__(self) -> str:
        return f"{self.first_id}-{self.last_id} {self.hash[:12]}"
