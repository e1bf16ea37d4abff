"""Taking turns, medians, percentiles and the rows of the result."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

#: One timed call: returns what it took, in seconds.
Timed = Callable[[], float]


@dataclass(frozen=True)
class Spread:
    """What many calls took, in milliseconds."""

    p50: float
    p95: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        ranked = sorted(seconds)
        at = min(len(ranked) - 1, round(0.95 * (len(ranked) - 1)))
        return cls(statistics.median(ranked) * 1000, ranked[at] * 1000, len(ranked))

    def __str__(self) -> str:
        return f"p50 {shown(self.p50)}, p95 {shown(self.p95)} ms"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the result: `value` of the product against `base` of the floor, in words with their units."""

    what: str
    value: str
    against: str = ""
    base: str = ""
    #: Product over floor; None where there is no floor.
    ratio: float | None = None
    goal: str = ""
    #: None where no goal was set: information.
    is_met: bool | None = None


def shown(number: float) -> str:
    """Three significant digits, thousands apart."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def at_most(limit: float, ratio: float) -> tuple[str, bool]:
    """A goal that a ratio stays under, and whether it does."""
    return f"at most {limit:g} x", ratio <= limit


def at_least(limit: float, ratio: float) -> tuple[str, bool]:
    return f"at least {limit:g} x", ratio >= limit


def take_turns(calls: Mapping[str, Timed], *, rounds: int, warm_up: int = 5) -> dict[str, list[float]]:
    """Every call once a round, so that whatever else the machine does meets all of them; seconds of each by name.

    The first `warm_up` rounds are not counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warm_up + rounds):
        for name, call in calls.items():
            seconds = call()
            if number >= warm_up:
                taken[name].append(seconds)
    return taken
