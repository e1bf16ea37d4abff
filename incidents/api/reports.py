"""The weekly summary for other systems: the numbers as JSON, the same files as the page gives, and the case rows."""

from __future__ import annotations

from typing import Any, cast

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from commands.authority import judge_file
from commands.models import User
from incidents.api import weekly_sections
from incidents.api.base import Door
from incidents.api.formats import CSV, XLSX, CSVRenderer, XLSXRenderer
from incidents.api.problems import BadParameters
from incidents.api.schema import PROBLEMS
from incidents.api.weekly_sections import (
    ConductSerializer,
    CorrectionsSerializer,
    EscalationSerializer,
    FigureSerializer,
    SeverityChangeSerializer,
    WaitsSerializer,
    figure,
)
from incidents.choices import Channel, Severity
from incidents.dashboards.question import Period
from incidents.reports import asked, files, weekly, words
from incidents.reports.asked import Asked

WHICH = [
    OpenApiParameter("week", description="ISO week, like `2026-W46`; the last whole week if not given."),
    OpenApiParameter("election", description="Code; the current one if not given."),
]


class SpanSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Not included.")


class TotalSerializer(FigureSerializer):
    name = serializers.CharField()
    title = serializers.CharField()
    definition = serializers.CharField()
    unit = serializers.ChoiceField(["cases", "percent", "minutes", "people"])


class KindSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Of the category; empty in the last row, which is of all.", allow_blank=True)
    name = serializers.CharField()
    group = serializers.CharField(allow_blank=True)
    severities = serializers.DictField(child=serializers.IntegerField(), help_text=", ".join(Severity.values))
    reported = FigureSerializer()


class DistrictSerializer(serializers.Serializer[Any]):
    pcode = serializers.CharField()
    name = serializers.CharField()
    reported = FigureSerializer()
    open_at_end = FigureSerializer()
    late_at_end = FigureSerializer()
    escalated = FigureSerializer()


class ProvinceSerializer(DistrictSerializer):
    districts = DistrictSerializer(many=True)


class WeeklySerializer(serializers.Serializer[Any]):
    """Every number is as of `cut_off`, and is asked of the same place as dashboards and files."""

    election = serializers.CharField()
    week = serializers.CharField()
    is_running = serializers.BooleanField()
    time_zone = serializers.CharField()
    cut_off = serializers.DateTimeField()
    counted = SpanSerializer()
    compared = SpanSerializer(
        help_text="The week before; while the week runs, as much of it as has passed of this one."
    )
    made_at = serializers.DateTimeField()
    role = serializers.CharField()
    scope = serializers.CharField(help_text="The places whose cases are counted, in words.")
    caveat = serializers.CharField()
    totals = TotalSerializer(many=True)
    categories = KindSerializer(many=True)
    all_categories = KindSerializer()
    provinces = ProvinceSerializer(many=True)
    response = WaitsSerializer(many=True)
    escalation = EscalationSerializer()
    severity_changes = SeverityChangeSerializer(
        many=True, help_text="Reports of the week by first severity and severity at the cut-off, where these differ."
    )
    corrections = CorrectionsSerializer()
    conduct = ConductSerializer(
        many=True,
        required=False,
        help_text="Of the whole country, up to the last midnight; left out for who may not know of it.",
    )


class WeeklySummary(Door):
    """The summary of a week and an election, within what you may see."""

    renderer_classes = [JSONRenderer, CSVRenderer, XLSXRenderer]
    checks_parameters = False

    @extend_schema(
        tags=["numbers"],
        summary="The weekly summary, as JSON or as a file",
        operation_id="reports_weekly",
        parameters=[
            *WHICH,
            OpenApiParameter(
                "format", enum=["json", "csv", "xlsx"], description="Or say it in `Accept`. Rows only as your role may."
            ),
        ],
        responses={
            (200, "application/json"): WeeklySerializer,
            (200, CSV): OpenApiTypes.STR,
            (200, XLSX): OpenApiTypes.BINARY,
            **PROBLEMS(400, 404),
        },
    )
    def get(self, request: Request) -> Any:
        found = read(request, "format")
        match request.accepted_renderer.format:
            case "csv":
                return files.summary_csv(found)
            case "xlsx":
                return files.workbook(found, Channel.API)
            case _:
                return Response(WeeklySerializer(content(weekly.build(found))).data)


class WeeklyCases(Door):
    """The cases reported in a week as CSV rows, streamed: operational data, no names, no narrative."""

    renderer_classes = [CSVRenderer, JSONRenderer]
    checks_parameters = False

    @extend_schema(
        tags=["numbers"],
        summary="The case rows of a week as CSV",
        description="Each download is written into the journal with its filter and number of rows.",
        operation_id="reports_weekly_cases",
        parameters=WHICH,
        responses={(200, CSV): OpenApiTypes.STR, **PROBLEMS(400, 403, 404)},
    )
    def get(self, request: Request) -> Any:
        judge_file("rows", cast(User, request.user).current_postings)
        return files.cases_csv(read(request), Channel.API)


def read(request: Request, *also: str) -> Asked:
    """What the address asks for. 404 for whose posting has no summary, a problem that names each bad parameter."""
    user = cast(User, request.user)
    if not weekly.is_for(user):
        raise Http404
    try:
        found = asked.read(request.query_params, user, timezone.now(), also=also)
    except ValidationError as error:
        raise BadParameters({name: " ".join(texts) for name, texts in error.message_dict.items()}) from None
    if found is None:
        raise BadParameters({"election": _("No election is set up yet")})
    return found


def content(made: weekly.Weekly) -> dict[str, Any]:
    """The summary as plain values, in the order of the files."""
    return {
        "election": made.election.code,
        "week": made.week.code,
        "is_running": made.is_running,
        "time_zone": timezone.get_default_timezone_name(),
        "cut_off": made.cut_off,
        "counted": _span(made.counted),
        "compared": _span(made.compared),
        "made_at": made.made_at,
        "role": words.role(made),
        "scope": made.scope,
        "caveat": words.caveat(),
        "totals": [
            {
                "name": total.measure.name,
                "title": total.measure.title,
                "definition": total.measure.definition,
                "unit": total.measure.unit,
                **figure(total.figure),
            }
            for total in made.totals
        ],
        "categories": [_kind(kind, group.name) for group in made.groups for kind in group.categories],
        "all_categories": _kind(made.all_kinds, ""),
        "provinces": [_place(p) | {"districts": [_place(d) for d in p.districts]} for p in made.provinces],
        **weekly_sections.content(made.sections),
    }


def _span(period: Period) -> dict[str, Any]:
    return {"start": period.start, "end": period.end}


def _kind(kind: weekly.Kind, group: str) -> dict[str, Any]:
    severities = {severity.value: n for severity, n in kind.severities.items()}
    return {
        "code": kind.code,
        "name": kind.name,
        "group": group,
        "severities": severities,
        "reported": figure(kind.figure),
    }


def _place(place: weekly.Place) -> dict[str, Any]:
    figures = {name: figure(counted) for name, counted in place.figures.items()}
    return {"pcode": place.pcode, "name": place.name, **figures}
