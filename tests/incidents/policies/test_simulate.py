"""A policy is played against past and made-up cases: by the engine's own decisions, the same for the same seed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from elections.choices import Phase
from incidents.choices import ClockKind, Deed, Severity
from incidents.deadlines import USUAL_STEPS, Step
from incidents.escalation.decide import Level
from incidents.escalation.simulate import Behaviour, Case, Response, Result, generated, run
from incidents.policies import Rules, rules_from
from incidents.policy_content import Content
from tests.cast import NOW
from tests.incidents.policies.drafts import even

DISTRICT, PROVINCE, PSC = Level(1, 1), Level(2, 2), Level(3, 3)
LADDER = (DISTRICT, PROVINCE, PSC)
CONTENT = Content(
    note="",
    tight_from_hour=18,
    tight_medium=30,
    repeat=60,
    targets=even(10, 30, 240),
    steps={str(clock): steps for clock, steps in USUAL_STEPS.items()},
)
RULES = rules_from(CONTENT)
SILENT = Response(takes=(None,))


def case(response: Response = SILENT, severity: str = Severity.HIGH, **more: object) -> Case:
    given = {"at": NOW, "hour": 8, "phase": Phase.CAMPAIGN, "levels": LADDER} | more
    return Case(severity=severity, response=response, **given)  # type: ignore[arg-type]


def one(response: Response = SILENT, rules: Rules = RULES, severity: str = Severity.HIGH, **more: object) -> Result:
    return run([case(response, severity, **more)], rules)


def test_what_nobody_takes_up_goes_to_the_top_and_is_said_there() -> None:
    found = one()
    assert (found.cases, found.moved, found.untaken) == (1, 1, 1)
    assert (found.came_up, found.exhausted > 0) == ({2: 1, 3: 1}, True)
    assert found.by_clock["acknowledge", "owner_moved"] == 2
    # Warned and owned at 7.5 and 10 minutes, warned and moved at 17.5 and 20, warned at 27.5 and at its end at 30.
    assert found.load[DISTRICT.key, NOW] == 2
    assert found.load[PROVINCE.key, NOW] >= 2


def test_what_is_taken_up_in_time_stays() -> None:
    found = one(Response(takes=(5,), updates=(10,), contained=60, resolved=200))
    assert (found.fired, found.moved, found.untaken, found.exhausted) == (0, 0, 0, 0)
    assert found.load == {(1, NOW): 1}


def test_a_person_at_the_very_moment_comes_before_the_step() -> None:
    steps = one(Response(takes=(10,), updates=(1,), contained=60, resolved=100)).by_clock
    assert ("acknowledge", "owner_moved") not in steps
    assert steps["acknowledge", "warning"] == 1


def test_late_updates_are_told_of_first_and_then_move_it() -> None:
    # 30 minutes for the first update: told at 30, moved at 60. The words come so long after it was taken at 5.
    found = one(Response(takes=(5, 5), updates=(50,), contained=100, resolved=200))
    assert found.by_clock["first_update", "next_told"] == 1
    assert ("first_update", "owner_moved") not in found.by_clock
    assert (found.told, found.came_up) == ({2: 1}, {})
    later = one(Response(takes=(5, 5), updates=(70,), contained=100, resolved=200))
    assert (later.came_up, later.by_clock["first_update", "owner_moved"]) == ({2: 1}, 1)
    # Taken over in time: the hand-over goes no further.
    assert ("accept", "owner_moved") not in later.by_clock


def test_a_hand_over_that_nobody_accepts_goes_on() -> None:
    found = one(Response(takes=(5, None), updates=(70,), contained=100, resolved=200))
    assert found.by_clock["accept", "owner_moved"] == 1
    assert found.came_up == {2: 1, 3: 1}


def test_a_past_case_was_taken_when_it_was_whoever_owned_it() -> None:
    past = Response(takes=(), taken_at=15, is_past=True, updates=(16,), contained=50, resolved=120)
    found = one(past)
    assert (found.came_up, found.untaken) == ({2: 1}, 0)
    slower = rules_from(replace(CONTENT, targets=even(20, 30, 240)))
    assert one(past, slower).came_up == {}


def test_a_critical_case_starts_at_the_province_and_all_hear_of_it() -> None:
    found = one(Response(takes=(1,), updates=(2,), contained=10, resolved=20), severity=Severity.CRITICAL)
    assert set(found.load) == {(1, NOW), (2, NOW), (3, NOW)}
    assert (found.moved, found.came_up) == (0, {})


def test_a_critical_case_is_asked_for_word_after_word() -> None:
    targets = {place: replace(t, update_every=30) for place, t in CONTENT.targets.items()}
    asked = rules_from(replace(CONTENT, targets=targets))
    quiet = Response(takes=(1,), updates=(2,), contained=170, resolved=300)
    assert one(quiet, asked, Severity.CRITICAL).by_clock["update", "owner_moved"] == 1
    assert one(quiet, asked, Severity.HIGH).fired == 0


@pytest.mark.parametrize(
    ("phase", "hour", "tight"),
    [
        ("silence", 17, False),
        ("silence", 18, True),
        ("polling", 6, True),
        ("counting", 23, True),
        ("campaign", 20, False),
    ],
)
def test_the_silence_day_makes_a_medium_case_quicker(phase: str, hour: int, tight: bool) -> None:
    slow = rules_from(replace(CONTENT, targets=even(60, 120, 600)))
    taken = Response(takes=(45,), updates=(1,), contained=60, resolved=90)
    found = one(taken, slow, Severity.MEDIUM, phase=phase, hour=hour)
    assert bool(found.came_up) == tight


def test_a_level_with_nobody_is_left_out_and_counted() -> None:
    empty = (DISTRICT, Level(2, 2, is_staffed=False), PSC)
    found = one(levels=empty)
    assert (found.came_up, found.left_out > 0) == ({3: 1}, True)
    nobody_below = (Level(1, 1, is_staffed=False), PROVINCE, PSC)
    assert one(levels=nobody_below).load[1, NOW] == 0


def test_a_step_may_name_its_level() -> None:
    straight = rules_from(replace(CONTENT, steps={**CONTENT.steps, "acknowledge": (Step(100, Deed.MOVE, 3),)}))
    assert one(rules=straight).came_up == {3: 1}


# ---- Made-up cases ----


def some(count: int = 300, seed: int = 7, **more: object) -> list[Case]:
    given = {"start": NOW, "hours": 10, "phase": Phase.POLLING, "local_hour": 7} | more
    ladders = [(Level(10 + n, 1), Level(2, 2), Level(3, 3)) for n in range(5)]
    return generated(ladders, count=count, seed=seed, **given)  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_cases_and_the_same_result() -> None:
    assert some() == some()
    assert some(seed=8) != some()
    assert run(some(), RULES) == run(some(), RULES)


def test_two_policies_meet_the_same_people() -> None:
    strict, lax = (
        rules_from(replace(CONTENT, targets=even(5, 30, 240))),
        rules_from(replace(CONTENT, targets=even(60, 90, 600))),
    )
    assert run(some(), strict).moved > run(some(), lax).moved


def test_cases_lie_in_their_hours_and_their_mix() -> None:
    cases = some(400, mix={Severity.HIGH: 1}, hours=3)
    assert {c.severity for c in cases} == {"high"}
    assert all(NOW <= c.at < NOW + dt.timedelta(hours=3) for c in cases)
    assert {c.hour for c in cases} == {7, 8, 9}
    assert {level.key for c in cases for level in c.levels[:1]} == {10, 11, 12, 13, 14}


def test_who_never_answers_and_who_always_does() -> None:
    never = run(some(50, behaviour=Behaviour(share=0)), RULES)
    assert (never.untaken, never.came_up[3]) == (50, 50)
    always = run(some(50, behaviour=Behaviour(share=1, minutes=0.01, update=1, contain=5)), RULES)
    assert (always.untaken, always.moved) == (0, 0)


def test_nothing_to_make_cases_of_is_refused() -> None:
    with pytest.raises(ValueError):
        generated([], count=1, start=NOW, hours=1, phase="polling", local_hour=7)
    with pytest.raises(ValueError):
        some(mix={Severity.HIGH: 0})


def test_load_is_counted_by_command_and_hour() -> None:
    found = run(some(200), RULES)
    top = found.busiest(3)
    assert len(top) == 3
    assert top[0][2] == found.fullest() == max(found.load.values())
    assert [row[2] for row in top] == sorted((row[2] for row in top), reverse=True)
    assert sum(found.by_hour([3]).values()) == sum(n for (key, _hour), n in found.load.items() if key == 3)


def test_every_clock_of_the_vocabulary_is_known_to_the_rules() -> None:
    assert {clock for clock in ClockKind if RULES.steps(clock)} == set(ClockKind)
