"""The map's layers as GeoJSON, from the same functions as the dashboard's map."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from django.core.exceptions import ValidationError
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from commands.models import User
from incidents.api.base import Door
from incidents.api.formats import GEOJSON, GeoJSONRenderer
from incidents.api.problems import BadParameters
from incidents.api.schema import FILTERS, PROBLEMS
from incidents.api.scope import asked_for
from incidents.dashboards import map as maps
from incidents.dashboards import points as point_layer
from incidents.dashboards.question import Question


class Layer(Door):
    """A layer of the map."""

    renderer_classes = [GeoJSONRenderer, JSONRenderer]
    checks_parameters = False


@contextmanager
def about_parameters() -> Iterator[None]:
    """What the map refuses is a query parameter."""
    try:
        yield
    except ValidationError as error:
        raise BadParameters({name: " ".join(texts) for name, texts in error.message_dict.items()}) from None


class MapAreas(Layer):
    """Outlines of the areas in the place asked for, with counts of their open, late, critical and high cases.

    Areas that are not yours are left out. An area whose outline no source gives has a null geometry.
    """

    @extend_schema(
        tags=["numbers"],
        summary="Areas with counts",
        parameters=FILTERS,
        responses={(200, GEOJSON): OpenApiTypes.OBJECT, **PROBLEMS(400)},
    )
    def get(self, request: Request) -> Response:
        question = Question(cast(User, request.user), timezone.now(), asked_for(request))
        with about_parameters():
            place = maps.check_place(maps.root_of(question))
        return Response(maps.areas(question, place))


class MapPoints(Layer):
    """Cases of a box, clustered by the server: open ones unless `state` says otherwise. Never sealed ones.

    `rounded` says that places are those of communes, for readers without the exact place.
    """

    @extend_schema(
        tags=["numbers"],
        summary="Cases of a box, clustered",
        parameters=[
            *FILTERS,
            OpenApiParameter("bbox", required=True, description="west,south,east,north in degrees WGS 84."),
            OpenApiParameter("zoom", OpenApiTypes.INT, required=True, description="0 to 18, as of map tiles."),
        ],
        responses={(200, GEOJSON): OpenApiTypes.OBJECT, **PROBLEMS(400)},
    )
    def get(self, request: Request) -> Response:
        question = Question(cast(User, request.user), timezone.now(), asked_for(request, "bbox", "zoom"))
        with about_parameters():
            view = point_layer.read_view(request.query_params.get("bbox", ""), request.query_params.get("zoom", ""))
        return Response(point_layer.points(question, view))
