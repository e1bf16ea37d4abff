"""Photos and documents of a case."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from incidents.models.incident import Incident


class Attachment(models.Model):
    """A file as it was handed in, with its SHA-256, and for an image a derived copy without its metadata.

    Paths are under MEDIA_ROOT and never served directly: `views` hands files out after checking the reader's scope.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="attachments")
    name = models.CharField(_("file name"), max_length=120)
    content_type = models.CharField(_("type"), max_length=80)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    original = models.FileField(upload_to="original/%Y/%m", max_length=200)
    #: A re-encoded JPEG of at most 1,600 px without EXIF, and so without location; empty for documents.
    derived = models.FileField(upload_to="derived/%Y/%m", max_length=200, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        ordering = ["uploaded_at", "id"]
        constraints = [models.UniqueConstraint(fields=["incident", "sha256"], name="same_file_once_a_case")]

    def __str__(self) -> str:
        return self.name
