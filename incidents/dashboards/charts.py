"""Figures as shapes on a grid of their own units: bars, bands, a line; templates draw them, with a table twin.

Everything is drawn on the server, so the page, the print and the twin table show one picture. No words but dates and
names that come in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

#: Size of a small multiple in its own units: bars above, dates below.
WIDTH, HEIGHT, PLOT = 205, 70, 54
#: Days of the running median.
WEEK = 7


@dataclass(frozen=True)
class Bar:
    day: dt.date
    count: int
    x: float
    y: float
    width: float
    height: float
    #: The last, unfinished day is drawn dashed.
    is_open: bool


@dataclass(frozen=True)
class Band:
    """A phase behind the bars; `tone` alternates so that neighbours differ."""

    name: str
    x: float
    width: float
    tone: str


@dataclass(frozen=True)
class Tick:
    x: float
    day: dt.date
    anchor: str


@dataclass(frozen=True)
class Daily:
    """One small multiple: counts a day, and how this week compares with the one before."""

    code: str
    name: str
    bars: tuple[Bar, ...]
    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    median: str
    this_week: int
    change: int

    @property
    def fewer(self) -> int:
        return -self.change

    @property
    def total(self) -> int:
        return sum(bar.count for bar in self.bars)


@dataclass(frozen=True)
class Window:
    """A phase from `first` to `last`, local days."""

    name: str
    first: dt.date
    last: dt.date


@dataclass(frozen=True)
class Bullet:
    """Half of the cases took `half` minutes at most, nine of ten `most`, and `target` is the target.

    `in_time` of the `base` cases kept the deadline they had; too few of them for a share have no bar.
    """

    name: str
    code: str
    half: float
    most: float
    target: int
    base: int
    in_time: int
    is_enough: bool

    @property
    def is_late(self) -> bool:
        """Whether more than one in ten were not in time."""
        return self.is_enough and self.in_time * 10 < self.base * 9

    @property
    def half_width(self) -> float:
        return self._at(self.half)

    @property
    def most_width(self) -> float:
        return self._at(self.most)

    def _at(self, minutes: float) -> float:
        """Position on a bar 250 wide that ends at twice the target."""
        return round(min(250.0, 125 * minutes / self.target), 1)


@dataclass(frozen=True)
class Part:
    """A stretch of a bar of parts, 400 wide."""

    code: str
    name: str
    count: int
    x: float
    width: float


def daily(
    code: str, name: str, counts: Mapping[dt.date, int], days: Sequence[dt.date], scale: int, windows: Sequence[Window]
) -> Daily:
    """Counts of `days` (the last one unfinished) against `scale`, the highest count of all the multiples together."""
    step = WIDTH / len(days)
    values = [counts.get(day, 0) for day in days]
    bars = []
    for index, (day, count) in enumerate(zip(days, values, strict=True)):
        height = round(PLOT * 0.94 * count / max(scale, 1), 1)
        bars.append(
            Bar(
                day=day,
                count=count,
                x=round(index * step + step * 0.14, 1),
                y=round(PLOT - height, 1),
                width=round(step * 0.72, 1),
                height=height,
                is_open=index == len(days) - 1,
            )
        )
    middle = len(days) // 2
    ticks = (
        Tick(0, days[0], "start"),
        Tick(round(middle * step, 1), days[middle], "start"),
        Tick(WIDTH, days[-1], "end"),
    )
    this_week, before = sum(values[-WEEK:]), sum(values[-2 * WEEK : -WEEK])
    return Daily(
        code=code,
        name=name,
        bars=tuple(bars),
        bands=bands(days, windows),
        ticks=ticks,
        median=_median_path(values, step, scale),
        this_week=this_week,
        change=this_week - before,
    )


def bands(days: Sequence[dt.date], windows: Sequence[Window]) -> tuple[Band, ...]:
    """The phases behind `days`; where two overlap the later begins, as it does in the calendar."""
    step = WIDTH / len(days)
    names = []
    for day in days:
        covering = [w for w in windows if w.first <= day <= w.last]
        names.append(max(covering, key=lambda w: w.first).name if covering else "")
    found: list[Band] = []
    start = 0
    for index in range(1, len(days) + 1):
        if index == len(days) or names[index] != names[start]:
            tone = "b" if len(found) % 2 else "a"
            found.append(Band(names[start], round(start * step, 1), round((index - start) * step, 1), tone))
            start = index
    return tuple(found)


def _median_path(values: Sequence[int], step: float, scale: int) -> str:
    """The running median of seven whole days; the unfinished day is not in it."""
    points = []
    for index in range(WEEK - 1, len(values) - 1):
        middle = median(values[index - WEEK + 1 : index + 1])
        x, y = (index + 0.5) * step, PLOT - PLOT * 0.94 * middle / max(scale, 1)
        points.append(f"{x:.1f} {y:.1f}")
    return "M" + "L".join(points) if len(points) > 1 else ""


def parts(counts: Sequence[tuple[str, str, int]], width: int = 400) -> list[Part]:
    """(code, name, count) as stretches of one bar; those without cases are left out."""
    whole = sum(count for _, _, count in counts)
    found, x = [], 0.0
    for code, name, count in counts:
        if count:
            share = width * count / whole
            found.append(Part(code, name, count, round(x, 1), round(max(share - 2, 1), 1)))
            x += share
    return found


def share_width(count: int, most: int, width: int = 48) -> float:
    """Length of a bar in a table: nothing has none, and any case at least one unit."""
    return round(max(width * count / most, 1.5), 1) if count and most else 0


@dataclass(frozen=True)
class Column:
    """Two counts of one stretch of time side by side; `x2`, `y2` and `height2` are those of the second."""

    x: float
    width: float
    y: float
    height: float
    x2: float
    y2: float
    height2: float


def pairs(first: Sequence[int], second: Sequence[int], *, width: float = 640, height: float = 120) -> list[Column]:
    """Columns of two series of equal length on one scale, the highest of both filling most of `height`."""
    scale = max([*first, *second, 1])
    step = width / max(len(first), 1)
    found = []
    for at, (one, other) in enumerate(zip(first, second, strict=True)):
        tall, tall2 = (round(height * 0.94 * count / scale, 1) for count in (one, other))
        found.append(
            Column(
                x=round(at * step + step * 0.08, 2),
                width=round(step * 0.4, 2),
                y=round(height - tall, 1),
                height=tall,
                x2=round(at * step + step * 0.52, 2),
                y2=round(height - tall2, 1),
                height2=tall2,
            )
        )
    return found
