"""What the API reads and writes: JSON within limits, GeoJSON, forms with files. A refusal is always a problem."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from incidents.api.problems import Problem

GEOJSON = "application/geo+json"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Room for the boundaries and other fields of a form beside its file.
FORM_OVERHEAD = 64 * 1024


#: Half of a pair that makes one character, written as JSON writes it.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _not_a_number(text: str) -> None:
    """NaN and the infinities are not JSON."""
    raise ValueError(text)


def _whole(text: str, data: Any) -> None:
    """Raise UnicodeEncodeError, a ValueError, for half of a character: nothing can look it up, keep or answer it.

    It comes in an escape, or in a charset that has such halves.
    """
    text.encode()
    if _HALF.search(text):
        json.dumps(data, ensure_ascii=False).encode()


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that says one thing twice: of two severities the last would win, and nobody would know."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ParseError(_("A name stands twice in one object. Send each name once."))
    return made


class LimitedJSONParser(JSONParser):
    """JSON objects of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes: DRF reads the stream past Django's own limit."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise RequestDataTooBig
        try:
            text = content.decode((parser_context or {}).get("encoding") or settings.DEFAULT_CHARSET)
            data = json.loads(text, parse_constant=_not_a_number, object_pairs_hook=_each_name_once)
            _whole(text, data)
        except (ValueError, RecursionError, LookupError):
            # A LookupError is a charset that does not exist.
            raise ParseError(_("The content is not well-formed JSON in UTF-8.")) from None
        if not isinstance(data, dict):
            raise ParseError(_("Send one JSON object: names and values in braces."))
        return data


class FileParser(MultiPartParser):
    """A form with one file; refused by its announced length before anything is read."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {})["request"]
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > settings.ATTACHMENT_MAX_BYTES + FORM_OVERHEAD:
            raise RequestDataTooBig
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError:
            raise ParseError(_("The form could not be read. Send it as multipart/form-data.")) from None


class GeoJSONRenderer(JSONRenderer):
    """RFC 7946: coordinates are longitude, latitude in degrees WGS 84."""

    media_type = GEOJSON
    format = "geojson"
    charset = None


class BinaryRenderer(BaseRenderer):
    """Answers that are not JSON, and so already finished when they reach the renderer."""

    media_type = "*/*"
    format = "file"
    render_style = "binary"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> Any:
        return data


class CSVRenderer(BinaryRenderer):
    media_type = CSV
    format = "csv"


class XLSXRenderer(BinaryRenderer):
    media_type = XLSX
    format = "xlsx"


class Negotiation(DefaultContentNegotiation):
    """A `format` that is not offered is a value of a parameter that is not known: 406 naming it, not 404."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[Any]:
        renderers = list(renderers)
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            offered = ", ".join(str(renderer.format) for renderer in renderers)
            detail = _("This address offers these formats: %(formats)s.") % {"formats": offered}
            raise Problem("not-acceptable", 406, detail)
        return found


def no_surprises(request: Request) -> None:
    """Refuse a NUL anywhere in the address: no value has one, and PostgreSQL cannot be asked about it."""
    if any("\0" in name or "\0" in value for name, values in request.query_params.lists() for value in values):
        raise Problem("bad-request", 400, _("The address holds a character that no value has (NUL)."))
