"""Loading what can happen and how fast it must be answered: categories and response targets from incidents/data.

Idempotent by code. Rows that exist are left as they are: both lists are an administrator's to change.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.db import transaction

from elections.choices import IN_USE, Phase
from elections.importing import Loaded, read_rows
from elections.khmer import canonical
from incidents.choices import Nature, ReferralBody, Severity
from incidents.deadlines import USUAL_STEPS
from incidents.models import Category, LegalDeadline, Policy, PolicyStep, ResponseTarget

DATA = Path(__file__).resolve().parent / "data"
#: Time to resolve, from containment, as a multiple of the time to contain (docs/decisions/0004-targets.md).
RESOLVE_FACTOR = 2
#: The first policy is in force for every case there is, whenever it was reported.
_ALWAYS = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def load_categories(*, dry_run: bool = False) -> Loaded:
    """The taxonomy; a category without a usual severity is unrated until its worksheet is done."""
    rows = list(read_rows(DATA / "categories.csv"))
    known = set(Category.objects.values_list("code", flat=True))
    new = [_category(row) for row in rows if row["code"] not in known]
    if not dry_run:
        Category.objects.bulk_create(new)
    return Loaded("categories", len(new), 0, len(rows) - len(new), len(known - {r["code"] for r in rows}))


def load_policy(*, dry_run: bool = False) -> Loaded:
    """The first general policy: targets of every phase and severity and the usual steps. Never touched again."""
    rows = list(read_rows(DATA / "response_targets.csv"))
    if Policy.objects.filter(election=None).exists():
        return Loaded("response targets", 0, 0, len(rows))
    if not dry_run:
        with transaction.atomic():
            first = Policy.objects.create(number=1, note="domain 3.2, 3.3", created_at=_ALWAYS)
            ResponseTarget.objects.bulk_create([_target(row, first) for row in rows])
            PolicyStep.objects.bulk_create(usual_steps(first))
            # Last: of a published version nothing is added any more.
            Policy.objects.filter(pk=first.pk).update(published_at=_ALWAYS)
    return Loaded("response targets", len(rows), 0, 0)


def usual_steps(policy: Policy) -> list[PolicyStep]:
    """Unsaved steps of a policy as domain 3.3 has them."""
    return [
        PolicyStep(policy=policy, clock=clock, number=number, percent=s.percent, deed=s.deed, rung=s.rung)
        for clock, steps in USUAL_STEPS.items()
        for number, s in enumerate(steps)
    ]


def load_legal_deadlines(*, dry_run: bool = False) -> Loaded:
    """How long each body has by law to decide; rows that exist stay as an administrator left them."""
    rows = list(read_rows(DATA / "legal_deadlines.csv"))
    known = set(LegalDeadline.objects.values_list("body", flat=True))
    new = [
        LegalDeadline(
            body=ReferralBody(row["body"]),
            minutes=int(row["minutes"]) if row["minutes"] else None,
            source=row["source"],
        )
        for row in rows
        if row["body"] not in known
    ]
    if not dry_run:
        LegalDeadline.objects.bulk_create(new)
    return Loaded("legal deadlines", len(new), 0, len(rows) - len(new))


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


def _target(row: dict[str, str], policy: Policy) -> ResponseTarget:
    contain = int(row["contain_min"])
    return ResponseTarget(
        policy=policy,
        # Domain 4.2: two hours while people vote and votes are counted, else a day.
        verify_minutes=120 if row["phase"] in IN_USE else 1440,
        phase=Phase(row["phase"]),
        severity=Severity(row["severity"]),
        acknowledge_minutes=int(row["acknowledge_min"]),
        first_update_minutes=int(row["first_update_min"]),
        contain_minutes=contain,
        update_every_minutes=int(row["update_every_min"]) if row["update_every_min"] else None,
        resolve_minutes=contain * RESOLVE_FACTOR,
    )
