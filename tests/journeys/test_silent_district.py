"""S5: nobody at the district answers, and the worker is killed meanwhile. Exactly one step, one notice, one alarm."""

from __future__ import annotations

from typing import Any

from tests.journeys.system import System, eventually

NARRATIVE = "Sixty voters wait at a closed gate."


def moves_of(system: System, case: dict[str, Any]) -> list[tuple[Any, ...]]:
    return system.sql(
        "SELECT clock, episode, step FROM incidents_escalation WHERE incident_id = %s AND kind = 'owner_moved'"
        " ORDER BY id",
        case["id"],
    )


def test_a_killed_worker_costs_time_and_never_an_escalation(system: System) -> None:
    officer, district, province = (system.person(n) for n in ("demo_officer", "demo_duty", "demo_provincial"))
    case = officer.report(category="PRC-04", place="KH990101", narrative=NARRATIVE, voters_affected=60)
    eventually(lambda: system.health("health/engine").status == 200)
    system.kill("worker")
    system.let_it_become_overdue(case)

    alarm = eventually(lambda: (answer := system.health("health/engine")).status == 503 and answer)
    assert alarm.body["state"] in ("late", "stopped")
    eventually(lambda: system.sql("SELECT 1 FROM incidents_enginestate WHERE alarm_since IS NOT NULL"))
    assert moves_of(system, case) == []

    system.start("worker")
    eventually(lambda: moves_of(system, case), seconds=60)
    assert len(moves_of(system, case)) == 1
    assert officer.case(case)["owner"]["code"] == system.code_of("demo_provincial")
    told = system.sql(
        "SELECT count(*) FROM incidents_notice n JOIN commands_user u ON u.id = n.recipient_id"
        " WHERE n.incident_id = %s AND n.channel = 'inbox' AND n.kind = 'auto_escalate' AND u.username = %s",
        case["id"], "cast-demo-provincial",
    )  # fmt: skip
    assert told == [(1,)]
    eventually(lambda: system.health("health/engine").status == 200)

    assert province.act(case, "acknowledge", note="Ours now.").status == 200
    # What the district adds now is information; the case stays where it went.
    assert district.act(case, "acknowledge", note="We saw it late.").status == 200
    assert officer.case(case)["owner"]["code"] == system.code_of("demo_provincial")


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
