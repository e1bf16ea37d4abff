"""The same report sent twice: the key a client gives, and what it said the first time.

No table remembers requests. The key becomes the id of the case, and what was reported is read back from the case and
its journal: a field changed since has its first value in the `before` of the first entry that changed it.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
import uuid
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request

from incidents.actions import Report
from incidents.api.problems import Problem
from incidents.models import Incident

LONGEST_KEY = 255
NAMESPACE = uuid.UUID("6f1d1f0e-6f0a-5d6c-9a39-0d9f4c1f8a52")
#: What a report says and the case keeps as said; severity and the units concerned are compared apart.
FIELDS = (
    "occurred_at", "place", "narrative", "title", "place_note", "lat", "lon", "killed", "injured",
    "stations_affected", "minutes_stopped", "voters_affected", "category", "time_precision", "point_precision",
    "actor_type", "target_type", "means", "is_gender_based",
)  # fmt: skip


def id_from(request: Request) -> uuid.UUID | None:
    """The id that `Idempotency-Key` stands for: the same person and key give the same id, on any machine."""
    key = request.headers.get("Idempotency-Key", "").strip().strip('"')
    if not key:
        return None
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem("bad-request", 400, _("An Idempotency-Key has at most 255 printable characters."))
    return uuid.uuid5(NAMESPACE, f"{request.user.pk}:{key}")


def same_report(incident: Incident, wanted: Report) -> bool:
    """Whether `wanted` says what was reported as `incident`, whatever happened to the case since."""
    first = _as_reported(incident)
    same = all(_plain(first[name]) == _plain(getattr(wanted, name)) for name in FIELDS)
    return same and wanted.severity in ("", incident.initial_severity) and _same_units(incident, wanted)


def _same_units(incident: Incident, wanted: Report) -> bool:
    """The units concerned; a category of the conflict route finds one by itself where the report names none."""
    units = set(incident.subjects.values_list("command__code", flat=True))
    return units == set(wanted.concerned) or (not wanted.concerned and incident.category.is_conflict_route)


def _as_reported(incident: Incident) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(incident, name) for name in FIELDS}
    values |= {"place": incident.place_id, "category": incident.category_id}
    for before in reversed(incident.entries.values_list("before", flat=True)):
        values |= {name: before[name] for name in FIELDS if name in before}
    if isinstance(values["occurred_at"], str):
        values["occurred_at"] = dt.datetime.fromisoformat(values["occurred_at"])
    return values


def _plain(value: Any) -> str:
    """A value as text that storing and tidying (spaces, Unicode form, time zone) do not change."""
    if hasattr(value, "timestamp"):
        return str(int(value.timestamp()))
    if isinstance(value, float):
        return f"{value:.5f}"
    visible = "".join(c for c in unicodedata.normalize("NFC", str(value or "")) if unicodedata.category(c) != "Cf")
    return " ".join(visible.split())
