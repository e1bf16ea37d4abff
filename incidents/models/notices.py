"""Public notices of the NEC: drafted, approved by somebody else, issued as CAP 1.2, cancelled, never deleted."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from elections.models import Jurisdiction
from incidents.models.incident import Incident


class PublicNoticeState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ISSUED = "issued", _("Issued")
    CANCELLED = "cancelled", _("Cancelled")


class CapCategory(models.TextChoices):
    MET = "Met", _("Weather")
    SAFETY = "Safety", _("Safety")
    SECURITY = "Security", _("Security")
    FIRE = "Fire", _("Fire")
    TRANSPORT = "Transport", _("Transport")
    INFRA = "Infra", _("Infrastructure")
    OTHER = "Other", _("Other")


class PublicNotice(models.Model):
    """An instruction or a correction to the public: verified facts, no person or party named, with an expiry."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="public_notices")
    state = models.CharField(max_length=9, choices=PublicNoticeState.choices, default=PublicNoticeState.DRAFT)
    area = models.ForeignKey(Jurisdiction, models.PROTECT, related_name="+", verbose_name=_("area"))
    category = models.CharField(_("category"), max_length=9, choices=CapCategory.choices)
    event_km = models.CharField(_("event in Khmer"), max_length=120)
    event_en = models.CharField(_("event in English"), max_length=120)
    headline_km = models.CharField(_("headline in Khmer"), max_length=160)
    headline_en = models.CharField(_("headline in English"), max_length=160)
    instruction_km = models.TextField(_("what people should do, in Khmer"))
    instruction_en = models.TextField(_("what people should do, in English"))
    expires_at = models.DateTimeField(_("expires"))
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    issued_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    #: The CAP messages exactly as they went out; their SHA-256 stands in the journal entry of the act.
    alert_xml = models.TextField(blank=True, editable=False)
    cancel_xml = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ["-drafted_at"]
        verbose_name = _("public notice")
        verbose_name_plural = _("public notices")
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("drafted_by")),
                name="who_drafts_does_not_approve",
                violation_error_message=_("Somebody else must approve what you drafted."),
            ),
            models.CheckConstraint(
                condition=Q(state=PublicNoticeState.DRAFT) | Q(approved_by__isnull=False, issued_at__isnull=False),
                name="issued_notice_is_approved",
            ),
        ]

    def __str__(self) -> str:
        return self.headline_en
