"""Counts that move with the case, in the transaction of the act: out of the cell it leaves, into the cell it enters.

Two tables: `Tally` (where a case stands now) and `DayTally` (what came in on a day). Sealed cases are in neither.
What they cost and why they are shaped so: docs/decisions/0006-tallies.md.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Substr, TruncDate
from django.utils import timezone

from incidents.choices import Classification, State, Verification
from incidents.models import DayTally, Incident, Tally

#: Reports that are not counted as incidents: joined to another, withdrawn, found not to be one.
NOT_COUNTED = (State.MERGED, State.WITHDRAWN, State.NOT_AN_INCIDENT)

#: Counters of a day.
DAY_COUNTS = ("count", "reports", "duplicates", "late_entries", "confirmed", "undetermined")

#: election, district, category, severity, state, classification
Here = tuple[int, str, str, str, str, str]
#: election, local day, province, category group, severity
Day = tuple[int, dt.date, str, str, str]
K = TypeVar("K", Here, Day)


@dataclass(frozen=True, order=True)
class Cell:
    """Where a case is counted."""

    election_id: int
    district_code: str
    category_id: str
    severity: str
    state: str
    classification: str
    #: Local day of the report.
    day: dt.date
    is_verified: bool = False
    is_late_entry: bool = False

    @property
    def here(self) -> Here:
        return (
            self.election_id,
            self.district_code,
            self.category_id,
            self.severity,
            self.state,
            self.classification,
        )

    @property
    def of_day(self) -> Day:
        # A category's code begins with its group's: GGG-NN (domain 2).
        return self.election_id, self.day, self.district_code[:4], self.category_id[:3], self.severity

    @property
    def day_counts(self) -> tuple[int, ...]:
        """What the case adds to each counter of its day, in the order of DAY_COUNTS."""
        is_counted = self.state not in NOT_COUNTED
        return (
            int(is_counted),
            1,
            int(self.state == State.MERGED),
            int(self.is_late_entry),
            int(is_counted and self.is_verified),
            int(is_counted and self.classification == Classification.UNDETERMINED),
        )


def local_day(moment: dt.datetime) -> dt.date:
    """The day of `moment` in the country, whatever time zone the reader has."""
    return moment.astimezone(timezone.get_default_timezone()).date()


def cell_of(incident: Incident) -> Cell | None:
    """The cell of a case, or None where it is in no number of the ladder (sealed, not sent yet)."""
    if incident.is_sealed or incident.state == State.DRAFT:
        return None
    return Cell(
        incident.election_id,
        incident.place_id[:6],
        incident.category_id,
        incident.severity,
        incident.state,
        incident.classification,
        local_day(incident.reported_at),
        incident.verification == Verification.VERIFIED,
        incident.is_late_entry,
    )


def move(before: Cell | None, after: Cell | None) -> None:
    """Take a case out of `before` and into `after`, in the transaction of the caller."""
    move_all([(before, after)])


def move_all(moves: Iterable[tuple[Cell | None, Cell | None]]) -> None:
    """Several cases at once, as when two are joined.

    A transaction that moves more than one case calls this once, after its last case is locked: rows are then locked in
    one order, every `Tally` before every `DayTally` and each table by key, so two acts wait and never deadlock.
    """
    here: Counter[Here] = Counter()
    days: dict[Day, list[int]] = defaultdict(lambda: [0] * len(DAY_COUNTS))
    for before, after in moves:
        for cell, sign in ((before, -1), (after, 1)):
            if cell is not None:
                here[cell.here] += sign
                days[cell.of_day] = [
                    old + sign * more for old, more in zip(days[cell.of_day], cell.day_counts, strict=True)
                ]
    _upsert(_HERE, [(*key, here[key]) for key in sorted(here) if here[key]])
    _upsert(_DAYS, [(*key, *days[key]) for key in sorted(days) if any(days[key])])


# One statement each, the same on both databases: an UPDATE, then an INSERT where it found nothing, then an UPDATE again
# where another transaction was first, is three round trips and three moments to interleave.
_HERE = """
INSERT INTO incidents_tally
    (election_id, district_code, category_id, severity, state, classification, count)
VALUES {rows}
ON CONFLICT (election_id, district_code, category_id, severity, state, classification)
DO UPDATE SET count = incidents_tally.count + excluded.count
"""
_DAYS = """
INSERT INTO incidents_daytally
    (election_id, day, province_code, group_code, severity,
     count, reports, duplicates, late_entries, confirmed, undetermined)
VALUES {rows}
ON CONFLICT (election_id, day, province_code, group_code, severity)
DO UPDATE SET count = incidents_daytally.count + excluded.count,
              reports = incidents_daytally.reports + excluded.reports,
              duplicates = incidents_daytally.duplicates + excluded.duplicates,
              late_entries = incidents_daytally.late_entries + excluded.late_entries,
              confirmed = incidents_daytally.confirmed + excluded.confirmed,
              undetermined = incidents_daytally.undetermined + excluded.undetermined
"""


def _upsert(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    places = ", ".join("(" + ", ".join(["%s"] * len(row)) + ")" for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(statement.format(rows=places), [value for row in rows for value in row])


# ---- From the incidents: the truth that the tallies are proven against ----


def _tallied() -> QuerySet[Incident]:
    """Every case in the tallies. Reads around `visible_to`: the tallies are nobody's view, and hold no sealed case."""
    return Incident._base_manager.filter(is_sealed=False).exclude(state=State.DRAFT)


def counted_here() -> dict[Here, int]:
    """What `Tally` must say, counted from the cases."""
    rows = _tallied().values_list("election", "district_code", "category", "severity", "state", "classification")
    return {row[:-1]: row[-1] for row in rows.annotate(n=Count("*")).order_by()}


def counted_days() -> dict[Day, tuple[int, ...]]:
    """What `DayTally` must say, counter by counter."""
    counted = ~Q(state__in=NOT_COUNTED)
    rows = (
        _tallied()
        .annotate(
            local=TruncDate("reported_at", tzinfo=timezone.get_default_timezone()),
            group=Substr("category", 1, 3),
        )
        .values_list("election", "local", "province_code", "group", "severity")
        .annotate(
            n_count=Count("pk", filter=counted),
            n_reports=Count("*"),
            n_duplicates=Count("pk", filter=Q(state=State.MERGED)),
            n_late_entries=Count("pk", filter=Q(reported_at__gt=F("occurred_at") + dt.timedelta(hours=24))),
            n_confirmed=Count("pk", filter=counted & Q(verification=Verification.VERIFIED)),
            n_undetermined=Count("pk", filter=counted & Q(classification=Classification.UNDETERMINED)),
        )
        .order_by()
    )
    return {row[:5]: row[5:] for row in rows}


def differences() -> list[str]:
    """Every cell in which the tallies and the cases differ, in words; empty when they agree. Zero rows do not count."""
    kept = {
        (t.election_id, t.district_code, t.category_id, t.severity, t.state, t.classification): t.count
        for t in Tally.objects.exclude(count=0).iterator()
    }
    kept_days = {
        (d.election_id, d.day, d.province_code, d.group_code, d.severity): tuple(getattr(d, c) for c in DAY_COUNTS)
        for d in DayTally.objects.exclude(**dict.fromkeys(DAY_COUNTS, 0)).iterator()
    }
    return _unlike("tally", kept, counted_here()) + _unlike("day", kept_days, counted_days())


def _unlike(name: str, tallied: Mapping[K, object], counted: Mapping[K, object]) -> list[str]:
    return [
        f"{name} {' '.join(str(part) for part in key)}: tallied {tallied.get(key, 0)}, counted {counted.get(key, 0)}"
        for key in sorted(tallied.keys() | counted.keys())
        if tallied.get(key) != counted.get(key)
    ]


def rebuild() -> None:
    """Count both tables anew, in the transaction of the caller, who keeps writers out."""
    Tally.objects.all().delete()
    DayTally.objects.all().delete()
    day_fields = ("election_id", "day", "province_code", "group_code", "severity")
    fields = ("election_id", "district_code", "category_id", "severity", "state", "classification")
    Tally.objects.bulk_create(
        (Tally(**dict(zip(fields, key, strict=True)), count=n) for key, n in sorted(counted_here().items())),
        batch_size=1000,
    )
    DayTally.objects.bulk_create(
        (
            DayTally(**dict(zip((*day_fields, *DAY_COUNTS), (*key, *counts), strict=True)))
            for key, counts in sorted(counted_days().items())
        ),
        batch_size=1000,
    )
