"""How a person is reached outside the product, and when they would rather not be."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from commands.models.people import User


class ContactChannel(models.TextChoices):
    """The channels an address can belong to; the same words as those of a notice."""

    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")
    CHAT = "chat", _("chat")


class ContactPoint(models.Model):
    """An address of a person. Nothing but its own code is sent to it before it is verified."""

    user = models.ForeignKey(User, models.CASCADE, related_name="contact_points")
    channel = models.CharField(_("channel"), max_length=8, choices=ContactChannel.choices)
    address = models.CharField(_("address"), max_length=254)
    is_on = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    #: HMAC of the code that was sent there, until when it counts, and how often it was tried.
    code_digest = models.CharField(max_length=64, blank=True)
    code_expires_at = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    #: Local time; from after to, it crosses midnight. A critical case is never held back.
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(_("quiet to"), null=True, blank=True)

    class Meta:
        ordering = ["user", "channel", "pk"]
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "channel", "address"],
                name="one_contact_point_an_address",
                violation_error_message=_("You have this address already."),
            ),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None) | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="quiet_hours_are_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"
