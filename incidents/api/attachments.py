"""Files of a case: list, add, hand out. Tier T2: nothing is here for readers without the details."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from commands.models import User
from incidents import actions
from incidents.api.base import Door, ListDoor, Strict
from incidents.api.cases import etag, find, meanwhile, not_of_the_future, version_seen
from incidents.api.formats import BinaryRenderer, FileParser
from incidents.api.problems import CONFLICTS, BadParameters
from incidents.api.schema import IF_MATCH, PROBLEMS
from incidents.api.serializers import AttachmentSerializer
from incidents.choices import Channel
from incidents.downloads import hand_out
from incidents.models import Attachment, Incident


class UploadSerializer(Strict):
    file = serializers.FileField(allow_empty_file=False, max_length=255)
    version = serializers.IntegerField(min_value=1, max_value=2_147_483_647, required=False)


def find_detailed(request: Request, pk: uuid.UUID) -> Incident:
    """The case where its details are open to this person, else 404."""
    return get_object_or_404(Incident.objects.detailed_to(cast(User, request.user)), pk=pk)


class Attachments(ListDoor):
    """Files of a case, oldest first."""

    serializer_class = AttachmentSerializer
    parser_classes = [FileParser]
    ordering = ("uploaded_at", "id")
    queryset = Attachment.objects.none()

    @extend_schema(
        tags=["incidents"],
        summary="List the files of a case",
        responses={200: AttachmentSerializer(many=True), **PROBLEMS(404)},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        rows = self.paginate_queryset(find_detailed(request, pk).attachments.all())
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(
        tags=["incidents"],
        summary="Add a file to a case",
        parameters=[IF_MATCH],
        request={"multipart/form-data": UploadSerializer},
        responses={201: AttachmentSerializer, **PROBLEMS(400, 403, 404, 409, 413, 415, 428)},
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        incident, user = find(request, pk), cast(User, request.user)
        serializer = UploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = dict(serializer.validated_data)
        version = version_seen(request, data.pop("version", None))
        not_of_the_future(version, incident)
        with meanwhile(request, incident), about_the_file():
            added = actions.attach(
                incident, by=user, version=version, now=timezone.now(), channel=Channel.API, upload=data["file"]
            )
        row = AttachmentSerializer(added, context={"request": request}).data
        return Response(row, status=201, headers={"ETag": etag(added.incident), "Location": row["url"]})


@contextmanager
def about_the_file() -> Iterator[None]:
    """A refusal of the file itself, under the name of its field; conflicts (stale, duplicate) stay what they are."""
    try:
        yield
    except ValidationError as error:
        if hasattr(error, "error_dict") or any(e.code in CONFLICTS for e in error.error_list):
            raise
        raise ValidationError({"file": error.messages}) from None


class AttachmentFile(Door):
    """One file, as a download that no browser opens in place."""

    renderer_classes = [JSONRenderer, BinaryRenderer]
    parameters = ("copy",)

    @extend_schema(
        tags=["incidents"],
        summary="Get a file",
        parameters=[OpenApiParameter("copy", enum=["1"], description="The copy of an image without its metadata.")],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **PROBLEMS(404)},
    )
    def get(self, request: Request, pk: uuid.UUID, file: uuid.UUID) -> Any:
        attachment = get_object_or_404(find_detailed(request, pk).attachments, pk=file)
        copy = request.query_params.get("copy", "")
        if copy not in ("", "1"):
            raise BadParameters({"copy": _("Write copy=1 for the copy, or leave it out.")})
        return hand_out(attachment, copy=bool(copy and attachment.derived))
