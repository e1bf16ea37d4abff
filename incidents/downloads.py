"""A stored file as an answer, the same for pages and the API. Who may have it is decided before."""

from __future__ import annotations

from django.http import FileResponse, Http404

from incidents.models import Attachment


def hand_out(attachment: Attachment, *, copy: bool, in_place: bool = False) -> FileResponse:
    """The original, or with `copy` the picture without its metadata; 404 where the file is gone from the store.

    Never sniffed, never run, never kept by a cache on the way. `in_place` only for a picture that was re-encoded.
    """
    stored = attachment.derived if copy else attachment.original
    try:
        opened = stored.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        opened,
        as_attachment=not in_place,
        filename=attachment.name,
        content_type="image/jpeg" if copy else attachment.content_type,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
