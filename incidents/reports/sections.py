"""What else a week's summary says: how fast answers came, what went up the ladder, what was changed, whose conduct.

Numbers with their names, each of the week beside the one before; `tables` shows them in every form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from incidents.choices import Severity
from incidents.dashboards.conduct import by_force
from incidents.dashboards.handovers import Handovers, handovers_over
from incidents.dashboards.question import Question
from incidents.dashboards.response import ALL, Response, response_at
from incidents.dashboards.revisions import Corrections, corrections, severity_changes
from incidents.reports.figures import Figure


@dataclass(frozen=True)
class Read:
    """What was counted of one period; plain values without names, kept in the short memory."""

    response: dict[str, Response]
    handovers: Handovers
    severity_changes: dict[tuple[str, str], int]
    corrections: Corrections


def read(question: Question) -> Read:
    """A bounded number of queries. Of cases in view alone, so that it may be shared by who sees the same places."""
    return Read(
        response_at(question), handovers_over(question), dict(severity_changes(question)), corrections(question)
    )


@dataclass(frozen=True)
class Up:
    """Hand-overs upwards for one reason by the command of one rung: rungs they reached, and all of them."""

    reason: str
    rung: int
    reached: dict[int, int]
    figure: Figure


@dataclass(frozen=True)
class Sections:
    """The further parts of a summary; `conduct` is None for who may not know of it."""

    now: Read
    before: Read
    conduct: dict[str, Figure] | None
    ups: list[Up] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to say: nothing went up, nothing was corrected, the engine was always there."""
        here = self.now
        quiet = not (here.response or here.corrections.cases or here.severity_changes)
        conduct = all(figure.is_nothing for figure in (self.conduct or {}).values())
        return quiet and conduct and here.handovers == Handovers()

    @property
    def severities(self) -> list[str]:
        """Severities with an incident in this week, most serious first, and ALL."""
        return [level for level in (*map(str, Severity), ALL) if level in self.now.response]

    @property
    def corrected(self) -> dict[str, Figure]:
        """By field, the most often corrected first."""
        now, before = self.now.corrections.fields, self.before.corrections.fields
        names = sorted({*now, *before}, key=lambda name: (-now[name], name))
        return {name: Figure(now[name], before[name]) for name in names}

    def figure(self, value: Callable[[Handovers], int | float | None]) -> Figure:
        return Figure(value(self.now.handovers), value(self.before.handovers))


def build(question: Question, before: Question, now: Read, then: Read) -> Sections:
    """The sections of the period of `question`, beside those of `before`."""
    conduct, earlier = by_force(question), by_force(before)
    figures = None
    if conduct is not None and earlier is not None:
        figures = {kind: Figure(n, earlier[kind]) for kind, n in conduct.items()}
    return Sections(now, then, figures, _ups(now.handovers, then.handovers))


def _ups(now: Handovers, before: Handovers) -> list[Up]:
    """Lowest rung first, under each the reason most often met."""
    found = []
    for reason, rung in {(reason, rung) for reason, rung, _to in (*now.moved, *before.moved)}:
        reached = {to: n for (why, had, to), n in now.moved.items() if (why, had) == (reason, rung)}
        earlier = sum(n for (why, had, _to), n in before.moved.items() if (why, had) == (reason, rung))
        found.append(Up(reason, rung, reached, Figure(sum(reached.values()), earlier)))
    return sorted(found, key=lambda up: (up.rung, -int(up.figure.value or 0), up.reason))
