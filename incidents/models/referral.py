"""What of a case was handed to a body that decides by law, and by when it must."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.choices import ReferralBody, ReferralOutcome
from incidents.models.incident import Incident


class Referral(models.Model):
    """A case may have several; it cannot close while one runs. Wording is of what is alleged, never of guilt."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="referrals")
    body = models.CharField(_("body"), max_length=16, choices=ReferralBody.choices)
    document = models.CharField(_("document number"), max_length=60, blank=True)
    sent_at = models.DateTimeField(_("sent"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=ReferralOutcome.choices, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["incident", "pk"]
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", outcome_at=None) | (~Q(outcome="") & Q(outcome_at__isnull=False)),
                name="referral_outcome_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(due_at=None) | Q(due_at__gt=models.F("sent_at")), name="referral_due_after_sent"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(outcome=""), name="referrals_running")]
