"""The whole filtered list as one GeoJSON file, streamed: memory stays flat however many rows there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from commands.authority import judge_file
from commands.models import User
from incidents.api import geojson
from incidents.api.base import Door
from incidents.api.formats import GEOJSON, GeoJSONRenderer
from incidents.api.schema import FILTERS, PROBLEMS
from incidents.api.scope import asked_for, filtered
from incidents.choices import Channel
from incidents.entries import record_export
from incidents.querysets import IncidentQuerySet

#: Rows read at once.
CHUNK = 500


class IncidentsGeoJSON(Door):
    """Every case of the filtered list, newest first, as one FeatureCollection.

    A file leaves our care, so it holds operational data (tier T1) whoever asks: the place and not the exact point, and
    no sealed case. `incidents/?format=geojson` shows what the reader may know.
    """

    renderer_classes = [GeoJSONRenderer, JSONRenderer]
    checks_parameters = False

    @extend_schema(
        tags=["incidents"],
        summary="The filtered list as GeoJSON",
        description="For the roles that may take rows away; each download is written into the journal.",
        operation_id="incidents_geojson",
        parameters=FILTERS,
        responses={(200, GEOJSON): OpenApiTypes.OBJECT, **PROBLEMS(400, 403)},
    )
    def get(self, request: Request) -> Any:
        user, now = cast(User, request.user), timezone.now()
        judge_file("rows", user.current_postings)
        cases = filtered(request).filter(is_sealed=False)
        asked = asked_for(request).query_string()
        entry = record_export("incidents.geojson", asked, cases.count(), by=user, now=now, channel=Channel.API)
        rows = cases.with_names().order_by("-reported_at", "-id")
        response = StreamingHttpResponse(_stream(rows, entry.after["mark"]), content_type=GEOJSON)
        response.headers["Content-Disposition"] = 'attachment; filename="incidents.geojson"'
        return response


def _stream(rows: IncidentQuerySet, mark: str) -> Iterator[str]:
    yield f'{{"type": "FeatureCollection", "export_mark": {json.dumps(mark)}, "features": ['
    for number, case in enumerate(rows.iterator(chunk_size=CHUNK)):
        yield (",\n" if number else "") + json.dumps(geojson.feature(case, detailed=False), ensure_ascii=False)
    yield "]}\n"
