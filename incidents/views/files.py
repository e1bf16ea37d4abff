"""Files of a case: handed out one by one, to people who may read the case's details."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from commands.models import User
from incidents.downloads import hand_out
from incidents.models import Attachment, Incident


def _find(request: HttpRequest, pk: UUID, file: UUID) -> Attachment:
    cases = Incident.objects.detailed_to(cast(User, request.user))
    return get_object_or_404(Attachment, pk=file, incident__in=cases.filter(pk=pk).values("pk"))


@require_safe
def derived(request: HttpRequest, pk: UUID, file: UUID) -> FileResponse:
    """The copy of a picture without its metadata, shown in the page; 404 for what has none."""
    attachment = _find(request, pk, file)
    if not attachment.derived:
        raise Http404
    return hand_out(attachment, copy=True, in_place=True)


@require_safe
def original(request: HttpRequest, pk: UUID, file: UUID) -> FileResponse:
    """The file as it was handed in, always as a download."""
    return hand_out(_find(request, pk, file), copy=False)
