"""When a clock next tells or moves, worked out by the database, so that the soonest of very many can be asked for.

A step that warns is passed over: the board shows what comes after it. Most policies tell or move at the deadline at the
earliest, so the later of deadline and next step is the answer; what a policy does sooner, and where nobody is there to
be warned, are the exceptions.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Greatest

from commands.models import SecurityCommand
from incidents import routing
from incidents.choices import OPEN, ClockKind, Deed
from incidents.deadlines import Step
from incidents.models import Clock, ClockState, ConflictSubject, Incident, Policy
from incidents.policies import rules_of
from incidents.policy_content import CLOCKS

#: A case, its owner, and whether it is sealed.
Owned = tuple[UUID, int, bool]


def acting(unattended: Q | None) -> QuerySet[Any]:
    """Running clocks with `at`, the moment of their next step that tells or moves.

    `unattended` are the cases with nobody at their owner: they move when the warning would have come.
    """
    whens = list(_sooner_by_policy())
    if unattended is not None:
        whens.insert(0, When(unattended & ~Q(kind=ClockKind.LEGAL), then=F("fires_at")))
    usual = Greatest("fires_at", "deadline_at")
    running = Clock.objects.filter(state=ClockState.RUNNING).exclude(kind=ClockKind.SNOOZE)
    return running.annotate(at=Case(*whens, default=usual, output_field=DateTimeField()) if whens else usual)


# ---- What a policy does before the deadline ----


def _sooner_by_policy() -> Iterator[When]:
    by_step: dict[tuple[str, int, int | None], list[int]] = defaultdict(list)
    for policy in Policy.objects.exclude(published_at=None):
        rules = rules_of(policy)
        for kind in CLOCKS:
            try:
                steps = rules.steps(kind)
            except ValidationError:
                # A policy with a gap, which the engine cannot work with and the audit names.
                continue
            for number in range(len(steps)):
                percent = _acts_at(steps, number)
                if percent is not None and percent < 100:
                    own = steps[number].deed != Deed.WARN
                    by_step[str(kind), number, None if own else percent].append(policy.pk)
    for (clock, number, percent), policies in by_step.items():
        theirs = Incident.objects.filter(policy__in=policies, state__in=OPEN).values("pk")
        then = F("fires_at") if percent is None else _at_percent(percent)
        yield When(kind=clock, step=number, incident__in=theirs, then=then)


def _acts_at(steps: Sequence[Step], number: int) -> int | None:
    """The percent of the first step from `number` on that tells or moves."""
    return next((step.percent for step in steps[number:] if step.deed != Deed.WARN), None)


def _at_percent(percent: int) -> ExpressionWrapper[Any]:
    minute = Value(dt.timedelta(seconds=60 * percent / 100), output_field=DurationField())
    # SQLite multiplies nothing that is called a positive number.
    minutes = ExpressionWrapper(F("target_minutes"), output_field=IntegerField())
    span = ExpressionWrapper(minutes * minute, output_field=DurationField())
    return ExpressionWrapper(F("anchor_at") + span, output_field=DateTimeField())


# ---- Where nobody is there to be warned ----


def unattended_of(cases: Iterable[Owned], now: dt.datetime) -> Q | None:
    """Those of `cases` with nobody at their owner; None for none."""
    keys = unattended_among(cases, now)
    return Q(incident__in=keys) if keys else None


def unattended_among(cases: Iterable[Owned], now: dt.datetime) -> list[UUID]:
    """Keys of those of `cases` with nobody at their owner. Of a sealed one its subjects' people do not count."""
    rows = list(cases)
    people = routing.people_at({owner for _case, owner, _sealed in rows}, now) if rows else {}
    barred = _barred([case for case, owner, sealed in rows if sealed and people[owner]], now)
    return [case for case, owner, _sealed in rows if all(p.pk in barred.get(case, ()) for p in people[owner])]


def unattended_anywhere(now: dt.datetime) -> Q | None:
    """Every open case whose owner has nobody there, for scopes too large to be read; of a sealed one the same."""
    vacant = routing.vacant_among(SecurityCommand.objects.active(), now)
    here = Incident.objects.filter(owner__in=vacant, state__in=OPEN)
    return Q(incident__in=here.values("pk")) if here.exists() else None


def _barred(sealed: Sequence[UUID], now: dt.datetime) -> dict[UUID, set[int]]:
    """By sealed case: keys of people who serve at a unit that it is about. One query for each set of such units."""
    subjects: dict[UUID, set[str]] = defaultdict(set)
    rows = ConflictSubject.objects.filter(incident__in=sealed).values_list("incident", "command__path")
    for case, path in rows:
        subjects[case].add(path)
    serving = {paths: routing.serving_under(paths, now) for paths in map(frozenset, subjects.values())}
    return {case: serving[frozenset(paths)] for case, paths in subjects.items()}
