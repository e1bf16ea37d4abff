"""Loading what can happen and how fast it must be answered: categories and response targets from incidents/data.

Idempotent by code. Rows that exist are left as they are: both lists are an administrator's to change.
"""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from elections.choices import Phase
from elections.importing import Loaded, read_rows
from elections.khmer import canonical
from incidents.choices import Nature, Severity
from incidents.models import Category, ResponseTarget

DATA = Path(__file__).resolve().parent / "data"
#: Time to resolve, from containment, as a multiple of the time to contain (docs/decisions/0004-targets.md).
RESOLVE_FACTOR = 2


def load_categories(*, dry_run: bool = False) -> Loaded:
    """The taxonomy; a category without a usual severity is unrated until its worksheet is done."""
    rows = list(read_rows(DATA / "categories.csv"))
    known = set(Category.objects.values_list("code", flat=True))
    new = [_category(row) for row in rows if row["code"] not in known]
    if not dry_run:
        Category.objects.bulk_create(new)
    return Loaded("categories", len(new), 0, len(rows) - len(new), len(known - {r["code"] for r in rows}))


def load_targets(*, dry_run: bool = False) -> Loaded:
    """Response targets of every phase and severity, for all elections."""
    rows = list(read_rows(DATA / "response_targets.csv"))
    known = set(ResponseTarget.objects.filter(election=None).values_list("phase", "severity"))
    new = [_target(row) for row in rows if (row["phase"], row["severity"]) not in known]
    if not dry_run:
        with transaction.atomic():
            ResponseTarget.objects.bulk_create(new)
    return Loaded("response targets", len(new), 0, len(rows) - len(new))


def _category(row: dict[str, str]) -> Category:
    return Category(
        code=row["code"],
        group_code=row["group_code"],
        group_en=row["group_en"],
        group_km=canonical(row["group_km"]),
        name_en=row["label_en"],
        name_km=canonical(row["label_km"]),
        default_severity=Severity(row["default_severity"] or Severity.UNRATED),
        nature=Nature(row["nature"]),
        phases=row["phases"],
        is_conflict_route=row["conflict_route"] == "yes",
        protects_victim=row["protects_victim"] == "yes",
        is_speech=row["speech_safeguard"] == "yes",
        has_legal_clock=row["legal_clock"] == "yes",
        ever_code=row["ever_code"],
        acled_code=row["acled_code"],
        is_reviewed=row["km_reviewed"] == "yes",
    )


def _target(row: dict[str, str]) -> ResponseTarget:
    contain = int(row["contain_min"])
    return ResponseTarget(
        phase=Phase(row["phase"]),
        severity=Severity(row["severity"]),
        acknowledge_minutes=int(row["acknowledge_min"]),
        first_update_minutes=int(row["first_update_min"]),
        contain_minutes=contain,
        update_every_minutes=int(row["update_every_min"]) if row["update_every_min"] else None,
        resolve_minutes=contain * RESOLVE_FACTOR,
    )
