"""What must hold of a decision whatever a policy says, whoever is there and whenever somebody looks.

Examples are drawn from a seed, the same in every run unless HYPOTHESIS_SEED names another; pytest prints it on failure.
"""

from __future__ import annotations

import copy
import datetime as dt
import os
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from incidents.choices import ClockKind, Deed
from incidents.deadlines import Step, fires_at
from incidents.escalation.decide import Course, Firing, Happening, Level, Ticking, above_of, decide, nearest, played
from incidents.models import EscalationKind as K
from incidents.policies import Rules

SEED = int(os.environ.get("HYPOTHESIS_SEED", "20270606"))
START = dt.datetime(2027, 5, 25, 1, tzinfo=dt.UTC)
MOST = 2_000

many = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
STEPPED = [kind for kind in ClockKind if kind != ClockKind.SNOOZE]


@pytest.fixture(scope="module", autouse=True)
def said_seed() -> None:
    print(f"hypothesis: seed {SEED}")


# ---- What can be ----

#: Few values, close together: what matters is in which order things fall due.
minutes = st.sampled_from([10, 30, 60, 90])
percents = st.sampled_from([50, 75, 100, 150, 200, 300])


@st.composite
def step_lists(draw: st.DrawFn) -> tuple[Step, ...]:
    """What a policy may hold: percents that grow, any deeds, sometimes a rung."""
    return tuple(
        Step(percent, draw(st.sampled_from(list(Deed))), draw(st.sampled_from([None, None, 1, 2, 3])))
        for percent in sorted(draw(st.sets(percents, min_size=1, max_size=4)))
    )


@st.composite
def chains(draw: st.DrawFn) -> list[Level]:
    """Owner first, then what stands above: sometimes two of a rung, sometimes nobody there."""
    heights = sorted(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))
    return [Level(number, height, draw(st.booleans())) for number, height in enumerate(heights, 1)]


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    said = draw(st.lists(step_lists(), min_size=1, max_size=3))
    return Rules(
        key=0,
        tight_from_hour=18,
        tight_medium_minutes=30,
        repeat_minutes=draw(st.sampled_from([5, 60])),
        _targets={},
        _steps={kind: said[place % len(said)] for place, kind in enumerate(STEPPED)},
    )


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """A case with up to four clocks that began at several moments, some further on in their steps."""
    said, levels = draw(rules()), draw(chains())
    take_over = draw(st.sampled_from([ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT]))
    clocks = []
    for kind in draw(st.lists(st.sampled_from(STEPPED), min_size=1, max_size=4, unique=True)):
        anchor, target = START + dt.timedelta(minutes=draw(st.integers(0, 6)) * 10), draw(minutes)
        steps = said.steps(kind)
        clocks.append(
            Ticking(
                kind=kind,
                anchor_at=anchor,
                target_minutes=target,
                deadline_at=anchor + dt.timedelta(minutes=target),
                fires_at=fires_at(anchor, target, steps),
            )
        )
    return Course(
        owner=levels[0], chain=above_of(levels, levels[0]), clocks=clocks, rules=said, take_over=take_over,
        minutes=draw(minutes),
    )  # fmt: skip


moments = st.integers(0, 80).map(lambda m: START + dt.timedelta(minutes=5 * m))


@st.composite
def firings(draw: st.DrawFn) -> Firing:
    levels, steps = draw(chains()), draw(step_lists())
    return Firing(
        kind=draw(st.sampled_from(list(ClockKind))), step=draw(st.integers(0, len(steps) + 3)), steps=steps,
        anchor_at=START, target_minutes=draw(minutes), chain=levels[1:], now=draw(moments),
        owner_is_staffed=levels[0].is_staffed,
    )  # fmt: skip


# ---- One decision ----


@seed(SEED)
@many
@given(firings())
def test_a_decision_is_pure_and_always_there(firing: Firing) -> None:
    before = copy.deepcopy(firing)
    decision = decide(firing)
    assert decide(firing) == decision
    assert firing == before
    assert decision.kind is None or decision.kind in K
    assert decision.next_step in (None, firing.step + 1)
    if decision.kind in (K.OWNER_MOVED, K.NEXT_TOLD):
        assert decision.target in firing.chain
        assert decision.target is not None
        assert decision.target.is_staffed, "a case goes to nobody"
    else:
        assert decision.target is None
    if decision.kind == K.EXHAUSTED:
        assert not any(level.is_staffed for level in firing.chain), "somebody is above, and is not asked"
        assert decision.next_step is not None, "the top is said once and never again"


@seed(SEED)
@many
@given(chains(), st.sampled_from([None, 1, 2, 3]))
def test_no_level_is_passed_over_but_for_a_reason_that_is_said(chain: Sequence[Level], rung: int | None) -> None:
    target, left_out = nearest(chain, rung)
    assert all(not level.is_staffed for level in left_out)
    if target is None:
        assert not any(level.is_staffed for level in chain)
        return
    for level in chain[: chain.index(target)]:
        assert level in left_out or level.height < (rung or 0) or target.height < (rung or 0)


# ---- A case played forward ----


def _said(found: Sequence[Happening]) -> list[tuple[object, ...]]:
    """What was done, without what depends on who looked when: warnings, and how often the top was said."""
    return [
        (h.clock, h.episode, h.step, h.act, h.due_at, h.sender.key, h.target and h.target.key, h.left_out)
        for h in found
        if h.act not in (K.WARNING, K.EXHAUSTED)
    ]


def _clocks(course: Course) -> list[tuple[object, ...]]:
    """How the clocks stand; of one that repeats, only when it fires next."""
    return [
        (c.kind, c.episode, c.state, c.fires_at, c.anchor_at, c.step < len(course.rules.steps(c.kind)) and c.step)
        for c in course.clocks
    ]


@seed(SEED)
@many
@given(courses(), moments, st.sampled_from([5, 25, 120]))
def test_how_often_somebody_looks_changes_nothing(course: Course, last: dt.datetime, every: int) -> None:
    often, once = copy.deepcopy(course), copy.deepcopy(course)
    found: list[Happening] = []
    moment = last
    ticks = [last]
    while (moment := moment - dt.timedelta(minutes=every)) >= START:
        ticks.append(moment)
    for moment in reversed(ticks):
        found += played(often, moment, moment, MOST)
    at_once = played(once, last, last, MOST)
    assert _said(found) == _said(at_once)
    assert often.owner == once.owner
    assert _clocks(often) == _clocks(once)


@seed(SEED)
@many
@given(courses(), moments, moments)
def test_later_nothing_is_undone(course: Course, one: dt.datetime, other: dt.datetime) -> None:
    early, late = copy.deepcopy(course), copy.deepcopy(course)
    first, second = sorted([one, other])
    before, after = _said(played(early, first, first, MOST)), _said(played(late, second, second, MOST))
    assert after[: len(before)] == before
    assert late.owner.height >= early.owner.height


@seed(SEED)
@many
@given(courses(), moments)
def test_nothing_is_due_afterwards_and_nothing_fires_before_its_time(course: Course, now: dt.datetime) -> None:
    found = played(course, now, now, MOST)
    assert course.due(now) is None
    assert all(h.due_at <= now for h in found)
    assert [h.due_at for h in found] == sorted(h.due_at for h in found)
    keys = [(h.clock, h.about, h.episode, h.step) for h in found]
    assert len(keys) == len(set(keys)), "a step fired twice"
    assert played(course, now, now, MOST) == []


@seed(SEED)
@many
@given(courses(), moments)
def test_a_case_goes_up_rung_by_rung_and_says_whom_it_left_out(course: Course, now: dt.datetime) -> None:
    owner, chain, said = course.owner, list(course.chain), course.rules
    for happening in played(course, now, now, MOST):
        if happening.act != K.OWNER_MOVED:
            continue
        assert happening.sender == owner
        target = happening.target
        assert target is not None
        assert target.height > owner.height
        steps = said.steps(happening.clock)
        rung = steps[min(happening.step, len(steps) - 1)].rung or 0
        for level in chain[: chain.index(target)]:
            assert level in happening.left_out or level.height < rung or target.height < rung
        owner, chain = target, list(above_of(chain, target))
    assert owner == course.owner
