"""What a version of a policy says, as values: how times are typed and written, where two versions differ, its mark.

Pure: no database. A *place* names one value of a version: "campaign.high.contain", "acknowledge.1.percent", "repeat".
The form, the checks, the comparison and the journal all speak of places, so that a sentence can stand beside its cell.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import pgettext

from elections.choices import Phase
from incidents.choices import ClockKind, Severity
from incidents.deadlines import Step, Targets

#: A version has targets for these; an unrated case counts as medium.
RATED = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
PHASES = tuple(Phase)
#: The times of a target in the order of a case's life.
TIMES = ("acknowledge", "first_update", "update_every", "contain", "resolve", "verify")
#: May be left empty: no further updates are asked for.
OPTIONAL = frozenset({"update_every"})
#: Clocks whose steps a version says; the end of a pause is its only moment.
CLOCKS = tuple(kind for kind in ClockKind if kind != ClockKind.SNOOZE)
GENERAL = ("tight_from_hour", "tight_medium", "repeat")

_KHMER_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
_UNITS = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "ន", "នាទី"), 1),
    **dict.fromkeys(("h", "hour", "hours", "ម", "ម៉ោង"), 60),
    **dict.fromkeys(("d", "day", "days", "ថ", "ថ្ងៃ"), 1440),
}
_PART = re.compile(r"([0-9]{1,7}(?:[.,][0-9]{1,2})?)\s*([^\W\d_][^\d\s]*)")


@dataclass(frozen=True, kw_only=True)
class Content:
    """One version without its life: who wrote or published it is not in here."""

    note: str
    tight_from_hour: int
    tight_medium: int
    repeat: int
    #: (phase, severity) of RATED; a missing one is a gap that the checks name.
    targets: Mapping[tuple[str, str], Targets]
    steps: Mapping[str, tuple[Step, ...]]

    def values(self) -> dict[str, int | str | None]:
        """Every value by its place, in the order of the pages; the note is none of them."""
        found: dict[str, int | str | None] = {name: getattr(self, name) for name in GENERAL}
        for phase in PHASES:
            for severity in RATED:
                target = self.targets.get((phase, severity))
                for time in TIMES if target else ():
                    found[f"{phase}.{severity}.{time}"] = getattr(target, time)
        for clock in CLOCKS:
            for number, step in enumerate(self.steps.get(clock, ())):
                found[f"{clock}.{number}.percent"] = step.percent
                found[f"{clock}.{number}.deed"] = str(step.deed)
                found[f"{clock}.{number}.rung"] = step.rung
        return found

    def mark(self) -> str:
        """Twelve letters that change with any value or the note: what somebody read, when they then save or publish."""
        plain = json.dumps([self.note, self.values()], sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()[:12]


def differences(old: Content, new: Content) -> dict[str, tuple[int | str | None, int | str | None]]:
    """Places whose value differs, each with the value in `old` and in `new`; None where one has no such place."""
    before, after = old.values(), new.values()
    places = [*after, *(place for place in before if place not in after)]
    return {p: (before.get(p), after.get(p)) for p in places if before.get(p) != after.get(p)}


def minutes_of(text: str) -> int:
    """Minutes of a time as people type it: "90 m", "2 h", "3 d", "1 h 30 m", Khmer digits and words as well.

    Raises ValueError for anything else: a number without a unit, less than nothing, parts of a minute.
    """
    plain = text.translate(_KHMER_DIGITS).strip().casefold()
    at, total = 0, 0.0
    while at < len(plain):
        part = _PART.match(plain, at)
        if part is None or part[2] not in _UNITS:
            raise ValueError(text)
        total += float(part[1].replace(",", ".")) * _UNITS[part[2]]
        at = part.end()
        while at < len(plain) and plain[at].isspace():
            at += 1
    if not plain or abs(total - round(total)) > 1e-6:
        raise ValueError(text)
    return round(total)


def written(minutes: int) -> str:
    """The time as it is typed, exactly and in the language active now: "1 d 2 h", "90 m" for an hour and a half."""
    if minutes < 120 and minutes % 60:
        return _unit_minutes(minutes)
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    parts = [
        pgettext("time as typed", "%(n)d d") % {"n": days} if days else "",
        pgettext("time as typed", "%(n)d h") % {"n": hours} if hours else "",
        _unit_minutes(left) if left or not minutes else "",
    ]
    return " ".join(part for part in parts if part)


def _unit_minutes(minutes: int) -> str:
    return pgettext("time as typed", "%(n)d m") % {"n": minutes}
