"""Cases that a new report may be about as well: near in place, time and kind, and only what the person may see anyway.

A suggestion, never an act (domain 4.4). A sealed case is never suggested, not even to who may read it: the hint itself
would tell.
"""

from __future__ import annotations

import datetime as dt
import math

from django.db.models import Q

from commands.models import User
from incidents.choices import State
from incidents.models import Incident

NEAR_HOURS = 6
NEAR_METRES = 1000
MOST = 5
_METRES_A_DEGREE = 111_195
#: Kinds that two people easily call by two names. Conduct of forces and officials is compared with nothing.
_KINDRED = (
    frozenset({"CRM", "ORD", "INT", "CAM"}),
    frozenset({"CAM", "INF"}),
    frozenset({"PRC", "HAZ"}),
    frozenset({"PRC", "INT"}),
)
_NEVER = "NEU"
_UNSURE = "UNK"
_GONE = (State.MERGED, State.WITHDRAWN, State.NOT_AN_INCIDENT)


def compatible_groups(group: str) -> set[str] | None:
    """Groups a report of `group` may be a second report of; None means any but conduct."""
    if group == _UNSURE:
        return None
    return {group, _UNSURE}.union(*(kin for kin in _KINDRED if group in kin)) - {_NEVER}


def candidates(
    user: User,
    *,
    group: str,
    place: str,
    occurred_at: dt.datetime,
    point: tuple[float, float] | None = None,
) -> list[Incident]:
    """At most MOST cases in the same commune or within NEAR_METRES of `point`, nearest in time first.

    `point` is latitude and longitude. Empty for conduct of forces and officials, and where neither a commune nor a
    point is known.
    """
    where = _where(place, point)
    if group == _NEVER or where is None:
        return []
    span = dt.timedelta(hours=NEAR_HOURS)
    found = (
        Incident.objects.visible_to(user)
        .filter(where, is_sealed=False, occurred_at__range=(occurred_at - span, occurred_at + span))
        .exclude(state__in=_GONE)
        .exclude(category__group_code=_NEVER)
    )
    groups = compatible_groups(group)
    if groups is not None:
        found = found.filter(category__group_code__in=groups)
    # More than shown are read, because the box around a point is wider than the circle.
    rows = found.with_names().order_by("-occurred_at")[: MOST * 8]
    commune = place[:8] if len(place) >= 8 else None
    near = [i for i in rows if (commune and i.place_id.startswith(commune)) or _is_near(i, point)]
    return sorted(near, key=lambda i: abs(i.occurred_at - occurred_at))[:MOST]


def _where(place: str, point: tuple[float, float] | None) -> Q | None:
    where = Q(district_code=place[:6], place__pcode__startswith=place[:8]) if len(place) >= 8 else None
    if point is None:
        return where
    lat, lon = point
    high = NEAR_METRES / _METRES_A_DEGREE
    wide = high / max(math.cos(math.radians(lat)), 0.01)
    box = Q(lat__range=(lat - high, lat + high), lon__range=(lon - wide, lon + wide))
    return box if where is None else where | box


def _is_near(incident: Incident, point: tuple[float, float] | None) -> bool:
    if point is None or incident.lat is None or incident.lon is None:
        return False
    return metres(point, (incident.lat, incident.lon)) <= NEAR_METRES


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Distance between two points (latitude, longitude) on a ball; exact enough for a kilometre."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * math.degrees(math.asin(math.sqrt(half))) * _METRES_A_DEGREE
