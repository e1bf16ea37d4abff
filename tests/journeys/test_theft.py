"""S1: an ordinary theft in Takeo, from the first words to closing, through the API of the running system."""

from __future__ import annotations

from tests.journeys.system import System


def test_a_theft_is_reported_answered_resolved_and_closed_by_somebody_else(system: System) -> None:
    officer, duty, province = (system.person(n) for n in ("officer", "duty_commander", "provincial"))
    case = officer.report(category="CRM-06", place="KH210801", narrative="A motorbike was taken from the market.")
    assert (case["severity"], case["state"]) == ("low", "reported")
    assert case["owner"]["code"] == system.code_of("duty_commander")
    assert targets_of(system, case) == targets_of_today(system, case)

    told = system.told(case)
    assert "cast-duty-commander" in told
    assert not told & {"cast-psc", "cast-nec", "cast-nec-second"}, "an ordinary theft alarms neither PSC nor NEC"

    assert duty.act(case, "acknowledge", note="On our way.").status == 200
    assert duty.act(case, "update", note="The owner was heard.").status == 200
    assert duty.act(case, "contain", note="The seller is known.").status == 200
    resolved = duty.act(
        case, "resolve", outcome="settled", verification="verified", note="The motorbike is back with its owner."
    )
    assert (resolved.status, resolved.body["state"]) == (200, "resolved")

    refused = duty.act(case, "close", note="Done.")
    assert refused.status == 403
    closed = province.act(case, "close", note="Read and agreed.")
    assert (closed.status, closed.body.get("state")) == (200, "closed"), closed.body

    acts = [entry["act"] for entry in province.get(f"incidents/{case['id']}/timeline/").body["results"]]
    assert [a for a in acts if a in ("report", "acknowledge", "resolve", "close")] in (
        ["report", "acknowledge", "resolve", "close"],
        ["close", "resolve", "acknowledge", "report"],
    )
    assert system.health("readyz").status == 200
    system.manage("seal_journal")
    system.manage("verify_journal")
    system.manage("rebuild_tallies", "--check")


def test_the_same_report_sent_twice_is_one_case(system: System) -> None:
    officer = system.person("officer")
    case = officer.report(category="CRM-06", place="KH210801", narrative="A bicycle was taken from a house.")
    again = officer.post(
        "incidents/",
        {
            "id": case["id"],
            "occurred_at": case["occurred_at"],
            "category": "CRM-06",
            "place": "KH210801",
            "narrative": "A bicycle was taken from a house.",
        },
    )
    assert (again.status, again.body["reference"]) == (200, case["reference"])


def test_a_stale_version_is_told_what_happened_meanwhile(system: System) -> None:
    officer, duty = system.person("officer"), system.person("duty_commander")
    case = officer.report(category="CRM-06", place="KH210801", narrative="A phone was taken from a bag.")
    duty.act(case, "acknowledge", note="")
    late = duty.post(
        f"incidents/{case['id']}/acts/",
        {"act": "update", "note": "I did not see the page change."},
        **{"If-Match": f'"{case["version"]}"'},
    )
    assert late.status == 409
    assert [entry["act"] for entry in late.body["meanwhile"]] == ["acknowledge"]


def targets_of(system: System, case: dict[str, object]) -> dict[str, int]:
    rows = system.sql("SELECT kind, target_minutes FROM incidents_clock WHERE incident_id = %s", case["id"])
    return {kind: minutes for kind, minutes in rows if kind in ("acknowledge", "first_update", "contain")}


def targets_of_today(system: System, case: dict[str, object]) -> dict[str, int]:
    """Of the case's own policy. Processes live in real time, so the phase is whichever the calendar has today."""
    rows = system.sql(
        "SELECT acknowledge_minutes, first_update_minutes, contain_minutes FROM incidents_responsetarget t"
        " JOIN incidents_incident i ON i.policy_id = t.policy_id"
        " WHERE i.id = %s AND t.phase = i.phase AND t.severity = 'low'",
        case["id"],
    )
    return dict(zip(("acknowledge", "first_update", "contain"), rows[0], strict=True))
