"""Files of a case: handed out one by one, to people who may read the case's details."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from commands.models import User
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
    return _hand_out(attachment, copy=True)


@require_safe
def original(request: HttpRequest, pk: UUID, file: UUID) -> FileResponse:
    """The file as it was handed in, always as a download."""
    return _hand_out(_find(request, pk, file), copy=False)


def _hand_out(attachment: Attachment, *, copy: bool) -> FileResponse:
    """Never sniffed, never run, never kept by a cache on the way; only the re-encoded picture is shown in place."""
    stored = attachment.derived if copy else attachment.original
    try:
        opened = stored.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        opened,
        as_attachment=not copy,
        filename=attachment.name,
        content_type="image/jpeg" if copy else attachment.content_type,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
