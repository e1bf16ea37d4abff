"""OpenAPI: what the serializers cannot say by themselves — tokens, problems, filters, one body for each act."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer
from rest_framework import serializers

from elections.choices import Phase
from incidents.api.inputs import ACTS
from incidents.choices import Classification, Severity, State, Verification
from incidents.filters import MINE, STATE_GROUPS, TEXT_LIMIT


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "incidents.api.authentication.BearerTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of yours, from your account page or `manage.py create_token`. "
            "It can do what your postings can do, and nothing more.",
        }


class ProblemErrorSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(required=False, help_text="JSON Pointer to the field; empty for the whole content.")
    parameter = serializers.CharField(required=False, help_text="Query parameter.")
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457. Texts are in the language of `Accept-Language`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    errors = ProblemErrorSerializer(many=True, required=False)  # type: ignore[assignment]
    meanwhile = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="409 only: what was done since your version."
    )
    id = serializers.UUIDField(required=False, help_text="500 only: quote it to your administrator.")


WHEN = {
    400: "A field, a parameter or the content as a whole cannot be read; `errors` names each.",
    403: "Your postings do not allow it; `detail` says why.",
    404: "Nothing here that you may see.",
    409: "The case changed meanwhile (`meanwhile` lists how), or the act is not possible in its state.",
    413: "Larger than the server reads.",
    415: "Another content type.",
    422: "The same id or key came before with another report.",
    428: "No version given.",
}


def PROBLEMS(*codes: int) -> dict[Any, OpenApiResponse]:
    return {(code, "application/problem+json"): OpenApiResponse(ProblemSerializer, WHEN[code]) for code in codes}


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="Instead of `id`: any text that names this report. Sent again, it makes no second case.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description='The ETag of the case as you read it, like `"3"`; or send `version` in the content.',
)


def _many(name: str, values: list[str], text: str = "") -> OpenApiParameter:
    return OpenApiParameter(name, enum=values, many=True, description=text)


FILTERS = [
    OpenApiParameter("election", description="Code."),
    OpenApiParameter("phase", enum=Phase.values),
    OpenApiParameter("place", description="P-code; the place and everything in it."),
    OpenApiParameter("category", many=True, description="Codes of categories or of their groups."),
    _many("severity", Severity.values),
    _many("state", [*(s for s in State.values if s != State.DRAFT), *STATE_GROUPS]),
    OpenApiParameter("owner", description="Code of the command that answers for the case now."),
    OpenApiParameter("classification", enum=Classification.values),
    OpenApiParameter("verification", enum=Verification.values),
    *(
        OpenApiParameter(name, OpenApiTypes.DATE, description="Local day, included.")
        for name in ("occurred_from", "occurred_to", "reported_from", "reported_to")
    ),
    OpenApiParameter("q", {"type": "string", "maxLength": TEXT_LIMIT}, description="Reference, its number, or words."),
    OpenApiParameter("mine", enum=MINE),
]

ACT_REQUEST = PolymorphicProxySerializer(
    component_name="AnyAct",
    serializers=dict(ACTS),
    resource_type_field_name="act",
    many=False,
)
ACT_EXAMPLES = [
    OpenApiExample("Acknowledge", {"act": "acknowledge", "version": 1}, request_only=True),
    OpenApiExample(
        "Escalate", {"act": "escalate", "version": 3, "reason": "More forces are needed."}, request_only=True
    ),
]


def without_column_bounds(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """What the API answers has no bounds of its own; those of the columns differ between the two databases."""
    for name, component in result["components"]["schemas"].items():
        if not name.endswith("Request"):
            for schema in component.get("properties", {}).values():
                for bound in ("minimum", "maximum", "format") if "integer" in schema.get("type", "") else ():
                    schema.pop(bound, None)
    return result
