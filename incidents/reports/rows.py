"""Case rows for files: operational data (tier T1) as plain tuples, streamed; memory stays flat however many there are.

No identity, no narrative, no exact place: nothing below the commune, and nothing a person typed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commands.models import SecurityCommand
from elections.choices import Level, Phase
from elections.models import Election, Jurisdiction
from incidents.choices import Channel, Classification, Severity, State, TimePrecision, Verification
from incidents.dashboards.past import changed_since
from incidents.models import Category
from incidents.querysets import IncidentQuerySet

#: Rows read at once from a server-side cursor.
CHUNK = 2_000
#: First signs that make a spreadsheet read a cell as a formula, in half and full width; and signs it skips before them.
_FORMULA = frozenset("=+-@|%＝＋－＠")
_SKIPPED = "\t\r\n\v\f \u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u3000\ufeff"

#: What is read of a case, in this order.
FIELDS = (
    "reference", "election", "phase", "category", "severity", "state", "verification", "classification",
    "occurred_at", "time_precision", "reported_at", "acknowledged_at", "contained_at", "resolved_at", "closed_at",
    "place", "owner", "channel", "killed", "injured", "stations_affected", "minutes_stopped", "voters_affected",
)  # fmt: skip
#: What a past week shows as it was at its end. Places stand as they are known now, like in the tables of places.
_AT_THE_TIME = tuple(
    f for f in FIELDS if f not in ("reference", "election", "phase", "reported_at", "place", "channel")
)
_MOMENTS = frozenset(f for f in FIELDS if f.endswith("_at"))


@dataclass(frozen=True)
class Column:
    """A column of a row: what it is called, and what it holds ("text", "number", "moment")."""

    title: str
    kind: str = "text"
    width: int = 14


def columns() -> list[Column]:
    """The columns of a row in order, in the active language; moments name their time zone."""
    zone = timezone.get_default_timezone_name()

    def moment(title: str) -> Column:
        return Column(f"{title} ({zone})", "moment", 19)

    return [
        Column(_("Reference"), width=18),
        Column(_("Election")),
        Column(_("Phase"), width=18),
        Column(_("Category code")),
        Column(_("Category"), width=34),
        Column(_("Group"), width=26),
        Column(_("Severity")),
        Column(_("State"), width=18),
        Column(_("Is it true"), width=18),
        Column(_("What NEC says it is"), width=18),
        moment(_("Occurred")),
        Column(_("How exact"), width=18),
        moment(_("Reported")),
        Column(_("Entered late")),
        moment(_("Acknowledged")),
        moment(_("Contained")),
        moment(_("Resolved")),
        moment(_("Closed")),
        Column(_("Province code")),
        Column(_("Province"), width=20),
        Column(_("District code")),
        Column(_("District"), width=20),
        Column(_("Commune code")),
        Column(_("Commune"), width=20),
        Column(_("Owner"), width=34),
        Column(_("Reported through")),
        Column(_("Killed"), "number", 10),
        Column(_("Injured"), "number", 10),
        Column(_("Stations affected"), "number", 12),
        Column(_("Minutes stopped"), "number", 12),
        Column(_("Voters affected"), "number", 12),
    ]


def safe(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula: an apostrophe before a sign that would begin one."""
    if text[:1].isalnum():
        return text
    first = text.lstrip(_SKIPPED)[:1]
    return "'" + text if first in _FORMULA or text[:1] in ("\t", "\r", "\n") else text


@dataclass(frozen=True)
class Cells:
    """How a format writes the kinds of cell; `blank` is where there is no moment. Moments come in UTC."""

    text: Callable[[str], Any]
    number: Callable[[int], Any]
    moment: Callable[[dt.datetime], Any]
    blank: Any


def case_rows(cases: IncidentQuerySet, cells: Cells, *, at: dt.datetime | None = None) -> Iterator[tuple[Any, ...]]:
    """One tuple of `columns()` for each of `cases`, in their order, each cell as `cells` writes it.

    With `at` each row shows what was known at that moment; without, what is known now. Words in the active language.
    """
    words = _Words(cells.text)
    fields = (*FIELDS, "pk") if at else FIELDS
    stream: Iterator[tuple[Any, ...]] = cases.values_list(*fields).iterator(chunk_size=CHUNK)
    if at:
        stream = _as_of(stream, at)
    name, elections, phases, categories = words.reference, words.elections, words.phases, words.categories
    severities, states, verifications = words.severities, words.states, words.verifications
    classifications, precisions, places = words.classifications, words.precisions, words.places
    owners, channels, number, when, blank = words.owners, words.channels, cells.number, cells.moment, cells.blank
    yes, no, a_day = cells.text(_("yes")), cells.text(_("no")), dt.timedelta(hours=24)
    # Nothing is looked up twice and no function is called that need not be: a file of a million rows is this loop.
    for (
        reference, election, phase, category, severity, state, verification, classification, occurred, precision,
        reported, acknowledged, contained, resolved, closed, place, owner, channel, killed, injured, stations, minutes,
        voters,
    ) in stream:  # fmt: skip
        yield (
            name(reference), elections[election], phases[phase], *categories[category], severities[severity],
            states[state], verifications[verification], classifications[classification], when(occurred),
            precisions[precision], when(reported), yes if reported - occurred > a_day else no,
            when(acknowledged) if acknowledged else blank, when(contained) if contained else blank,
            when(resolved) if resolved else blank, when(closed) if closed else blank, *places[place], owners[owner],
            channels[channel], number(killed), number(injured), number(stations), number(minutes), number(voters),
        )  # fmt: skip


def _as_of(stream: Iterator[tuple[Any, ...]], at: dt.datetime) -> Iterator[tuple[Any, ...]]:
    """The rows as they stood at `at`: what the journal says was changed since is put back, a chunk at a time."""
    positions = {name: FIELDS.index(name) for name in _AT_THE_TIME}
    while chunk := list(islice(stream, CHUNK)):
        changed = changed_since([row[-1] for row in chunk], _AT_THE_TIME, at)
        for row in chunk:
            before = changed.get(row[-1])
            if before is None:
                yield row[:-1]
                continue
            values = list(row[:-1])
            for name, value in before.items():
                if value and name in _MOMENTS:
                    value = dt.datetime.fromisoformat(value).astimezone(dt.UTC)
                values[positions[name]] = value
            yield tuple(values)


Write = Callable[[str], Any]


class _Places(dict[str, tuple[Any, ...]]):
    """P-code to code and name of its province, district and commune; filled in as places are met."""

    def __init__(self, write: Write) -> None:
        above_villages = [Level.PROVINCE, Level.DISTRICT, Level.COMMUNE]
        self.names = {p.pk: p.name for p in Jurisdiction.objects.filter(level__in=above_villages)}
        self.write = write

    def __missing__(self, code: str) -> tuple[Any, ...]:
        made: list[Any] = []
        for length in (4, 6, 8):
            part = code[:length] if len(code) >= length else ""
            made += [self.write(part), self.write(safe(self.names.get(part, "")))]
        self[code] = tuple(made)
        return self[code]


class _Words:
    """What codes are called, each looked up and written once for the whole file."""

    def __init__(self, write: Write) -> None:
        def labels(choices: Iterable[tuple[Any, Any]]) -> Mapping[str, Any]:
            return {str(value): write(safe(str(label))) for value, label in choices}

        codes = dict(Election.objects.values_list("pk", "code"))
        self.elections = {pk: write(safe(code)) for pk, code in codes.items()}
        # A reference begins with the code of its election; it is looked at only where such a code could do harm.
        plain = all(code.isascii() and code.isalnum() for code in codes.values())
        self.reference: Write = str if plain else lambda text: write(safe(text))
        self.categories = {
            c.pk: (write(safe(c.code)), write(safe(c.name)), write(safe(c.group))) for c in Category.objects.all()
        }
        self.owners = {c.pk: write(safe(c.name)) for c in SecurityCommand.objects.all()}
        self.places = _Places(write)
        self.phases = labels(Phase.choices)
        self.severities, self.states = labels(Severity.choices), labels(State.choices)
        self.verifications = labels(Verification.choices)
        self.classifications = labels(Classification.choices)
        self.precisions, self.channels = labels(TimePrecision.choices), labels(Channel.choices)
