"""Every refusal of the API as an RFC 9457 problem: one shape, one sentence for a person, one entry for each bad field.

What is not visible does not exist: nothing here tells the two apart.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as Refusal
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings

from incidents.models import Incident

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
#: Where each type of problem is listed; docs/api.md explains them.
TYPE = "/api/v1/problems/#"
#: Codes of `actions` that mean "not now": the request was well made, the case is in another state.
CONFLICTS = frozenset({"not_possible", "locked", "stale", "id_taken", "taken", "duplicate", "checklist", "recusal"})

#: type: (status, title)
TITLES = {
    "bad-request": gettext_lazy("The request could not be read"),
    "fields": gettext_lazy("Some values need another look"),
    "parameters": gettext_lazy("Some parameters are not known"),
    "sign-in": gettext_lazy("An access token is needed"),
    "not-allowed": gettext_lazy("This is not open to you"),
    "not-found": gettext_lazy("Nothing here"),
    "method": gettext_lazy("This address does not do that"),
    "not-acceptable": gettext_lazy("This format is not offered"),
    "conflict": gettext_lazy("Not possible now"),
    "stale": gettext_lazy("The case has changed meanwhile"),
    "id-taken": gettext_lazy("This id cannot be used"),
    "too-large": gettext_lazy("Too large"),
    "media-type": gettext_lazy("This kind of content is not read here"),
    "key-reused": gettext_lazy("The same key with other content"),
    "version-needed": gettext_lazy("The version is needed"),
    "too-many": gettext_lazy("Too many requests"),
    "our-fault": gettext_lazy("Something failed on our side"),
}


class Problem(exceptions.APIException):
    """A refusal that knows its own type. `more` are extension members of the problem."""

    def __init__(self, kind: str, status_code: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.kind, self.status_code, self.more = kind, status_code, more


class BadParameters(Problem):
    """Query parameters that are not known or cannot be read: {parameter: sentence}."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        rows = [{"parameter": name, "detail": text} for name, text in errors.items()]
        super().__init__("parameters", status.HTTP_400_BAD_REQUEST, " ".join(errors.values()), errors=rows)


def problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: any exception as a problem. Unexpected ones get an id, logged with the trace."""
    request = context.get("request")
    kind, code, detail, more, headers = _read(error)
    if kind == "our-fault":
        more["id"] = str(uuid.uuid4())
        logger.error("Problem %s at %s", more["id"], getattr(request, "path", "?"), exc_info=error)
    body = {
        "type": TYPE + kind,
        "title": str(TITLES[kind]),
        "status": code,
        "detail": detail,
        "instance": getattr(request, "path", ""),
        **more,
    }
    response = Response(body, status=code, headers=headers, content_type=MEDIA_TYPE)
    # The client may have asked for GeoJSON or a spreadsheet: a refusal is JSON all the same.
    renderer = JSONRenderer()
    if request is not None:
        request.accepted_renderer, request.accepted_media_type = renderer, renderer.media_type
    return response


def _read(error: Exception) -> tuple[str, int, str, dict[str, Any], dict[str, str]]:
    """Type, status, sentence, further members and headers of any exception."""
    match error:
        case Problem():
            return error.kind, error.status_code, str(error.detail), dict(error.more), {}
        case Refusal():
            return _read_refusal(error)
        case Http404() | exceptions.NotFound() | Incident.DoesNotExist():
            return "not-found", 404, _("There is nothing at this address that you may see."), {}, {}
        case PermissionDenied():
            return "not-allowed", 403, str(error) or _("Your postings do not allow this."), {}, {}
        case RequestDataTooBig():
            return "too-large", 413, _("The request is larger than this server reads."), {}, {}
        case SuspiciousOperation():
            return "bad-request", 400, _("The request could not be read."), {}, {}
        case exceptions.APIException():
            return _read_api(error)
        case _:
            sentence = _("It was recorded. Try again; if it goes on failing, tell your administrator the id.")
            return "our-fault", 500, sentence, {}, {}


def _read_refusal(error: Refusal) -> tuple[str, int, str, dict[str, Any], dict[str, str]]:
    """A ValidationError of the write path: field errors, or one sentence with a code."""
    if hasattr(error, "error_dict"):
        rows = list(_pointers(error.message_dict))
        return "fields", 400, _sentences(rows), {"errors": rows}, {}
    code = next((e.code for e in error.error_list if e.code), "")
    detail = " ".join(error.messages)
    if code == "stale":
        return "stale", 409, detail, {}, {}
    if code in CONFLICTS:
        return "conflict", 409, detail, {"code": code}, {}
    return "fields", 400, detail, {"errors": [{"pointer": "", "detail": m} for m in error.messages]}, {}


def _read_api(error: exceptions.APIException) -> tuple[str, int, str, dict[str, Any], dict[str, str]]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    match error:
        case exceptions.ValidationError():
            rows = list(_pointers(error.detail))
            return "fields", 400, _sentences(rows), {"errors": rows}, headers
        case exceptions.NotAuthenticated():
            return "sign-in", error.status_code, _("Send an access token, or sign in."), {}, headers
        case exceptions.AuthenticationFailed():
            return "sign-in", error.status_code, str(error.detail), {}, headers
        case exceptions.PermissionDenied():
            return "not-allowed", 403, _("Your postings do not allow this."), {}, headers
        case exceptions.MethodNotAllowed():
            return "method", 405, _("This address does not answer %(method)s.") % {"method": error.args[0]}, {}, headers
        case exceptions.NotAcceptable():
            return "not-acceptable", 406, _("This address does not offer the format asked for."), {}, headers
        case exceptions.UnsupportedMediaType():
            return "media-type", 415, _("Send the content in the type the documentation names."), {}, headers
        case exceptions.Throttled():
            wait = max(1, int(getattr(error, "wait", None) or 1))
            headers["Retry-After"] = str(wait)
            return "too-many", 429, _("Please wait %(count)s seconds.") % {"count": wait}, {}, headers
        case exceptions.ParseError():
            return "bad-request", 400, str(error.detail), {}, headers
        case _:
            return "bad-request", error.status_code, HTTPStatus(error.status_code).phrase, {}, headers


def _sentences(rows: list[dict[str, str]]) -> str:
    """Every sentence with the field it is about, for who reads `detail` alone."""
    return " ".join(f"{r['pointer'][1:]}: {r['detail']}" if r["pointer"] else r["detail"] for r in rows)


def _pointers(detail: Any, at: str = "") -> Iterator[dict[str, str]]:
    """Each message with a JSON Pointer (RFC 6901) to the field it is about; "" is the whole content."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            whole = name in (NON_FIELD_ERRORS, api_settings.NON_FIELD_ERRORS_KEY)
            yield from _pointers(inner, at if whole else f"{at}/{str(name).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(detail, (list, tuple)):
        for number, inner in enumerate(detail):
            nested = isinstance(inner, (Mapping, list, tuple))
            yield from _pointers(inner, f"{at}/{number}" if nested else at)
    else:
        yield {"pointer": at, "detail": str(detail)}
