"""S5 by the minute, on both databases: the district is silent and the engine away from T8 to T14.

With real processes, and the worker killed, it is played in `test_silent_district.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from incidents.choices import Act
from incidents.escalation import watchdog
from incidents.models import Escalation, Incident, Notice
from tests.cast import DEMO_COMMUNE, PHNOM_PENH
from tests.journeys.day import Day

pytestmark = pytest.mark.django_db
T0 = dt.datetime(2027, 6, 6, 9, 0, tzinfo=PHNOM_PENH)


@pytest.fixture
def morning(day: Callable[[dt.datetime], Day]) -> Day:
    return day(T0)


def gate(day: Day) -> Incident:
    """Sixty voters wait at a gate of the fictional province while people vote."""
    day.until(0)
    case = day.report(
        "demo_officer",
        category="PRC-04",
        place=DEMO_COMMUNE,
        narrative="Sixty voters wait at a closed gate.",
        voters_affected=60,
    )
    assert (case.phase, case.severity) == ("polling", "high")
    return case


def fired(case: Incident, kind: str) -> list[tuple[float, float]]:
    """Steps of the time to acknowledge at the district: minutes at which each was due and was done."""
    steps = Escalation.objects.filter(incident=case, clock="acknowledge", episode=1, kind=kind).order_by("pk")
    minute = dt.timedelta(minutes=1)
    return [((step.due_at - T0) / minute, (step.fired_at - T0) / minute) for step in steps]


def test_the_engine_away_costs_time_and_never_an_escalation(morning: Day) -> None:
    case = gate(morning)
    morning.until(7)
    assert fired(case, "warning") == []
    morning.until(8)
    assert fired(case, "warning") == [(7.5, 8)]
    assert morning.told(case, kind="warn") == {"demo_duty"}
    assert morning.owner(case) == morning.code("demo_duty")

    # T8 to T14: no tick. At T12 the auditor, who is not the engine, raises the alarm.
    morning.reach(12)
    assert watchdog.watch(morning.now).is_alarm
    assert Client().get(reverse("engine_health")).status_code == 503
    assert fired(case, "owner_moved") == []
    assert morning.owner(case) == morning.code("demo_duty")

    morning.until(14, every=6)
    assert fired(case, "owner_moved") == [(10, 14)]
    assert morning.owner(case) == morning.code("demo_provincial")
    assert morning.told(case, kind="auto_escalate") == {"demo_provincial"}
    assert not watchdog.watch(morning.now).is_alarm
    assert Client().get(reverse("engine_health")).status_code == 200
    moved = morning.last(case, Act.AUTO_ESCALATE)
    bodies = [morning.cast.command(name).pk for name in ("demo_duty", "demo_provincial")]
    assert [moved.before["owner"], moved.after["owner"]] == bodies


def test_what_the_district_says_afterwards_is_information(morning: Day) -> None:
    case = gate(morning)
    before = breaches(morning)
    morning.until(16)
    morning.do("demo_provincial", Act.ACKNOWLEDGE, case, note="Ours now.")
    morning.until(20)
    late = morning.do("demo_duty", Act.ACKNOWLEDGE, case, note="We saw it late.")
    assert late["owner"]["code"] == morning.code("demo_provincial")
    acts = list(case.entries.filter(act__in=[Act.ACKNOWLEDGE, Act.SEEN]).order_by("pk").values_list("act", flat=True))
    assert acts == [Act.ACKNOWLEDGE, Act.SEEN]
    morning.do("demo_provincial", Act.UPDATE, case, note="A unit is at the gate.")
    morning.until(95)
    morning.do("demo_provincial", Act.CONTAIN, case, note="The gate is open.")
    assert len(fired(case, "owner_moved")) == 1
    assert Notice.objects.filter(incident=case, channel="inbox", kind="auto_escalate").count() == 1
    morning.until(96)
    assert breaches(morning) == {1: before[1] + 1, 2: before[2]}


def breaches(day: Day) -> dict[int, int]:
    """What the week says of times to acknowledge that ran out, by the rung that had the case."""
    rows = day.weekly("demo_provincial")["escalation"]["handovers"]
    found = {row["rung"]: row["value"] for row in rows if row["reason"] == "acknowledge"}
    return {1: found.get(1, 0), 2: found.get(2, 0)}
