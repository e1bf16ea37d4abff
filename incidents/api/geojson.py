"""Cases as GeoJSON features (RFC 7946): longitude first, degrees WGS 84, tier T1 properties."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from incidents.api.serializers import place_for
from incidents.models import Incident

#: What a feature says of its case: nothing of tier T2, so that a layer can be handed on.
PROPERTIES = (
    "reference", "phase", "state", "severity", "verification", "classification", "time_precision", "channel",
    "is_gender_based", "killed", "injured", "stations_affected", "minutes_stopped", "voters_affected",
    "is_sealed", "version",
)  # fmt: skip
MOMENTS = ("occurred_at", "reported_at", "contained_at", "resolved_at", "closed_at", "next_due_at")


def feature(incident: Incident, *, detailed: bool) -> dict[str, Any]:
    """One case. Its own point where the reader may know it, else the label point of its place, said as such.

    Needs `with_names()`; a place without a label point gives a null geometry, as the format allows.
    """
    place = place_for(incident, detailed)
    exact = detailed and incident.lat is not None
    lat, lon = (incident.lat, incident.lon) if exact else (place.lat, place.lon)
    properties: dict[str, Any] = {name: getattr(incident, name) for name in PROPERTIES}
    for name in MOMENTS:
        moment = getattr(incident, name)
        properties[name] = timezone.localtime(moment).isoformat() if moment else None
    properties |= {
        "category": incident.category_id,
        "owner": incident.owner.code,
        "election": incident.election.code,
        "place": place.pcode,
        "place_name_km": place.name_km,
        "place_name_en": place.name_en,
        "point": incident.point_precision if exact else "place",
    }
    geometry = {"type": "Point", "coordinates": [lon, lat]} if lat is not None and lon is not None else None
    return {"type": "Feature", "id": str(incident.pk), "geometry": geometry, "properties": properties}


def collection(features: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    """A FeatureCollection; `members` are foreign members beside it (next and previous page)."""
    return {"type": "FeatureCollection", **members, "features": features}
