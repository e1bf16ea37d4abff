"""The journal of a case as the API shows it: who in which role, through which door, from what to what.

The journal holds stored values, so what a reader of the case may not see is taken out here too: narrative and exact
place (tier T2), database keys, and the name of a liaison who filed the report (a protected person).
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from commands.choices import Role
from incidents.choices import Act
from incidents.models import Entry, Incident

#: Stored values of tier T2.
EXACT = frozenset({"title", "narrative", "place_note", "lat", "lon", "point_precision", "attachment", "name", "sha256"})
#: Acts whose values are never shown: protected identities, and who may open them.
PROTECTED = frozenset({Act.RECORD_PERSON, Act.GRANT_IDENTITY, Act.OPEN_IDENTITY})


def entries_of(incident: Incident) -> QuerySet[Entry]:
    return incident.entries.select_related("by", "posting", "command")


class WhoSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    command = serializers.CharField()
    person = serializers.CharField(allow_null=True, help_text="User name; details of the case only.")


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """One act. `by` is null for the engine."""

    by = serializers.SerializerMethodField()
    before = serializers.SerializerMethodField()
    after = serializers.SerializerMethodField()

    class Meta:
        model = Entry
        fields = ["version", "act", "at", "channel", "by", "before", "after", "reason", "note"]
        extra_kwargs = {
            name: {"required": False, "help_text": "Details of the case only."} for name in ("reason", "note")
        }

    def to_representation(self, entry: Entry) -> dict[str, Any]:
        row = super().to_representation(entry)
        if not self.context["detailed"] or entry.act in PROTECTED:
            row.pop("reason")
            row.pop("note")
        return row

    @extend_schema_field(WhoSerializer(allow_null=True))
    def get_by(self, entry: Entry) -> dict[str, Any] | None:
        if entry.by is None:
            return None
        role = entry.posting.role if entry.posting else ""
        named = self.context["detailed"] and role != Role.LIAISON
        command = entry.command.code if entry.command and role != Role.LIAISON else ""
        return {"role": role, "command": command, "person": entry.by.get_username() if named else None}

    @extend_schema_field(serializers.DictField())
    def get_before(self, entry: Entry) -> dict[str, Any]:
        return self._values(entry, entry.before)

    @extend_schema_field(serializers.DictField())
    def get_after(self, entry: Entry) -> dict[str, Any]:
        return self._values(entry, entry.after)

    def _values(self, entry: Entry, values: dict[str, Any]) -> dict[str, Any]:
        if entry.act in PROTECTED:
            return {}
        shown = {name: value for name, value in values.items() if name not in KEYS}
        if not self.context["detailed"]:
            shown = {name: value for name, value in shown.items() if name not in EXACT}
            if isinstance(shown.get("place"), str):
                shown["place"] = shown["place"][:8]
        return shown


#: Stored database keys of people: numbers that mean nothing outside.
KEYS = frozenset({"reporter", "request_by", "resolved_by", "merged_into", "concerned", "subjects", "custody"})
