"""Counts that move with the case, in the transaction of the act: out of the cell it leaves, into the cell it enters.

Two tables: `Tally` (where a case stands now) and `DayTally` (what came in on a day). Sealed cases and drills are in
neither. What they cost and why they are shaped so: docs/decisions/0006-tallies.md.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Substr, TruncDate
from django.utils import timezone

from incidents.choices import State
from incidents.models import DayTally, Incident, Tally

#: Reports that are not counted as incidents: joined to another, withdrawn, found not to be one.
NOT_COUNTED = (State.MERGED, State.WITHDRAWN, State.NOT_AN_INCIDENT)

#: election, district, category, severity, state, classification
Here = tuple[int, str, str, str, str, str]
#: election, local day, province, category group, severity
Day = tuple[int, dt.date, str, str, str]


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
    def is_counted(self) -> bool:
        return self.state not in NOT_COUNTED


def local_day(moment: dt.datetime) -> dt.date:
    """The day of `moment` in the country, whatever time zone the reader has."""
    return moment.astimezone(timezone.get_default_timezone()).date()


def cell_of(incident: Incident) -> Cell | None:
    """The cell of a case, or None where it is in no number of the ladder (sealed, drill, not sent yet)."""
    if incident.is_sealed or incident.is_drill or incident.state == State.DRAFT:
        return None
    return Cell(
        incident.election_id,
        incident.place_id[:6],
        incident.category_id,
        incident.severity,
        incident.state,
        incident.classification,
        local_day(incident.reported_at),
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
    incidents: Counter[Day] = Counter()
    reports: Counter[Day] = Counter()
    for before, after in moves:
        for cell, delta in ((before, -1), (after, 1)):
            if cell is not None:
                here[cell.here] += delta
                reports[cell.of_day] += delta
                incidents[cell.of_day] += delta if cell.is_counted else 0
    _add_here({key: delta for key, delta in here.items() if delta})
    days = sorted(key for key in reports if reports[key] or incidents[key])
    _add_days([(*key, incidents[key], reports[key]) for key in days])


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
    (election_id, day, province_code, group_code, severity, count, reports)
VALUES {rows}
ON CONFLICT (election_id, day, province_code, group_code, severity)
DO UPDATE SET count = incidents_daytally.count + excluded.count,
              reports = incidents_daytally.reports + excluded.reports
"""


def _add_here(deltas: Mapping[Here, int]) -> None:
    _upsert(_HERE, [(*key, deltas[key]) for key in sorted(deltas)])


def _add_days(rows: list[tuple[object, ...]]) -> None:
    _upsert(_DAYS, rows)


def _upsert(statement: str, rows: list[tuple[object, ...]]) -> None:
    if not rows:
        return
    places = ", ".join("(" + ", ".join(["%s"] * len(row)) + ")" for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(statement.format(rows=places), [value for row in rows for value in row])


# ---- From the incidents: the truth that the tallies are proven against ----


def _tallied() -> QuerySet[Incident]:
    """Every case in the tallies. Reads around `visible_to`: the tallies are nobody's view, and hold no sealed case."""
    return Incident._base_manager.filter(is_sealed=False, is_drill=False).exclude(state=State.DRAFT)


def counted_here() -> dict[Here, int]:
    """What `Tally` must say, counted from the cases."""
    rows = _tallied().values_list("election", "district_code", "category", "severity", "state", "classification")
    return {row[:-1]: row[-1] for row in rows.annotate(n=Count("pk")).order_by()}


def counted_days() -> dict[Day, tuple[int, int]]:
    """What `DayTally` must say: incidents and reports."""
    rows = (
        _tallied()
        .annotate(
            local=TruncDate("reported_at", tzinfo=timezone.get_default_timezone()),
            group=Substr("category", 1, 3),
        )
        .values_list("election", "local", "province_code", "group", "severity")
        .annotate(incidents=Count("pk", filter=~Q(state__in=NOT_COUNTED)), reports=Count("pk"))
        .order_by()
    )
    return {row[:5]: (row[5], row[6]) for row in rows}


def differences() -> list[str]:
    """Every cell in which the tallies and the cases differ, in words; empty when they agree. Zero rows do not count."""
    found = []
    kept = {
        (t.election_id, t.district_code, t.category_id, t.severity, t.state, t.classification): t.count
        for t in Tally.objects.exclude(count=0).iterator()
    }
    kept_days = {
        (d.election_id, d.day, d.province_code, d.group_code, d.severity): (d.count, d.reports)
        for d in DayTally.objects.exclude(count=0, reports=0).iterator()
    }
    for name, tallied, counted in (
        ("tally", kept, counted_here()),
        ("day", kept_days, counted_days()),
    ):
        for key in sorted(tallied.keys() | counted.keys()):
            if tallied.get(key) != counted.get(key):
                cell = " ".join(str(part) for part in key)
                found.append(f"{name} {cell}: tallied {tallied.get(key, 0)}, counted {counted.get(key, 0)}")
    return found


def rebuild() -> None:
    """Count both tables anew, in the transaction of the caller, who keeps writers out."""
    Tally.objects.all().delete()
    DayTally.objects.all().delete()
    fields = ("election_id", "district_code", "category_id", "severity", "state", "classification")
    Tally.objects.bulk_create(
        (Tally(**dict(zip(fields, key, strict=True)), count=n) for key, n in sorted(counted_here().items())),
        batch_size=1000,
    )
    DayTally.objects.bulk_create(
        (
            DayTally(
                election_id=e, day=day, province_code=province, group_code=group, severity=s, count=n, reports=reports
            )
            for (e, day, province, group, s), (n, reports) in sorted(counted_days().items())
        ),
        batch_size=1000,
    )
