"""The outbox: who is to be told of which entry, through which channel, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from commands.models import ContactPoint, SecurityCommand
from incidents.models.incident import Incident
from incidents.models.journal import Entry


class NoticeChannel(models.TextChoices):
    INBOX = "inbox", _("inbox")
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")
    CHAT = "chat", _("chat")
    WEBHOOK = "webhook", _("webhook")


class NoticeStatus(models.TextChoices):
    PENDING = "pending", _("waiting")
    SENT = "sent", _("sent")
    DIGEST = "digest", _("sent in a digest")
    OBSOLETE = "obsolete", _("no longer needed")
    DEAD = "dead", _("given up")


class Webhook(models.Model):
    """Another system of a command that is told of what its people are told, signed. No sealed case, no narrative."""

    name = models.CharField(_("name"), max_length=80)
    command = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="webhooks", verbose_name=_("command"))
    url = models.URLField(_("address"), max_length=300)
    #: The signing key, encrypted like protected identities.
    sealed_secret = models.BinaryField()
    is_on = models.BooleanField(_("in use"), default=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """One message to one person or webhook, written in the transaction of its entry.

    Those of the inbox are delivered by being there. Others are leased, sent outside any transaction and retried: at
    least once, never lost.
    """

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="notices", db_index=False)
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="notices")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="notices", db_index=False
    )
    webhook = models.ForeignKey(Webhook, models.CASCADE, null=True, blank=True, related_name="notices", db_index=False)
    #: Where it goes, for a channel with addresses; the inbox has none.
    contact = models.ForeignKey(ContactPoint, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
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
    #: What the gateway called it, for asking there.
    provider_id = models.CharField(max_length=120, blank=True)
    #: The notice whose message carried this one, where several went out together.
    sent_with = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="carried", db_index=False
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "recipient", "channel", "contact"], name="one_notice_a_person_and_contact"
            ),
            # Two, because an empty contact is equal to no other.
            models.UniqueConstraint(
                fields=["entry", "recipient", "channel"],
                condition=Q(contact=None, channel="inbox"),
                name="one_notice_a_person_and_inbox",
            ),
            models.UniqueConstraint(fields=["entry", "webhook"], name="one_notice_a_webhook"),
            models.CheckConstraint(
                condition=Q(recipient__isnull=False, webhook=None) | Q(recipient=None, webhook__isnull=False),
                name="notice_is_for_one",
            ),
        ]
        indexes = [
            models.Index(
                # Each channel looks for its own, past whatever waits for another that is down.
                fields=["channel", "next_try_at", "id"],
                condition=Q(status=NoticeStatus.PENDING),
                name="notices_to_send_by_channel",
            ),
            models.Index(fields=["recipient", "channel", "-created_at"], name="inbox"),
            # Storm control and receipts: what of a case left, by address.
            models.Index(
                fields=["incident", "contact"], condition=~Q(channel=NoticeChannel.INBOX), name="notices_outside"
            ),
            models.Index(
                fields=["recipient"], condition=Q(channel=NoticeChannel.INBOX, read_at=None), name="inbox_unread"
            ),
            # What hangs on an address, a webhook or a message that goes: most notices have none of them.
            models.Index(fields=["contact"], condition=Q(contact__isnull=False), name="notices_by_contact"),
            models.Index(fields=["webhook"], condition=Q(webhook__isnull=False), name="notices_by_webhook"),
            models.Index(fields=["sent_with"], condition=Q(sent_with__isnull=False), name="notices_carried"),
        ]


class ChannelState(models.Model):
    """The circuit breaker of one channel: after failures in a row nothing is tried before `retry_at`."""

    channel = models.CharField(max_length=8, choices=NoticeChannel.choices, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)


class AckCode(models.Model):
    """A short number in a message, with which its recipient's acknowledgement can be given by SMS or radio, once.

    Only an HMAC is kept. Unique among those that still count, so that a number alone names case and person.
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="ack_codes")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    #: The operator who entered it; empty where the message came back by itself.
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("acknowledgement code")
        verbose_name_plural = _("acknowledgement codes")
        constraints = [
            models.UniqueConstraint(fields=["digest"], condition=Q(used_at=None), name="one_live_code_a_number"),
        ]
        indexes = [models.Index(fields=["incident", "recipient"], name="codes_of_case")]
