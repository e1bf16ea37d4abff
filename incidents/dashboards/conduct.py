"""Sealed cases, which are about the conduct of a unit: how many, and who acted. Never where, and never which unit."""

from __future__ import annotations

from collections import Counter

from django.db.models import QuerySet

from commands.choices import Role
from incidents.choices import ActorType
from incidents.dashboards.past import values_at
from incidents.dashboards.question import Question
from incidents.models import Incident
from incidents.querysets import unit_codes

#: Who may know how many sealed cases there are; nobody learns where.
SEALED_ROLES = (Role.NEC_SECRETARIAT, Role.INTEGRITY, Role.MINISTRY_ANALYST, Role.AUDITOR)
#: Named one by one: each of these has units in every province. What has few bodies, as those who run the election,
#: stands with what is not known under OTHERS, or the kind would tell the unit.
FORCES = (ActorType.POLICE, ActorType.GENDARMERIE, ActorType.ARMED_FORCES, ActorType.CIVIL_AUTHORITY)
OTHERS = "others"
KINDS = (*FORCES, OTHERS)


def sealed_cases(question: Question) -> QuerySet[Incident] | None:
    """Sealed cases of the period in the country, those about the reader's own body left out; None where narrowed.

    To be counted, for SEALED_ROLES alone. Reads around `visible_to`: these roles may count what they may not see
    (domain 5.2), and learn no more.
    """
    if question.asked.query_string(election=""):
        return None
    found: QuerySet[Incident] = Incident._base_manager.filter(
        is_sealed=True,
        reported_at__gte=question.span.start,
        reported_at__lt=question.span.end,
    ).exclude(subjects__command__code__in=unit_codes(question.user.current_postings))
    if question.asked.election:
        found = found.filter(election__code=question.asked.election)
    return found


def by_force(question: Question) -> dict[str, int] | None:
    """Those cases by who acted, as known when the period ended: KINDS in order, adding up to the measure `sealed`.

    None for who may not know of them, and where the question is narrowed. It is divided once: a second division beside
    it would tell of single cases. Never to be remembered for others, whose own bodies are other ones.
    """
    cases = sealed_cases(question) if question.user.has_role(*SEALED_ROLES) else None
    if cases is None:
        return None
    found: Counter[str] = Counter()
    for (actor,), n in values_at(cases, ("actor_type",), min(question.span.end, question.now)).items():
        found[actor if actor in FORCES else OTHERS] += n
    return {kind: found[kind] for kind in KINDS}
