"""Escalation policies, to read: the published versions are everybody's, drafts are of those who write them."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.request import Request

from commands.models import User
from elections.choices import Phase
from elections.models import Election
from incidents import policies
from incidents.api.base import Door, ListDoor
from incidents.api.reference import _choice, _known
from incidents.choices import ClockKind, Deed, Severity
from incidents.models import Policy, PolicyStep, ResponseTarget
from incidents.policy_actions import may_draft

STANDINGS = ["draft", "in_force", "replaced"]


class TargetSerializer(serializers.ModelSerializer[ResponseTarget]):
    """Time allowed in minutes: from the report, to resolve from containment."""

    phase = serializers.ChoiceField(choices=Phase.values)
    severity = serializers.ChoiceField(choices=Severity.values)

    class Meta:
        model = ResponseTarget
        fields = ["phase", "severity", "acknowledge_minutes", "first_update_minutes", "update_every_minutes",
                  "contain_minutes", "resolve_minutes", "verify_minutes"]  # fmt: skip


class StepSerializer(serializers.ModelSerializer[PolicyStep]):
    """What happens at a part of a clock's time; 100 per cent is its deadline."""

    clock = serializers.ChoiceField(choices=ClockKind.values)
    deed = serializers.ChoiceField(choices=Deed.values)
    rung = serializers.IntegerField(
        allow_null=True, help_text="At least so high: 2 province, 3 PSC; null is the next command above the owner."
    )

    class Meta:
        model = PolicyStep
        fields = ["clock", "number", "percent", "deed", "rung"]


class PolicySerializer(serializers.ModelSerializer[Policy]):
    """A version without its tables."""

    election = serializers.SlugRelatedField(  # type: ignore[var-annotated]
        slug_field="code", read_only=True, allow_null=True, help_text="null is the general policy."
    )
    code = serializers.SerializerMethodField(help_text="First part of its address: the election's code, or general.")
    standing = serializers.SerializerMethodField()

    class Meta:
        model = Policy
        fields = ["code", "number", "election", "standing", "note", "created_at", "published_at", "tight_from_hour",
                  "tight_medium_minutes", "repeat_minutes"]  # fmt: skip

    def get_code(self, policy: Policy) -> str:
        return policies.code_of(policy)

    @extend_schema_field(serializers.ChoiceField(choices=STANDINGS))
    def get_standing(self, policy: Policy) -> str:
        if policy.published_at is None:
            return "draft"
        return "in_force" if policy.pk in self._in_force else "replaced"

    @cached_property
    def _in_force(self) -> set[int]:
        """Read once for a list, whose rows share this serializer."""
        return _in_force()


class PolicyDetailSerializer(PolicySerializer):
    """A version with its targets and steps."""

    targets = TargetSerializer(many=True)
    steps = StepSerializer(many=True)

    class Meta(PolicySerializer.Meta):
        fields = [*PolicySerializer.Meta.fields, "targets", "steps"]


def _in_force() -> set[int]:
    """Keys of the versions in force, one an election and the general one."""
    return {p.pk for p in policies.in_force([None, *Election.objects.all()], timezone.now()).values()}


def _readable(request: Request) -> QuerySet[Policy]:
    found = Policy.objects.select_related("election")
    return found if _reads_drafts(request) else found.exclude(published_at=None)


def _reads_drafts(request: Request) -> bool:
    return isinstance(request.user, User) and may_draft(request.user)


@extend_schema_view(
    get=extend_schema(
        tags=["reference"],
        summary="Escalation policies, their versions",
        parameters=[
            OpenApiParameter("election", description="Code; only the versions of that election."),
            OpenApiParameter("standing", enum=STANDINGS),
        ],
    )
)
class Policies(ListDoor):
    """Versions, the latest first; drafts for the PSC watch and the NEC secretariat."""

    serializer_class = PolicySerializer
    parameters = ("election", "standing")
    ordering = ("-created_at", "-pk")
    queryset = Policy.objects.select_related("election")

    def get_queryset(self) -> QuerySet[Policy]:
        found = _readable(self.request)
        if election := _known(Election, self.request, "election", "code"):
            found = found.filter(election__code=election)
        match _choice(self.request, "standing", STANDINGS):
            case "draft":
                return found.filter(published_at=None)
            case "in_force":
                return found.filter(pk__in=_in_force())
            case "replaced":
                return found.exclude(published_at=None).exclude(pk__in=_in_force())
        return found


@extend_schema_view(
    get=extend_schema(
        tags=["reference"],
        summary="One version with its targets and steps",
        parameters=[
            OpenApiParameter(
                "code", OpenApiTypes.STR, OpenApiParameter.PATH, description="Election's code, or general."
            ),
            OpenApiParameter("number", OpenApiTypes.INT, OpenApiParameter.PATH),
        ],
    )
)
class PolicyDetail(Door, generics.RetrieveAPIView[Policy]):
    """One version."""

    serializer_class = PolicyDetailSerializer
    queryset = Policy.objects.select_related("election")

    def get_object(self) -> Policy:
        found = policies.numbered(self.kwargs["code"], self.kwargs["number"])
        if found is None or (found.published_at is None and not _reads_drafts(self.request)):
            raise Http404
        return found
