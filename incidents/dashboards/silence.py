"""Which districts nothing was reported from: a quiet district and a silent one are not the same.

Nobody confirms in this system that nothing happened, so silence is all that can be said: no report of any kind from the
district in the last days, whatever the page is filtered for.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.db.models import Exists, OuterRef

from elections.choices import Level
from elections.models import Jurisdiction
from incidents.dashboards.question import Period, Question
from incidents.filters import CaseFilter
from incidents.models import Incident
from incidents.querysets import place_under

#: A district that reported nothing for so many local days, today included, is silent.
DAYS = 7
#: Silence changes slowly; it may be told this late.
SECONDS = 120
DISTRICT = 6


def silence(question: Question, place: str) -> dict[str, tuple[int, int]]:
    """How many districts are silent and how many there are, by the code of each area one level under `place`.

    Empty where the viewer sees cases and not places (nobody can tell silence from what is not theirs to see), and under
    a district: a commune is too small to be expected to report every week. Sealed cases are not looked at: a unit would
    learn from its own silence ending that somebody complained of it.
    """
    if question.places is None or len(place) >= DISTRICT:
        return {}
    found: Counter[tuple[str, bool]] = Counter()
    for code, is_heard in _districts(question, place):
        found[code[: len(place) + 2], not is_heard] += 1
    return {area: (found[area, True], found[area, True] + found[area, False]) for area, _silent in found}


def since(now: dt.datetime) -> dt.datetime:
    """The moment from which a district must have reported not to be silent."""
    return Period.last_days(DAYS, now).start


def _districts(question: Question, place: str) -> list[tuple[str, bool]]:
    """The districts there are, and whether somebody reported something from each."""
    plain = Question(question.user, question.now, CaseFilter(place=place if len(place) > 2 else ""))

    def count() -> list[tuple[str, bool]]:
        seen = Incident.objects.visible_to(plain.user).filter(
            place_under(place), is_sealed=False, reported_at__gte=since(plain.now)
        )
        # One look into an index for each district: to read the week's cases costs what there are of them.
        districts = Jurisdiction.objects.filter(level=Level.DISTRICT, valid_to=None, pcode__startswith=place)
        heard = Exists(seen.filter(district_code=OuterRef("pcode")))
        return list(districts.order_by("pcode").values_list("pcode", heard))

    return plain.remembered("heard", count, seconds=SECONDS)
