"""Places, elections, commands and categories: what the other addresses name by code. The same for all signed in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from commands.choices import BodyKind
from commands.models import SecurityCommand
from elections.calendar import phase_at
from elections.choices import Level, Phase
from elections.khmer import search_key
from elections.models import Election, Jurisdiction, PhaseWindow
from incidents.api.base import Door, ListDoor
from incidents.api.problems import TITLES, TYPE, BadParameters
from incidents.models import Category

NAMES = ["name_km", "name_en"]


class JurisdictionSerializer(serializers.ModelSerializer[Jurisdiction]):
    """A country, province, district, commune or village under the code the national gazetteer gives it."""

    parent = serializers.CharField(source="parent_id", allow_null=True)  # type: ignore[assignment]
    successor = serializers.CharField(source="successor_id", allow_null=True)

    class Meta:
        model = Jurisdiction
        fields = ["pcode", "level", "parent", *NAMES, "kind_km", "kind_en", "lat", "lon", "valid_from", "valid_to",
                  "successor", "is_fictional"]  # fmt: skip


class PhaseWindowSerializer(serializers.ModelSerializer[PhaseWindow]):
    jurisdiction = serializers.CharField(source="jurisdiction_id", allow_null=True)

    class Meta:
        model = PhaseWindow
        fields = ["phase", "jurisdiction", "starts_at", "ends_at", "basis"]


class ElectionSerializer(serializers.ModelSerializer[Election]):
    phases = PhaseWindowSerializer(source="windows", many=True)
    current_phase = serializers.SerializerMethodField()

    class Meta:
        model = Election
        fields = ["code", *NAMES, "type", "suffrage", "polling_on", "expected_year", "polls_open", "polls_close",
                  "stations", "voters", "is_locked", "current_phase", "phases"]  # fmt: skip

    def get_current_phase(self, election: Election) -> str:
        return phase_at(election, timezone.now()).value


class CommandSerializer(serializers.ModelSerializer[SecurityCommand]):
    """A command of the ladder, or a body beside it (`rung` is null)."""

    parent: Any = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    jurisdiction = serializers.CharField(source="jurisdiction_id")
    rung = serializers.IntegerField(allow_null=True)

    class Meta:
        model = SecurityCommand
        fields = ["code", *NAMES, "kind", "force", "rung", "parent", "jurisdiction", "dissolved_on"]


class CategorySerializer(serializers.ModelSerializer[Category]):
    phases = serializers.SerializerMethodField(help_text="Phases it is offered first in; empty means all.")

    class Meta:
        model = Category
        fields = ["code", *NAMES, "group_code", "group_km", "group_en", "default_severity", "nature", "phases",
                  "is_conflict_route", "is_speech", "ever_code", "acled_code", "retired_on"]  # fmt: skip

    def get_phases(self, category: Category) -> list[str]:
        return category.phases.split()


def _choice(request: Request, name: str, allowed: list[str]) -> str:
    value = request.query_params.get(name, "")
    if value and value not in allowed:
        sentence = _("«%(value)s» is not one of: %(allowed)s.")
        raise BadParameters({name: sentence % {"value": value[:60], "allowed": ", ".join(allowed)}})
    return value


def _day(request: Request, name: str) -> dt.date:
    text = request.query_params.get(name, "")
    try:
        return dt.date.fromisoformat(text) if text else timezone.localdate()
    except ValueError:
        raise BadParameters({name: _("Write the day as year-month-day, like 2027-06-03.")}) from None


def _known(model: type[Model], request: Request, name: str, key: str) -> str:
    """The code in parameter `name`, which must exist."""
    value = request.query_params.get(name, "")
    if value and not model._default_manager.filter(**{key: value}).exists():
        raise BadParameters({name: _("There is no «%(value)s».") % {"value": value[:60]}})
    return value


@extend_schema_view(
    get=extend_schema(
        tags=["reference"],
        summary="Places, by level, parent and name",
        parameters=[
            OpenApiParameter("level", enum=Level.values),
            OpenApiParameter("parent", description="P-code; its direct children."),
            OpenApiParameter("under", description="P-code; its whole subtree."),
            OpenApiParameter("search", description="Part of a name, Khmer or English, spelt tolerantly."),
            OpenApiParameter("on", OpenApiTypes.DATE, description="Places that exist on this day; today if not given."),
        ],
    )
)
class Jurisdictions(ListDoor):
    """Places in the order of their codes."""

    serializer_class = JurisdictionSerializer
    parameters = ("level", "parent", "under", "search", "on")
    ordering = ("pcode",)
    queryset = Jurisdiction.objects.all()

    def get_queryset(self) -> QuerySet[Jurisdiction]:
        places = Jurisdiction.objects.current_on(_day(self.request, "on"))
        if level := _choice(self.request, "level", Level.values):
            places = places.at(level)
        if parent := _known(Jurisdiction, self.request, "parent", "pk"):
            places = places.filter(parent=parent)
        if under := _known(Jurisdiction, self.request, "under", "pk"):
            places = places.under(under)
        text = self.request.query_params.get("search", "")[:100]
        for word in search_key(text).split():
            places = places.filter(search_key__contains=word)
        return places


@extend_schema_view(get=extend_schema(tags=["reference"], summary="One place"))
class JurisdictionDetail(Door, generics.RetrieveAPIView[Jurisdiction]):
    """One place."""

    serializer_class = JurisdictionSerializer
    queryset = Jurisdiction.objects.all()
    lookup_field = "pcode"


@extend_schema_view(get=extend_schema(tags=["reference"], summary="Elections with their phases"))
class Elections(ListDoor):
    """Elections, the latest code first."""

    serializer_class = ElectionSerializer
    queryset = Election.objects.with_windows()
    ordering = ("-code",)


@extend_schema_view(get=extend_schema(tags=["reference"], summary="One election with its phases"))
class ElectionDetail(Door, generics.RetrieveAPIView[Election]):
    """One election."""

    serializer_class = ElectionSerializer
    queryset = Election.objects.with_windows()
    lookup_field = "code"


@extend_schema_view(
    get=extend_schema(
        tags=["reference"],
        summary="Commands of the ladder, and the bodies beside it",
        parameters=[
            OpenApiParameter("kind", enum=BodyKind.values),
            OpenApiParameter("parent", description="Code; the commands directly under it."),
            OpenApiParameter("jurisdiction", description="P-code; the commands of that place."),
            OpenApiParameter("dissolved", enum=["no", "yes"], description="`yes` adds dissolved commands."),
        ],
    )
)
class Commands(ListDoor):
    """Commands in the order of the tree."""

    serializer_class = CommandSerializer
    parameters = ("kind", "parent", "jurisdiction", "dissolved")
    ordering = ("path",)
    queryset = SecurityCommand.objects.select_related("parent")

    def get_queryset(self) -> QuerySet[SecurityCommand]:
        commands = SecurityCommand.objects.select_related("parent")
        if _choice(self.request, "dissolved", ["no", "yes"]) != "yes":
            commands = commands.active()
        if kind := _choice(self.request, "kind", BodyKind.values):
            commands = commands.filter(kind=kind)
        if parent := _known(SecurityCommand, self.request, "parent", "code"):
            commands = commands.filter(parent__code=parent)
        if place := _known(Jurisdiction, self.request, "jurisdiction", "pk"):
            commands = commands.filter(jurisdiction=place)
        return commands


@extend_schema_view(
    get=extend_schema(
        tags=["reference"],
        summary="What can be reported",
        parameters=[
            OpenApiParameter("phase", enum=Phase.values, description="Offered in this phase."),
            OpenApiParameter("retired", enum=["no", "yes"], description="`yes` adds retired codes."),
        ],
    )
)
class Categories(ListDoor):
    """The taxonomy, with the phases each category is offered first in."""

    serializer_class = CategorySerializer
    parameters = ("phase", "retired")
    ordering = ("code",)
    queryset = Category.objects.all()

    def get_queryset(self) -> QuerySet[Category]:
        categories = Category.objects.all()
        if _choice(self.request, "retired", ["no", "yes"]) != "yes":
            categories = categories.filter(retired_on=None)
        if phase := _choice(self.request, "phase", Phase.values):
            categories = categories.filter(Q(phases="") | Q(phases__contains=phase))
        return categories


class ProblemTypes(Door):
    """Where `type` of a problem leads."""

    @extend_schema(tags=["reference"], summary="Every type of problem", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response([{"type": TYPE + kind, "title": str(title)} for kind, title in TITLES.items()])
