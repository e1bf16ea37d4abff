"""The whole demonstration in one transaction: all of it is there, or none of it."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable

from django.db import transaction

from elections.models import Election
from incidents.demo import drills, policies, scenarios, waiting
from incidents.demo.quarter import Quarter, senate_days
from incidents.demo.stage import Stage
from incidents.escalation import state
from incidents.models import Incident

QUARTER = dt.timedelta(days=90)


def is_there() -> bool:
    """Whether the demonstration has been made: nobody else has cases of that election in the fictional province."""
    return Incident.objects.filter(election__code=scenarios.ELECTION, province_code="KH99").exists()


@transaction.atomic
def make(
    now: dt.datetime, chance: random.Random, *, cases: int, past: int, tell: Callable[[str], None]
) -> Counter[str]:
    """Play the scenarios and `past` cases of the Senate election, then `cases` of the running one up to `now`.

    `tell` hears how far it is, twenty times. Returns what was refused, counted by reason: acts that came too late for
    their case, mostly.
    """
    elections = Election.objects.select_for_update().with_windows()
    senate = elections.get(code=scenarios.ELECTION)
    was_locked = senate.is_locked
    # An election in the past is locked; its cases are made as if it were not, and then it is as it was.
    Election.objects.filter(pk=senate.pk).update(is_locked=False)
    senate.is_locked = False
    running = elections.default_for(now)
    if running is None:
        raise Election.DoesNotExist("no election to make cases in")

    first, last = senate_days()
    start = dt.datetime.combine(first, dt.time(), now.tzinfo)
    stage = Stage(end=start + dt.timedelta(days=150), chance=chance)
    scenarios.play(stage)
    Quarter(stage, senate).plan(past, first, last)
    stage.daily_rules(start, start + dt.timedelta(days=60))
    stage.run(lambda part: tell(f"Senate election of 2024: {part} %, {stage.reported} cases"))
    Election.objects.filter(pk=senate.pk).update(is_locked=was_locked)

    quarter = Stage(end=now, chance=chance)
    everyday = Quarter(quarter, running)
    everyday.plan(cases, (now - QUARTER).date(), now.date())
    everyday.plan_today()
    policies.plan(quarter, running)
    quarter.daily_rules(now - QUARTER, now)
    drills.plan(quarter, now)
    waiting.plan(quarter, running)
    quarter.run(lambda part: tell(f"last 90 days of {running.code}: {part} %, {quarter.reported} cases"))
    state.forget_rounds()
    return stage.refused + quarter.refused
