"""Where a person may report from: four levels to choose from, with those their posting fixes already chosen.

Source: story 2 of the first issue; the reach of a posting is its command's jurisdiction (domain 5.2).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from commands.choices import COMMANDING, Role
from commands.models import User
from elections.choices import Level
from elections.models import CODE_LENGTH, Jurisdiction
from elections.prepared import prepared

#: Roles that report, and whether they may report from anywhere (True) or from their command's jurisdiction.
REPORTING: dict[Role, bool] = {
    Role.OFFICER: False,
    Role.DUTY_COMMANDER: False,
    Role.PROVINCIAL_COMMAND: False,
    Role.PSC_WATCH: True,
    Role.NEC_SECRETARIAT: True,
    Role.INTEGRITY: True,
    Role.LIAISON: True,
}
assert set(COMMANDING) <= set(REPORTING)  # noqa: S101  whoever answers for cases may report one
LEVELS = (Level.PROVINCE, Level.DISTRICT, Level.COMMUNE, Level.VILLAGE)
_LABELS = {
    Level.PROVINCE: _("Province"),
    Level.DISTRICT: _("District"),
    Level.COMMUNE: _("Commune"),
    Level.VILLAGE: _("Village"),
}


def roots(person: User) -> list[str]:
    """P-codes under which the person may report, none inside another; empty for who may not report."""
    found = set()
    for posting in person.current_postings:
        anywhere = REPORTING.get(Role(posting.role))
        if anywhere is not None:
            found.add(posting.command.jurisdiction_id[:2] if anywhere else posting.command.jurisdiction_id)
    return sorted(code for code in found if not any(code != other and code.startswith(other) for other in found))


def within(code: str, reach: Iterable[str]) -> bool:
    """Whether `code` lies in one of the reachable areas."""
    return any(code.startswith(root) for root in reach)


def children(code: str, reach: Iterable[str], day: dt.date) -> list[Jurisdiction]:
    """The places directly under `code` on `day` that the person may choose or pass through; by code."""
    return _children({code}, reach, day)[code]


def _children(codes: set[str], reach: Iterable[str], day: dt.date) -> dict[str, list[Jurisdiction]]:
    """`children` of several places in one query."""
    may = Q(pk__in=[])
    for root in reach:
        above = [root[:length] for length in CODE_LENGTH.values() if length < len(root)]
        may |= Q(pcode__startswith=root) | Q(pcode__in=above)
    found: dict[str, list[Jurisdiction]] = {code: [] for code in codes}
    for place in Jurisdiction.objects.filter(may, parent__in=codes).current_on(day).order_by("pcode"):
        found[str(place.parent_id)].append(place)
    return found


@dataclass
class Step:
    """One level of the cascade as the page shows it."""

    level: Level
    value: str = ""
    options: list[Jurisdiction] = field(default_factory=list)
    #: Fixed by the posting: shown, not to be changed.
    is_fixed: bool = False

    @property
    def label(self) -> str:
        return str(_LABELS[self.level])

    @property
    def is_optional(self) -> bool:
        return self.level in (Level.COMMUNE, Level.VILLAGE)


def cascade(typed: Mapping[str, str], reach: list[str], day: dt.date) -> list[Step]:
    """The four levels with what was chosen; a choice that does not fit the level above it is forgotten.

    A level with one possible place, for everybody or for this person, is fixed. One query as a rule: what lies under
    the places that were typed and that the posting fixes; one more for each level that turns out to be another.
    """
    steps: list[Step] = []
    above = reach[0][:2] if reach else ""
    likely = {reach[0][:length] for length in CODE_LENGTH.values() if length <= len(reach[0])} if reach else set()
    # Only what can be a code goes to the database: anything may be typed into a forged form.
    likely |= {code for level in LEVELS[:-1] if (code := typed.get(level, "")).isalnum() and len(code) <= 10}
    known = _children(likely, reach, day) if likely else {}
    for level in LEVELS:
        step = Step(level)
        if above:
            step.options = known[above] if above in known else children(above, reach, day)
            step.is_fixed = len(step.options) == 1 and any(len(r) >= CODE_LENGTH[level] for r in reach)
            wanted = step.options[0].pcode if step.is_fixed else typed.get(level, "")
            step.value = wanted if any(p.pcode == wanted for p in step.options) else ""
        steps.append(step)
        above = step.value
    return steps


def confirmed(typed: Mapping[str, str], reach: list[str], day: dt.date) -> str:
    """What `cascade` would come to, where that can be told from the typed places alone; else "".

    A complete form names each level down to its place: then these few rows are read, not all there are to choose from.
    """
    codes = [code for level in LEVELS if (code := typed.get(level, ""))]
    chain = [code[: CODE_LENGTH[level]] for level, code in zip(LEVELS, codes, strict=False)]
    if not codes or chain != codes or not all(code.isalnum() for code in codes):
        return ""
    place = codes[-1]
    # Under a root that goes deeper, what was typed is not yet all: the posting fixes the rest.
    if not within(place, reach) or any(len(root) > len(place) for root in reach):
        return ""
    above = {row.pcode: row.parent_id for row in _existing(codes, day)}
    return place if [above.get(code) for code in codes] == [place[:2], *codes[:-1]] else ""


@prepared
def _existing(codes: Any, day: Any) -> QuerySet[Jurisdiction]:
    return Jurisdiction.objects.current_on(day).filter(pcode__in=codes)


def levels_of(code: str) -> dict[str, str]:
    """A P-code as the four choices: {"province": "KH21", "district": "KH2108", …}, as far as it goes."""
    return {str(level): code[: CODE_LENGTH[level]] for level in LEVELS if len(code) >= CODE_LENGTH[level]}


def deepest(typed: Mapping[str, str]) -> str:
    """The most exact place among the four choices; empty where none is made."""
    return next((typed[level] for level in reversed(LEVELS) if typed.get(level)), "")
