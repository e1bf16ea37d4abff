"""The journal of a case as the API shows it: who in which role, through which door, from what to what.

The journal holds stored values. Shown are those of a list, by code and never by database key; without the details of a
case no words, exact place or person. People are told by role and command, never by name; of protected identities
nothing but that something was done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from commands.choices import Role
from commands.models import SecurityCommand, User
from incidents.choices import Act
from incidents.models import Entry, Incident

#: Tier T1: changes everybody who may see the case may know.
SHOWN = frozenset({
    "state", "severity", "verification", "classification", "proposed_classification", "owner", "highest_rung",
    "is_accepted", "category", "place", "occurred_at", "time_precision", "actor_type", "target_type", "means",
    "is_gender_based", "killed", "injured", "stations_affected", "minutes_stopped", "voters_affected", "outcome",
    "dismiss_reason", "request_act", "requested", "acknowledged_at", "first_update_at", "last_update_at",
    "contained_at", "resolved_at", "closed_at", "classified_at", "reopened_count", "snoozed_until", "until", "quiet",
    "same_command", "lapsed", "referral", "body", "sent_at", "due_at", "referral_outcome", "clock", "policy",
})  # fmt: skip
#: Tier T2, beside the note and the reason.
SHOWN_IN_DETAIL = SHOWN | {
    "title", "place_note", "lat", "lon", "point_precision", "assignee", "file", "sha256", "station", "from", "to",
    "document",
}  # fmt: skip
#: Acts whose values are never shown: protected identities, and who may open them.
PROTECTED = frozenset({Act.RECORD_PERSON, Act.GRANT_IDENTITY, Act.OPEN_IDENTITY})
#: Length of a commune's P-code.
COMMUNE = 8


def entries_of(incident: Incident) -> QuerySet[Entry]:
    return incident.entries.select_related("posting", "command")


class WhoSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    command = serializers.CharField(help_text="Code; empty for a liaison office, which may be a person to protect.")


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """One act. `by` is null for the engine. Needs `context["detailed"]` and `context["words"]`."""

    by = serializers.SerializerMethodField()
    before = serializers.SerializerMethodField(help_text="Changed values, as they were.")
    after = serializers.SerializerMethodField(help_text="Changed values, as they became.")

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
        if entry.by_id is None:
            return None
        role = entry.posting.role if entry.posting else ""
        return {"role": role, "command": entry.command.code if entry.command and role != Role.LIAISON else ""}

    @extend_schema_field(serializers.DictField())
    def get_before(self, entry: Entry) -> dict[str, Any]:
        return self._values(entry, entry.before)

    @extend_schema_field(serializers.DictField())
    def get_after(self, entry: Entry) -> dict[str, Any]:
        return self._values(entry, entry.after)

    def _values(self, entry: Entry, values: dict[str, Any]) -> dict[str, Any]:
        if entry.act in PROTECTED:
            return {}
        detailed = self.context["detailed"]
        names = SHOWN_IN_DETAIL if detailed else SHOWN
        shown = {name: value for name, value in values.items() if name in names}
        for name in ("owner", "assignee"):
            if isinstance(shown.get(name), int):
                shown[name] = self.context["words"].get((name, shown[name]))
        for name in [n for n in shown if n.endswith("_at") and isinstance(shown[n], str)]:
            # The journal keeps UTC; the API speaks in the offset of the country.
            shown[name] = timezone.localtime(dt.datetime.fromisoformat(shown[name])).isoformat()
        if not detailed and isinstance(shown.get("place"), str):
            shown["place"] = shown["place"][:COMMUNE]
        return shown


def rows(entries: Iterable[Entry], *, detailed: bool) -> list[dict[str, Any]]:
    """Entries as the API shows them, at a fixed number of queries."""
    listed = list(entries)
    prefetch_related_objects(listed, "posting", "command")
    context = {"detailed": detailed, "words": _words(listed)}
    return list(EntrySerializer(listed, many=True, context=context).data)


def _words(entries: list[Entry]) -> dict[tuple[str, Any], str]:
    """Codes of commands and user names of people for the keys the journal stores."""
    keys: dict[str, set[Any]] = {"owner": set(), "assignee": set()}
    for entry in entries:
        for values in (entry.before, entry.after):
            for name, found in keys.items():
                if isinstance(values.get(name), int):
                    found.add(values[name])
    words: dict[tuple[str, Any], str] = {}
    if keys["owner"]:
        commands = SecurityCommand.objects.filter(pk__in=keys["owner"])
        words |= {("owner", pk): code for pk, code in commands.values_list("pk", "code")}
    if keys["assignee"]:
        people = User.objects.filter(pk__in=keys["assignee"])
        words |= {("assignee", pk): name for pk, name in people.values_list("pk", "username")}
    return words
