"""The outbox: who is to be told of which entry, through which channel, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident
from incidents.models.journal import Entry


class NoticeChannel(models.TextChoices):
    INBOX = "inbox", _("inbox")
    EMAIL = "email", _("e-mail")


class NoticeStatus(models.TextChoices):
    PENDING = "pending", _("waiting")
    SENT = "sent", _("sent")
    OBSOLETE = "obsolete", _("no longer needed")
    DEAD = "dead", _("given up")


class Notice(models.Model):
    """One message to one person. Written in the transaction of its entry; inbox notices are delivered by being there.

    Others are leased, sent outside any transaction and retried: at least once, never lost.
    """

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="notices")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="notices")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    channel = models.CharField(max_length=8, choices=NoticeChannel.choices)
    #: Which text: a key of `delivery.texts`.
    kind = models.CharField(max_length=20)
    status = models.CharField(max_length=8, choices=NoticeStatus.choices, default=NoticeStatus.PENDING)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["entry", "recipient", "channel"], name="one_notice_a_person_and_channel")
        ]
        indexes = [
            models.Index(
                fields=["next_try_at", "id"], condition=Q(status=NoticeStatus.PENDING), name="notices_to_send"
            ),
            models.Index(fields=["recipient", "channel", "-created_at"], name="inbox"),
            models.Index(
                fields=["recipient"], condition=Q(channel=NoticeChannel.INBOX, read_at=None), name="inbox_unread"
            ),
        ]
