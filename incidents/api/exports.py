"""The whole filtered list as one GeoJSON file, streamed: memory stays flat however many rows there are."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from commands.models import User
from incidents.api import geojson
from incidents.api.base import Door
from incidents.api.formats import GEOJSON, GeoJSONRenderer
from incidents.api.schema import FILTERS, PROBLEMS
from incidents.api.scope import detailed_keys, filtered
from incidents.models import Incident
from incidents.querysets import IncidentQuerySet

#: Rows read at once; their details are looked up in one query.
CHUNK = 500


class IncidentsGeoJSON(Door):
    """Every case of the filtered list, newest first, as one FeatureCollection."""

    renderer_classes = [GeoJSONRenderer, JSONRenderer]
    checks_parameters = False

    @extend_schema(
        tags=["incidents"],
        summary="The filtered list as GeoJSON",
        operation_id="incidents_geojson",
        parameters=FILTERS,
        responses={(200, GEOJSON): OpenApiTypes.OBJECT, **PROBLEMS(400)},
    )
    def get(self, request: Request) -> Any:
        rows = filtered(request).with_names().order_by("-reported_at", "-id")
        response = StreamingHttpResponse(_stream(rows, cast(User, request.user)), content_type=GEOJSON)
        response.headers["Content-Disposition"] = 'attachment; filename="incidents.geojson"'
        return response


def _stream(rows: IncidentQuerySet, user: User) -> Iterator[str]:
    yield '{"type": "FeatureCollection", "features": ['
    first = True
    cases = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(cases, CHUNK)):
        detailed: set[uuid.UUID] = detailed_keys(user, chunk)
        for case in chunk:
            yield ("" if first else ",\n") + _line(case, case.pk in detailed)
            first = False
    yield "]}\n"


def _line(case: Incident, detailed: bool) -> str:
    return json.dumps(geojson.feature(case, detailed=detailed), ensure_ascii=False)
