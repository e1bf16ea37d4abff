"""Loading a country: places and election calendar from the files of its data folder, idempotent by code.

Places follow the files. What an administrator may change (elections, phases) is made where it is missing and left
alone where it exists. Nothing is deleted. A dry run plans and writes nothing. Polling stations and voters have no file.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from elections import geometry
from elections.choices import Basis, ElectionType, Level, Phase, Suffrage
from elections.khmer import canonical, search_key
from elections.models import Election, Jurisdiction, PhaseWindow

#: An election is locked when its last phase ended longer ago than this.
LOCK_AFTER = dt.timedelta(days=365)
#: The phase `after` runs so long from the official results (domain 2.1, P8).
AFTER_RESULTS = dt.timedelta(days=30)
_DAY = dt.timedelta(days=1)
_PLACE_FIELDS = (
    "level",
    "parent_id",
    "name_km",
    "name_en",
    "kind_km",
    "kind_en",
    "lat",
    "lon",
    "has_outline",
    "search_key",
)


@dataclass(frozen=True)
class Loaded:
    """What one importer did, or with a dry run would do."""

    what: str
    made: int
    changed: int
    same: int
    #: In the database and not in the file; left as they are.
    elsewhere: int = 0


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file with a header, plain or .gz, as texts."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    yield from csv.DictReader(io.StringIO(text, newline=""))


# ---- Places ----


def load_places(*, dry_run: bool = False) -> Loaded:
    """Country, provinces, districts, communes and villages, with label points and search keys."""
    wanted = {place.pcode: place for place in _places()}
    known = {p.pcode: p for p in Jurisdiction.objects.filter(is_fictional=False)}
    new = [p for code, p in wanted.items() if code not in known]
    changed = [p for code, p in wanted.items() if code in known and _differs(p, known[code], _PLACE_FIELDS)]
    if not dry_run:
        with transaction.atomic():
            # Parents first: on SQLite and PostgreSQL alike a batch may be checked before the next is written.
            Jurisdiction.objects.bulk_create(sorted(new, key=lambda p: len(p.pcode)), batch_size=1000)
            Jurisdiction.objects.bulk_update(changed, _PLACE_FIELDS, batch_size=200)
    same = len(wanted) - len(new) - len(changed)
    return Loaded("places", len(new), len(changed), same, len(known.keys() - wanted.keys()))


def _places() -> Iterator[Jurisdiction]:
    folder, root = settings.COUNTRY_DATA, geometry.country()
    outlined = {root["code"], *geometry.outlined_codes()}
    yield _place(root["code"], Level.COUNTRY, None, root, outlined)
    for row in read_rows(folder / "gazetteer.csv"):
        yield _place(root["code"] + row["code"], Level(row["level"]), root["code"] + row["parent_code"], row, outlined)
    for row in read_rows(folder / "villages.csv.gz"):
        yield _place(root["code"] + row["code"], Level.VILLAGE, root["code"] + row["parent_code"], row, outlined)


def _place(pcode: str, level: Level, parent: str | None, row: dict[str, str], outlined: set[str]) -> Jurisdiction:
    name_km, name_en = canonical(row["name_km"]).strip(), row["name_en"].strip()
    return Jurisdiction(
        pcode=pcode,
        level=level,
        parent_id=parent,
        name_km=name_km,
        name_en=name_en,
        kind_km=row.get("type_km", ""),
        kind_en=row.get("type_en", ""),
        lat=_number(row.get("lat", "")),
        lon=_number(row.get("lon", "")),
        has_outline=pcode in outlined,
        search_key=f"{search_key(name_km)} {search_key(name_en)}".strip(),
    )


# ---- Calendar ----


def load_calendar(*, now: dt.datetime, dry_run: bool = False) -> Loaded:
    """Elections and their phases. An election that exists, and all its phases, are left as they are.

    A new one is locked when its last phase ended more than LOCK_AFTER before `now`. Elections that a source announced
    and none confirms (status `unverified`) are not loaded.
    """
    folder = settings.COUNTRY_DATA
    phases = list(read_rows(folder / "election_phases.csv"))
    phase_of = {word: r["code"] for r in read_rows(folder / "phases.csv") for word in r["from_election_phases"].split()}
    rows = [row for row in read_rows(folder / "elections.csv") if row["status"] != "unverified"]
    known = set(Election.objects.values_list("code", flat=True))
    new = [row for row in rows if election_code(row["election_id"]) not in known]
    if not dry_run:
        with transaction.atomic():
            for row in new:
                mine = [p for p in phases if p["election_id"] == row["election_id"]]
                _make_election(row, mine, phase_of, now)
    return Loaded("elections", len(new), 0, len(rows) - len(new), len(known) - (len(rows) - len(new)))


def election_code(election_id: str) -> str:
    """CC-2027 is CC27 in references."""
    kind, year = election_id.split("-")[:2]
    return f"{kind}{year[2:]}"


def _make_election(
    row: dict[str, str], phases: Sequence[dict[str, str]], phase_of: dict[str, str], now: dt.datetime
) -> None:
    election = Election(
        code=election_code(row["election_id"]),
        type=ElectionType(row["election_type"]),
        suffrage=Suffrage(row["suffrage"]),
        name_km=canonical(row["name_km"]),
        name_en=row["name_en"],
        polling_on=_day(row["polling_date"]) if row["polling_date"] else None,
        expected_year=int(row["date_precision"][5:]) if row["date_precision"].startswith("year:") else None,
        polls_open=dt.time.fromisoformat(row["polls_open"] or "07:00"),
        polls_close=dt.time.fromisoformat(row["polls_close"] or "15:00"),
        stations=int(row["polling_stations"]) if row["polling_stations"] else None,
        voters=int(row["registered_voters"]) if row["registered_voters"] else None,
        source=row["source"],
    )
    windows = list(_windows(election, phases, phase_of))
    election.is_locked = bool(windows) and max(w.ends_at for w in windows) < now - LOCK_AFTER
    Election.objects.bulk_create([election])
    PhaseWindow.objects.bulk_create(windows)


def _windows(election: Election, rows: Iterable[dict[str, str]], phase_of: dict[str, str]) -> Iterator[PhaseWindow]:
    """Phase windows from dated rows: days as given, polling day split at the close, gaps to `after` filled.

    A filled window is derived, and illustrative where a date it rests on is.
    """
    by_phase: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_phase.setdefault(phase_of[row["phase"]], []).append(row)

    def window(phase: Phase, starts: dt.datetime, ends: dt.datetime, basis: str, source: str) -> PhaseWindow:
        return PhaseWindow(election=election, phase=phase, starts_at=starts, ends_at=ends, basis=basis, source=source)

    for phase in (Phase.REGISTRATION, Phase.NOMINATION, Phase.CAMPAIGN, Phase.SILENCE):
        for row in by_phase.get(phase, []):
            starts, ends = _midnight(_day(row["start_date"])), _midnight(_day(row["end_date"]) + _DAY)
            yield window(phase, starts, ends, row["basis"], row["source"])
    if election.polling_on is None or Phase.POLLING not in by_phase:
        return
    polling = by_phase[Phase.POLLING][0]
    close = _local(election.polling_on, election.polls_close)
    yield window(Phase.POLLING, _midnight(election.polling_on), close, polling["basis"], polling["source"])
    counting = by_phase.get(Phase.COUNTING)
    official = [r for r in by_phase.get(Phase.RESULTS, []) if r["phase"] == "official_results"]
    if not counting or not official:
        return
    counted = _midnight(max(_day(r["end_date"]) for r in counting) + _DAY)
    announced = _midnight(_day(official[0]["end_date"]) + _DAY)
    source = official[0]["source"]
    basis = _weakest(r["basis"] for r in [*counting, *official])
    yield window(Phase.COUNTING, close, counted, counting[0]["basis"], counting[0]["source"])
    yield window(Phase.RESULTS, counted, announced, basis, source)
    yield window(Phase.AFTER, announced, announced + AFTER_RESULTS, basis, source)


def _weakest(bases: Iterable[str]) -> Basis:
    return Basis.ILLUSTRATIVE if Basis.ILLUSTRATIVE in list(bases) else Basis.DERIVED


# ---- Small readers ----


def _differs(wanted: Jurisdiction, known: Jurisdiction, fields: Iterable[str]) -> bool:
    return any(getattr(wanted, f) != getattr(known, f) for f in fields)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _local(day: dt.date, time: dt.time) -> dt.datetime:
    return dt.datetime.combine(day, time, ZoneInfo(settings.TIME_ZONE))


def _midnight(day: dt.date) -> dt.datetime:
    return _local(day, dt.time())
