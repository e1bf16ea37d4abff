"""What the API takes in: types and sizes. What is possible and allowed is decided in `actions`, for every door."""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from incidents.api.base import Strict
from incidents.choices import (
    Act,
    ActorType,
    Classification,
    DismissReason,
    Means,
    Outcome,
    PointPrecision,
    ReferralBody,
    ReferralOutcome,
    Severity,
    TargetType,
    TimePrecision,
    Verification,
)

#: Above any count a real case can have, below what a column holds.
MOST = 100_000_000
#: Characters; `actions` may allow fewer.
LONGEST = 20_000


class Degrees(serializers.FloatField):
    """A finite number: `float("nan")` passes every comparison of a range."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


def _words(**more: Any) -> Any:
    return serializers.CharField(max_length=LONGEST, **more)


def _note() -> Any:
    return _words(required=False, allow_blank=True, default="")


def _count() -> Any:
    return serializers.IntegerField(min_value=0, max_value=MOST, required=False)


class ImpactSerializer(Strict):
    killed = _count()
    injured = _count()
    stations_affected = _count()
    minutes_stopped = _count()
    voters_affected = _count()


class ReportSerializer(ImpactSerializer):
    """A report. `id` (a UUID the client makes) or the header `Idempotency-Key` makes sending it twice harmless."""

    id = serializers.UUIDField(required=False, help_text="Made by the client; the case keeps it.")
    category = serializers.CharField(max_length=6, help_text="Code; `UNK-00` when unsure.")
    occurred_at = serializers.DateTimeField(help_text="ISO 8601; without an offset, Phnom Penh time.")
    time_precision = serializers.ChoiceField(TimePrecision.choices, required=False)
    place = serializers.CharField(max_length=12, help_text="P-code of a village, commune or district.")
    lat = Degrees(min_value=-90, max_value=90, required=False, allow_null=True, help_text="Degrees WGS 84.")
    lon = Degrees(min_value=-180, max_value=180, required=False, allow_null=True, help_text="Degrees WGS 84.")
    point_precision = serializers.ChoiceField(PointPrecision.choices, required=False)
    narrative = _words(help_text="What happened. No names of persons harmed, witnesses or sources.")
    title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    place_note = serializers.CharField(max_length=200, required=False, allow_blank=True)
    severity = serializers.ChoiceField(
        Severity.choices, required=False, help_text="Suggested from the category if not given."
    )
    actor_type = serializers.ChoiceField(ActorType.choices, required=False)
    target_type = serializers.ChoiceField(TargetType.choices, required=False, allow_blank=True)
    means = serializers.ChoiceField(Means.choices, required=False, allow_blank=True)
    is_gender_based = serializers.BooleanField(required=False)
    concerned = serializers.ListField(
        child=serializers.CharField(max_length=24), max_length=10, required=False,
        help_text="Codes of commands the report is about: the case is sealed from them.",
    )  # fmt: skip
    concerned_civil = serializers.BooleanField(
        required=False, help_text="The civil authority of that unit's place is meant, not the command."
    )
    election = serializers.CharField(
        max_length=12, required=False,
        help_text="Code; the current one if not given. While one is under way, another only for what happened before "
        "that began, or in the time of the other.",
    )  # fmt: skip
    confirmed_early = serializers.BooleanField(
        required=False, help_text="A date before the election's first phase is meant as written."
    )


class ActSerializer(Strict):
    """Every act: which, and the version of the case it is based on (here or in `If-Match`)."""

    act = serializers.CharField(max_length=20)
    version = serializers.IntegerField(min_value=1, max_value=2_147_483_647, required=False)


def _reason() -> Any:
    return _words()


class AcknowledgeAct(ActSerializer):
    note = _note()
    not_concerned = serializers.BooleanField(
        default=True, help_text="False if the report is about you or your unit: then you must not take the case."
    )


class NoteAct(ActSerializer):
    note = _note()


class UpdateAct(ActSerializer):
    note = _words()
    is_quiet = serializers.BooleanField(
        default=False, help_text="Nothing new: such an update does not break the quiet that handing back waits for."
    )


class AssignAct(ActSerializer):
    assignee = serializers.CharField(max_length=150, allow_null=True, help_text="User name; null for nobody.")
    note = _note()


class SeverityAct(ActSerializer):
    severity = serializers.ChoiceField(Severity.choices)
    reason = _note()


class LowerSeverityAct(ActSerializer):
    severity = serializers.ChoiceField(Severity.choices)
    reason = _reason()


class EscalateAct(ActSerializer):
    to = serializers.CharField(
        max_length=24, required=False, allow_blank=True, default="", help_text="Command code; empty for the next above."
    )
    reason = _reason()


class ReasonAct(ActSerializer):
    reason = _reason()


class HandBackAct(ReasonAct):
    reassessed = serializers.BooleanField(
        default=True, help_text="You looked at the severity again and it is right. False is refused."
    )


class SnoozeAct(ReasonAct):
    until = serializers.DateTimeField(
        help_text="ISO 8601; without an offset, Phnom Penh time. At most 72 hours ahead, and never past the beginning "
        "of the silence-day rules or of the vote at the place of the case; 2 hours until the count is over."
    )


class WakeAct(ActSerializer):
    reason = _note()


class ReferAct(ActSerializer):
    body = serializers.ChoiceField(ReferralBody.choices)
    document = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    sent_at = serializers.DateTimeField(help_text="ISO 8601; without an offset, Phnom Penh time.")
    note = _note()


class ConcludeReferralAct(ActSerializer):
    referral = serializers.IntegerField(min_value=1, max_value=100_000, help_text="Its number in the case, from 1.")
    outcome = serializers.ChoiceField(ReferralOutcome.choices)
    note = _note()


class ContainAct(ActSerializer, ImpactSerializer):
    note = _note()


class ResolveAct(ActSerializer):
    outcome = serializers.ChoiceField(Outcome.choices)
    verification = serializers.ChoiceField(Verification.choices, required=False)
    note = _note()


class VerifyAct(ActSerializer):
    verification = serializers.ChoiceField(Verification.choices)
    note = _note()


class ProposeAct(ActSerializer):
    classification = serializers.ChoiceField(Classification.choices)
    note = _note()


class ClassifyAct(ActSerializer):
    classification = serializers.ChoiceField(Classification.choices)
    reason = _note()


class CorrectionSerializer(ImpactSerializer):
    """The fields to change, with their right values; the timeline keeps the old ones. A narrative is only added to."""

    category = serializers.CharField(max_length=6, required=False)
    occurred_at = serializers.DateTimeField(required=False)
    time_precision = serializers.ChoiceField(TimePrecision.choices, required=False)
    place = serializers.CharField(max_length=12, required=False)
    lat = Degrees(min_value=-90, max_value=90, required=False, allow_null=True)
    lon = Degrees(min_value=-180, max_value=180, required=False, allow_null=True)
    point_precision = serializers.ChoiceField(PointPrecision.choices, required=False)
    title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    place_note = serializers.CharField(max_length=200, required=False, allow_blank=True)
    actor_type = serializers.ChoiceField(ActorType.choices, required=False)
    target_type = serializers.ChoiceField(TargetType.choices, required=False, allow_blank=True)
    means = serializers.ChoiceField(Means.choices, required=False, allow_blank=True)
    is_gender_based = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("lat" in attrs) != ("lon" in attrs) or (attrs.get("lat") is None) != (attrs.get("lon") is None):
            raise serializers.ValidationError({"lat": _("A point needs both latitude and longitude.")})
        return attrs


class CorrectAct(ActSerializer):
    fields_ = CorrectionSerializer()
    reason = _reason()

    def get_fields(self) -> dict[str, Any]:
        """`fields` is DRF's own name on a serializer, so the declared one is renamed here."""
        declared = super().get_fields()
        return {("fields" if name == "fields_" else name): field for name, field in declared.items()}


class MergeAct(ActSerializer):
    survivor = serializers.UUIDField(help_text="The case that goes on.")


class DismissAct(ActSerializer):
    dismiss_reason = serializers.ChoiceField(DismissReason.choices)
    reason = _reason()


class RelocateAct(ActSerializer):
    station = serializers.CharField(max_length=120)
    old_place = serializers.CharField(max_length=200)
    new_place = serializers.CharField(max_length=200)
    voters_affected = serializers.IntegerField(min_value=0, max_value=MOST)


def _act(act: Act, fields: type[ActSerializer]) -> type[ActSerializer]:
    """The content of one act, under a name of its own in the schema and with `act` fixed."""
    name = "Act" + act.value.title().replace("_", "")
    return type(name, (fields,), {"act": serializers.ChoiceField([act.value]), "__doc__": str(fields.__doc__ or "")})


#: Every act a person may do through the API. Protected identities are recorded, granted and opened in the browser only.
ACTS: dict[str, type[ActSerializer]] = {
    act.value: _act(act, fields)
    for act, fields in {
        Act.ACKNOWLEDGE: AcknowledgeAct,
        Act.ACCEPT: NoteAct,
        Act.UPDATE: UpdateAct,
        Act.ASSIGN: AssignAct,
        Act.RAISE_SEVERITY: SeverityAct,
        Act.LOWER_SEVERITY: LowerSeverityAct,
        Act.ESCALATE: EscalateAct,
        Act.HAND_BACK: HandBackAct,
        Act.CONTAIN: ContainAct,
        Act.FLARE_UP: ReasonAct,
        Act.RESOLVE: ResolveAct,
        Act.CLOSE: NoteAct,
        Act.REOPEN: ReasonAct,
        Act.VERIFY: VerifyAct,
        Act.PROPOSE: ProposeAct,
        Act.CLASSIFY: ClassifyAct,
        Act.CORRECT: CorrectAct,
        Act.MERGE: MergeAct,
        Act.UNMERGE: ReasonAct,
        Act.WITHDRAW: ReasonAct,
        Act.DISMISS: DismissAct,
        Act.COUNTERSIGN: NoteAct,
        Act.DECLINE: ReasonAct,
        Act.RELOCATE_STATION: RelocateAct,
        Act.SNOOZE: SnoozeAct,
        Act.WAKE: WakeAct,
        Act.REFER: ReferAct,
        Act.CONCLUDE_REFERRAL: ConcludeReferralAct,
    }.items()
}


def read_act(data: Any) -> tuple[str, dict[str, Any]]:
    """The act and its typed fields, `version` among them if given. Raises DRF's ValidationError."""
    act = data.get("act") if hasattr(data, "get") else None
    if act == Act.ATTACH:
        raise serializers.ValidationError({"act": [_("Send files to …/attachments/ of the case.")]})
    if not isinstance(act, str) or act not in ACTS:
        raise serializers.ValidationError({"act": [_("Name one of these acts: %(acts)s.") % {"acts": ", ".join(ACTS)}]})
    serializer = ACTS[act](data=data)
    serializer.is_valid(raise_exception=True)
    fields = dict(serializer.validated_data)
    fields.pop("act")
    return act, fields
