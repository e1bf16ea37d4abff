"""How made cases are spread: over categories, places, severities and hours, so that they look like a country's.

No source gives population by commune, so a commune weighs as many as its villages, sangkats more; a part of the
districts is quiet. Figures here are for demonstrations and measure nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from elections.choices import Level, Phase
from elections.models import Jurisdiction
from incidents.choices import Severity

#: Real provinces: ordinary crime, public order, hazards.
CATEGORIES: dict[str, float] = {
    "CRM-06": 24, "ORD-03": 13, "ORD-02": 11, "CRM-02": 10, "HAZ-01": 8, "CRM-03": 7, "HAZ-04": 6, "ORD-01": 5,
    "CRM-08": 4, "HAZ-03": 3, "CRM-07": 3, "UNK-00": 3, "HAZ-02": 2, "CRM-09": 1, "CRM-01": 0.6,
}  # fmt: skip
#: Demo Province adds what may only be invented there.
DEMO_CATEGORIES: dict[str, float] = {
    "CRM-06": 6, "ORD-02": 5, "ORD-03": 4, "HAZ-01": 3, "INT-01": 6, "INT-03": 3, "PRC-01": 6, "INF-02": 3, "NEU-02": 3,
}  # fmt: skip
_CAMPAIGNING: dict[str, float] = {"CAM-02": 7, "CAM-03": 5}

#: Reports come in by day: weight of each hour, from midnight.
HOURS = [1, 1, 1, 1, 1, 2, 4, 7, 9, 9, 8, 7, 5, 5, 7, 8, 8, 7, 6, 6, 5, 4, 3, 2]

QUIET_SHARE = 0.25
LATE_SHARE = 0.08
DUPLICATE_SHARE = 0.05
POINT_SHARE = 0.8
#: Officers write Khmer; a few, as liaison offices do, English.
KHMER_SHARE = 0.9
_SANGKAT_FACTOR, _CAPITAL_FACTOR = 2.0, 1.3


@dataclass(frozen=True)
class Communes:
    """Communes to draw from, each with its weight."""

    codes: list[str]
    weights: list[float]

    def draw(self, chance: random.Random, count: int) -> list[str]:
        return chance.choices(self.codes, self.weights, k=count)


def communes(chance: random.Random) -> Communes:
    """Every real commune, weighed; QUIET_SHARE of the districts weigh nothing."""
    villages = Counter(
        code[:8]
        for code in Jurisdiction.objects.at(Level.VILLAGE).filter(is_fictional=False).values_list("pk", flat=True)
    )
    places = list(Jurisdiction.objects.at(Level.COMMUNE).filter(is_fictional=False, has_outline=True).order_by("pcode"))
    if not places:
        return Communes([], [])
    capital = {p.pcode for p in Jurisdiction.objects.at(Level.PROVINCE).filter(kind_en="capital")}
    districts = sorted({p.district_code for p in places})
    quiet = set(chance.sample(districts, int(len(districts) * QUIET_SHARE)))
    mood = {district: chance.lognormvariate(0, 0.5) for district in districts}
    codes, weights = [], []
    for place in places:
        if place.district_code in quiet:
            continue
        weight = (villages[place.pcode] or 1) * mood[place.district_code]
        weight *= _SANGKAT_FACTOR if place.kind_en == "sangkat" else 1
        weight *= _CAPITAL_FACTOR if place.province_code in capital else 1
        codes.append(place.pcode)
        weights.append(weight)
    return Communes(codes, weights)


def demo_communes() -> list[str]:
    """Communes of the fictional province."""
    return list(Jurisdiction.objects.at(Level.COMMUNE).filter(is_fictional=True).values_list("pk", flat=True))


def categories_in(phase: str, *, fictional: bool) -> dict[str, float]:
    """Weights of the categories that happen in a phase."""
    if not fictional:
        return CATEGORIES
    return DEMO_CATEGORIES | (_CAMPAIGNING if phase in (Phase.CAMPAIGN, Phase.SILENCE) else {})


def severity(usual: str, chance: random.Random) -> str:
    """The usual severity, sometimes one level off; homicide and the like stay what they are."""
    order: Sequence[str] = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
    if usual not in order:
        return usual
    at = order.index(usual) + chance.choices([-1, 0, 1], [0.1, 0.78, 0.12])[0]
    return order[min(max(at, 0), len(order) - 1)]
