"""A case as the API shows it. Tier T1 for everybody who may see the case, tier T2 only where `detailed_to` says so.

Identities (tier T3) have no field here, and neither has who reported: with a liaison that is a protected person.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from elections.models import Jurisdiction
from incidents.choices import Act, PointPrecision, ReferralBody
from incidents.models import Attachment, Incident, Referral

#: Fields only people with the details of the case get; for others they are not in the answer at all.
DETAILS = ("title", "narrative", "place_note", "point", "assignee")
#: What Django REST framework worked out for each serializer of cases; every serializer takes copies.
_FIELDS: dict[type, dict[str, Any]] = {}
#: Length of a commune's P-code: the exact place of tier T1.
COMMUNE = 8


class NamedSerializer(serializers.Serializer[Any]):
    """A code with its name in both languages."""

    code = serializers.CharField()
    name_km = serializers.CharField()
    name_en = serializers.CharField()


class PlaceSerializer(serializers.Serializer[Jurisdiction]):
    """Village, commune or district; the commune at most for readers without the details of the case."""

    pcode = serializers.CharField()
    level = serializers.CharField()
    name_km = serializers.CharField()
    name_en = serializers.CharField()


class PointSerializer(serializers.Serializer[Any]):
    """Degrees WGS 84."""

    lat = serializers.FloatField()
    lon = serializers.FloatField()
    precision = serializers.ChoiceField(PointPrecision.choices)


def place_for(incident: Incident, detailed: bool) -> Jurisdiction:
    """The place of the case as exactly as the reader may know it."""
    place = incident.place
    if not detailed and len(place.pcode) > COMMUNE and place.parent:
        return place.parent
    return place


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """A case in a list. Needs `context["detailed"]`: the keys of the cases whose details the reader may see."""

    election: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="code", read_only=True)
    category = NamedSerializer()
    owner = NamedSerializer(help_text="The command that answers for the case now.")
    assignee: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="username", read_only=True, allow_null=True, required=False, help_text="Details of the case only."
    )
    place = serializers.SerializerMethodField()
    point = serializers.SerializerMethodField(required=False, help_text="Details of the case only.")
    waits_for = serializers.CharField(
        source="request_act", help_text="An act that waits for a second person, or empty."
    )
    is_late_entry = serializers.BooleanField(help_text="Entered more than 24 hours after it happened.")
    id = serializers.UUIDField()

    class Meta:
        model = Incident
        fields = [
            "id", "reference", "election", "phase", "category",
            "state", "severity", "initial_severity", "verification", "classification", "proposed_classification",
            "owner", "rung", "highest_rung", "is_accepted", "assignee",
            "occurred_at", "time_precision", "reported_at", "is_late_entry", "channel",
            "place", "province_code", "district_code", "point", "title", "narrative", "place_note",
            "actor_type", "target_type", "means", "is_gender_based",
            "killed", "injured", "stations_affected", "minutes_stopped", "voters_affected",
            "is_sealed", "outcome", "dismiss_reason", "waits_for",
            "acknowledged_at", "first_update_at", "last_update_at", "contained_at", "resolved_at", "closed_at",
            "classified_at", "reopened_count", "snoozed_until", "next_due_at", "next_due_kind", "version", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            name: {"required": False, "help_text": "Details of the case only."}
            for name in ("title", "narrative", "place_note")
        }

    def get_fields(self) -> dict[str, Any]:
        # To work out forty fields from the model takes longer than to read and show the case.
        kind = type(self)
        if kind not in _FIELDS:
            _FIELDS[kind] = super().get_fields()
        return copy.deepcopy(_FIELDS[kind])

    def to_representation(self, incident: Incident) -> dict[str, Any]:
        """What the fields above say, read by hand: through them a page of cases takes a third of its request."""
        detailed, zone = self._is_detailed(incident), timezone.get_current_timezone()
        made: dict[str, Any] = {}
        for name in IncidentSerializer.Meta.fields:
            if name in _MADE:
                made[name] = _MADE[name](incident, detailed)
            elif name in _MOMENTS:
                made[name] = _moment(getattr(incident, name), zone)
            else:
                made[name] = getattr(incident, name)
        if not detailed:
            for name in DETAILS:
                made.pop(name, None)
        return made

    def _is_detailed(self, incident: Incident) -> bool:
        return incident.pk in self.context["detailed"]

    @extend_schema_field(PlaceSerializer)
    def get_place(self, incident: Incident) -> dict[str, Any]:
        return _place(incident, self._is_detailed(incident))

    @extend_schema_field(PointSerializer(allow_null=True))
    def get_point(self, incident: Incident) -> dict[str, Any] | None:
        return _point(incident, self._is_detailed(incident))


def _moment(value: dt.datetime | None, zone: dt.tzinfo) -> str | None:
    text = value.astimezone(zone).isoformat() if value else None
    return f"{text[:-6]}Z" if text and text.endswith("+00:00") else text


def _named(thing: Any) -> dict[str, str]:
    return {"code": thing.code, "name_km": thing.name_km, "name_en": thing.name_en}


def _place(incident: Incident, detailed: bool) -> dict[str, Any]:
    place = place_for(incident, detailed)
    return {name: getattr(place, name) for name in ("pcode", "level", "name_km", "name_en")}


def _point(incident: Incident, detailed: bool) -> dict[str, Any] | None:
    if incident.lat is None or incident.lon is None:
        return None
    return {"lat": incident.lat, "lon": incident.lon, "precision": incident.point_precision}


_MOMENTS = frozenset(f.name for f in Incident._meta.concrete_fields if isinstance(f, models.DateTimeField))
#: Fields that are not the value of a column as it stands.
_MADE: dict[str, Callable[[Incident, bool], Any]] = {
    "id": lambda incident, _detailed: str(incident.pk),
    "election": lambda incident, _detailed: incident.election.code,
    "category": lambda incident, _detailed: _named(incident.category),
    "owner": lambda incident, _detailed: _named(incident.owner),
    "assignee": lambda incident, _detailed: incident.assignee.username if incident.assignee else None,
    "place": _place,
    "point": _point,
    "waits_for": lambda incident, _detailed: incident.request_act,
}


class ReferralSerializer(serializers.Serializer[Any]):
    """What was handed to a body that decides by law; what is referred is alleged."""

    number = serializers.IntegerField(help_text="Its number in the case, from 1: `conclude_referral` names it so.")
    body = serializers.ChoiceField(ReferralBody.choices)
    document = serializers.CharField(required=False, help_text="Details of the case only.")
    sent_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="Null where the law sets no time.")
    outcome = serializers.CharField(help_text="Empty while it runs.")
    outcome_at = serializers.DateTimeField(allow_null=True)


def _referral(number: int, row: Referral, detailed: bool) -> dict[str, Any]:
    zone = timezone.get_current_timezone()
    made: dict[str, Any] = {"number": number, "body": row.body, "document": row.document, "outcome": row.outcome}
    made |= {name: _moment(getattr(row, name), zone) for name in ("sent_at", "due_at", "outcome_at")}
    if not detailed:
        made.pop("document")
    return made


class IncidentDetailSerializer(IncidentSerializer):
    """One case. Also needs `context["acts"]`, `["merged_into"]`, `["concerned"]` and `["referrals"]`, by number."""

    acts = serializers.SerializerMethodField(
        help_text="What you may do to the case now, at `…/acts/`; `attach` at `…/attachments/`."
    )
    merged_into = serializers.SerializerMethodField(help_text="The case this report was joined to, if you may see it.")
    concerned = serializers.SerializerMethodField(
        required=False, help_text="Units the report is about (sealed cases); details of the case only."
    )

    referrals = serializers.SerializerMethodField(help_text="To bodies that decide by law.")

    class Meta(IncidentSerializer.Meta):
        fields = [*IncidentSerializer.Meta.fields, "acts", "merged_into", "referrals", "concerned"]
        read_only_fields = fields

    def to_representation(self, incident: Incident) -> dict[str, Any]:
        row = super().to_representation(incident)
        row |= {"acts": self.get_acts(incident), "merged_into": self.get_merged_into(incident)}
        row["referrals"] = self.get_referrals(incident)
        if self._is_detailed(incident):
            row["concerned"] = self.get_concerned(incident)
        return row

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(Act.choices)))
    def get_acts(self, incident: Incident) -> list[str]:
        return list(self.context["acts"])

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_merged_into(self, incident: Incident) -> str | None:
        return self.context["merged_into"]  # type: ignore[no-any-return]

    @extend_schema_field(ReferralSerializer(many=True))
    def get_referrals(self, incident: Incident) -> list[dict[str, Any]]:
        detailed = self._is_detailed(incident)
        return [_referral(number, row, detailed) for number, row in self.context["referrals"].items()]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_concerned(self, incident: Incident) -> list[str]:
        return list(self.context["concerned"])


class ReceiptSerializer(serializers.ModelSerializer[Incident]):
    """What the writer of a report may know that is sealed from their own unit: that it was kept, under which number."""

    id = serializers.UUIDField()

    class Meta:
        model = Incident
        fields = ["id", "reference", "reported_at"]
        read_only_fields = fields


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    url = serializers.SerializerMethodField(help_text="As handed in; `?copy=1` for the copy without location.")
    has_copy = serializers.SerializerMethodField(help_text="An image has a smaller copy without its metadata.")

    class Meta:
        model = Attachment
        fields = ["id", "name", "content_type", "size", "sha256", "uploaded_at", "has_copy", "url"]

    @extend_schema_field(serializers.URLField())
    def get_url(self, attachment: Attachment) -> str:
        kwargs = {"pk": attachment.incident_id, "file": attachment.pk}
        return str(reverse("api:attachment", kwargs=kwargs, request=self.context.get("request")))

    def get_has_copy(self, attachment: Attachment) -> bool:
        return bool(attachment.derived)
