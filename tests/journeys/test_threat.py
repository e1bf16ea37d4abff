"""S4: a liaison reports a threat by a district authority. The district learns nothing, counts included."""

from __future__ import annotations

import json

from tests.journeys.system import System

NARRATIVE = "A family was told not to come to the polling station."


def test_the_unit_concerned_learns_nothing_and_the_integrity_desk_answers(system: System) -> None:
    liaison, district, desk, nec = (
        system.person(n) for n in ("demo_liaison", "demo_duty", "demo_integrity", "nec_integrity")
    )
    seen_before = everything_seen(district)
    case = liaison.report(
        category="INT-01",
        place="KH990101",
        narrative=NARRATIVE,
        concerned=[system.code_of("demo_duty")],
        concerned_civil=True,
    )
    assert case["owner"]["code"] == system.code_of("demo_integrity")

    for path in ("", "timeline/", "attachments/"):
        assert district.get(f"incidents/{case['id']}/{path}").status == 404
    assert district.act_blind(case, "acknowledge").status == 404
    assert everything_seen(district) == seen_before
    assert NARRATIVE not in everything_seen(system.person("demo_provincial"))
    assert nec.case(case)["reference"] == case["reference"]

    assert desk.act(case, "acknowledge", note="We have it.").status == 200
    asked = liaison.act(case, "withdraw", reason="It is no longer safe for the family.")
    assert asked.status == 200
    # A request waits for a second person: what happened is not unmade by whoever is afraid.
    assert nec.case(case)["state"] == "acknowledged"
    assert nec.act(case, "countersign", note="Called back; recorded.").status == 200
    assert nec.case(case)["state"] == "withdrawn"


def everything_seen(person: object) -> str:
    """Every list, map and number of the API as this person gets it, without the time of asking."""
    paths = ("incidents/", "incidents.geojson", "map/areas", "map/points?bbox=100,8,108,16&zoom=9", "measures/")
    bodies = [person.get(path).body for path in paths]  # type: ignore[attr-defined]
    return json.dumps(without_times(bodies), sort_keys=True)


def without_times(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in ("as_of", "generated_at", "until", "from")}
    return [without_times(v) for v in value] if isinstance(value, list) else value
