"""S5: nobody at the district answers, and the worker is killed meanwhile. Exactly one step, one notice, one alarm."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cast import PHNOM_PENH
from tests.journeys.system import System, eventually

NARRATIVE = "Sixty voters wait at a closed gate."


def moves_of(system: System, case: dict[str, Any]) -> list[tuple[Any, ...]]:
    return system.sql(
        "SELECT clock, episode, step FROM incidents_escalation WHERE incident_id = %s AND kind = 'owner_moved'"
        " ORDER BY id",
        case["id"],
    )


@pytest.fixture
def polling_day(system: System) -> Iterator[None]:
    """In the fictional province people vote now, so a high case is to be acknowledged within ten minutes."""
    where = "phase = 'polling' AND jurisdiction_id = 'KH99'"
    system.sql(
        "INSERT INTO elections_phasewindow (election_id, phase, jurisdiction_id, starts_at, ends_at, basis, source)"
        " SELECT id, 'polling', 'KH99', now() - interval '2 hours', now() + interval '22 hours', 'illustrative', ''"
        " FROM elections_election WHERE code = 'CC27'"
    )
    yield
    system.sql(f"DELETE FROM elections_phasewindow WHERE {where}")


def steps_of(system: System, case: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Of the clock of acknowledgement, by kind of step: minutes from the report to when it was due and when it fired.

    `age` moves the clock and not what was written, so a step that fired is measured from the anchor of its own time.
    """
    rows = system.sql(
        "SELECT e.kind, extract(epoch FROM e.due_at - c.anchor_at) / 60,"
        " extract(epoch FROM e.fired_at - c.anchor_at) / 60"
        " FROM incidents_escalation e JOIN incidents_clock c ON c.incident_id = e.incident_id AND c.kind = e.clock"
        " AND c.episode = e.episode WHERE e.incident_id = %s AND e.clock = 'acknowledge' AND e.episode = 1",
        case["id"],
    )  # fmt: skip
    return {kind: (float(due), float(fired)) for kind, due, fired in rows}


def alarm_since(system: System) -> Any:
    return system.sql("SELECT alarm_since FROM incidents_enginestate")[0][0]


@pytest.mark.usefixtures("polling_day")
def test_a_killed_worker_costs_time_and_never_an_escalation(system: System) -> None:
    officer, district, province = (system.person(n) for n in ("demo_officer", "demo_duty", "demo_provincial"))
    eventually(lambda: system.health("health/engine").status == 200)
    before = breaches(system)
    case = officer.report(category="PRC-04", place="KH990101", narrative=NARRATIVE, voters_affected=60)
    assert (case["phase"], case["severity"]) == ("polling", "high")

    system.age(case, 7)
    assert steps_of(system, case) == {}
    system.age(case, 0.6)
    warned = eventually(lambda: steps_of(system, case).get("warning"))
    assert warned[0] == pytest.approx(7.5, abs=0.01)
    assert "cast-demo-duty" in system.told(case)
    assert officer.case(case)["owner"]["code"] == system.code_of("demo_duty")

    # T8: the worker dies. T10 passes, and nobody moves the case.
    system.age(case, 0.4)
    system.kill("worker")
    system.age(case, 2.1)
    assert moves_of(system, case) == []
    # T12: the auditor, a process of its own, sees that a due step waits.
    system.age(case, 2)
    eventually(lambda: alarm_since(system), seconds=90)
    answer = system.health("health/engine")
    assert answer.status == 503
    assert answer.body["state"] in ("late", "stopped")
    assert moves_of(system, case) == []

    # T14: back again. One step, due when it was due, and one notice of it.
    system.age(case, 1.5)
    system.start("worker")
    eventually(lambda: moves_of(system, case), seconds=60)
    assert len(moves_of(system, case)) == 1
    due, fired = steps_of(system, case)["owner_moved"]
    assert due == pytest.approx(10, abs=0.01)
    assert fired >= 14
    assert officer.case(case)["owner"]["code"] == system.code_of("demo_provincial")
    assert told_of_the_move(system, case) == [("cast-demo-provincial", 1)]
    eventually(lambda: system.health("health/engine").status == 200)
    eventually(lambda: alarm_since(system) is None, seconds=90)

    # T16: the province accepts. T20: what the district adds is information; the case stays where it went.
    assert province.act(case, "acknowledge", note="Ours now.").status == 200
    late = district.act(case, "acknowledge", note="We saw it late.")
    assert late.status == 200
    assert late.body["owner"]["code"] == system.code_of("demo_provincial")
    entries = province.get(f"incidents/{case['id']}/timeline/").body["results"]
    assert [row["act"] for row in entries if row["act"] in ("acknowledge", "seen")] == ["acknowledge", "seen"]

    # T95: contained. The record shows the breach at the district and not at the province, and so does the week.
    assert province.act(case, "update", note="A unit is at the gate.").status == 200
    assert province.act(case, "contain", note="The gate is open.").status == 200
    moved = next(row for row in entries if row["act"] == "auto_escalate")
    assert (moved["before"]["owner"], moved["after"]["owner"]) == (
        system.code_of("demo_duty"), system.code_of("demo_provincial")
    )  # fmt: skip
    held = system.sql(
        "SELECT c.code, k.reason, k.accepted_at IS NOT NULL FROM incidents_custody k"
        " JOIN commands_securitycommand c ON c.id = k.command_id WHERE k.incident_id = %s ORDER BY k.id",
        case["id"],
    )  # fmt: skip
    assert held == [
        (system.code_of("demo_duty"), "report", False),
        (system.code_of("demo_provincial"), "acknowledge", True),
    ]
    assert len(moves_of(system, case)) == 1
    assert told_of_the_move(system, case) == [("cast-demo-provincial", 1)]
    # The summary of a week that runs is cut off at the last whole minute.
    week = eventually(lambda: breach_of_the_week(province, 1, more_than=before[1]), seconds=90)
    assert week["reached"]["2"] == week["value"]
    assert breaches(system) == {1: before[1] + 1, 2: before[2]}


def breaches(system: System) -> dict[int, int]:
    """Cases of the province that moved up this far because the district, or the province, did not acknowledge."""
    found = system.sql(
        "SELECT c.kind, count(*) FROM incidents_escalation e JOIN incidents_incident i ON i.id = e.incident_id"
        " JOIN commands_securitycommand c ON c.id = e.from_command_id"
        " WHERE e.kind = 'owner_moved' AND e.clock = 'acknowledge' AND i.province_code = 'KH99' GROUP BY c.kind"
    )
    numbers = {str(kind): int(n) for kind, n in found}
    return {1: numbers.get("district", 0), 2: numbers.get("province", 0)}


def breach_of_the_week(person: Any, rung: int, *, more_than: int) -> dict[str, Any] | None:
    """What the weekly summary says of times to acknowledge that ran out at a rung, once it counts so many."""
    week = dt.datetime.now(PHNOM_PENH).strftime("%G-W%V")
    rows = person.get(f"reports/weekly?week={week}&election=CC27").body["escalation"]["handovers"]
    found = next((r for r in rows if (r["reason"], r["rung"]) == ("acknowledge", rung)), None)
    return found if found and found["value"] > more_than else None


def told_of_the_move(system: System, case: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Who was asked to act on what came up, and how often, in the inbox."""
    return system.sql(
        "SELECT u.username, count(*) FROM incidents_notice n JOIN commands_user u ON u.id = n.recipient_id"
        " WHERE n.incident_id = %s AND n.channel = 'inbox' AND n.kind = 'auto_escalate' GROUP BY u.username",
        case["id"],
    )  # fmt: skip


def test_two_workers_and_a_loop_by_hand_fire_each_step_once(system: System) -> None:
    officer = system.person("demo_officer")
    cases = [officer.report(category="PRC-04", place="KH990101", narrative=f"{NARRATIVE} Gate {n}.") for n in range(8)]
    system.start_another("worker")
    for case in cases:
        system.let_it_become_overdue(case)
    for _ in range(3):
        system.manage("escalate", "--once")
    eventually(lambda: all(moves_of(system, case) for case in cases))
    for case in cases:
        steps = moves_of(system, case)
        assert len(steps) == len(set(steps))


def test_escalation_goes_on_by_hand_when_broker_and_beat_are_gone(system: System) -> None:
    officer = system.person("demo_officer")
    system.kill("beat")
    case = officer.report(category="PRC-04", place="KH990101", narrative=NARRATIVE)
    system.let_it_become_overdue(case)
    system.manage("escalate", "--once")
    assert moves_of(system, case)
    system.start("beat")
