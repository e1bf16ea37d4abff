"""Sealed cases, which are about the conduct of a unit: how many, and who acted. Never where, and never which unit.

By whole days: a number that grows while somebody looks tells of one case, and the minute at which it was reported. For
who serves in the chain of command there is none, because a reduced one beside the number of somebody else would tell
that a case is about them.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.db.models import QuerySet

from commands.choices import Role
from commands.models import User
from incidents.choices import ActorType
from incidents.dashboards.past import values_at
from incidents.dashboards.question import Question, midnight
from incidents.models import Incident
from incidents.querysets import unit_codes, units_of
from incidents.tallies import local_day

#: Who may know how many sealed cases there are, `may_count` provided; nobody learns where.
SEALED_ROLES = (Role.NEC_SECRETARIAT, Role.INTEGRITY, Role.MINISTRY_ANALYST, Role.AUDITOR)
#: Named one by one: each of these has units in every province. What has few bodies, as those who run the election,
#: stands with what is not known under OTHERS, or the kind would tell the unit.
FORCES = (ActorType.POLICE, ActorType.GENDARMERIE, ActorType.ARMED_FORCES, ActorType.CIVIL_AUTHORITY)
OTHERS = "others"
KINDS = (*FORCES, OTHERS)
#: Where the chain of command begins: most sealed cases are about what stands at or under it.
_CHAIN = "PSC."


def may_count(user: User) -> bool:
    """Whether a person may know how many sealed cases there are: nobody who serves in the chain, whatever else they do.

    A desk of the chain sees the cases it holds; how many others there are would tell it which are about its own body.
    """
    in_chain = any(p.command.path.startswith(_CHAIN) for p in units_of(user.current_postings))
    return user.has_role(*SEALED_ROLES) and not in_chain


def counted_until(question: Question) -> dt.datetime:
    """The last local midnight of the period: of the day that still runs nothing is counted."""
    return midnight(local_day(min(question.span.end, question.now)))


def sealed_cases(question: Question) -> QuerySet[Incident] | None:
    """Sealed cases of the whole days of the period in the country, those about the reader's own body left out.

    None where narrowed, and for who may not know. Only to be counted. Reads around `visible_to`: these people may count
    what they may not see (domain 5.2), and learn no more.
    """
    if question.asked.query_string(election="") or not may_count(question.user):
        return None
    found: QuerySet[Incident] = Incident._base_manager.filter(
        is_sealed=True,
        reported_at__gte=question.span.start,
        reported_at__lt=counted_until(question),
    ).exclude(subjects__command__code__in=unit_codes(question.user.current_postings))
    if question.asked.election:
        found = found.filter(election__code=question.asked.election)
    return found


def by_force(question: Question) -> dict[str, int] | None:
    """Those cases by who acted, as known at `counted_until`: KINDS in order, adding up to the measure `sealed`.

    None for who may not know of them, and where the question is narrowed. It is divided once: a second division beside
    it would tell of single cases. Never to be remembered for others, whose own bodies are other ones.
    """
    cases = sealed_cases(question)
    if cases is None:
        return None
    found: Counter[str] = Counter()
    for (actor,), n in values_at(cases, ("actor_type",), counted_until(question)).items():
        found[actor if actor in FORCES else OTHERS] += n
    return {kind: found[kind] for kind in KINDS}
