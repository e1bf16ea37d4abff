"""Every state with every act: where it leads, or why not. The table is written out here a second time, on purpose."""

from __future__ import annotations

import itertools

import pytest
from django.utils import translation

from incidents import lifecycle
from incidents.choices import OPEN, Act, State

S = State
#: Acts that change nothing of the state, while a case is open; after it is resolved; after it is closed.
WHILE_OPEN = {
    "seen", "update", "raise_severity", "lower_severity", "escalate", "hand_back", "verify", "propose",
    "classify", "correct", "attach", "countersign", "decline", "relocate_station", "record_person", "grant_identity",
    "open_identity", "warn", "auto_escalate", "inform", "refer", "conclude_referral", "skip", "resume", "retime",
    "rebase",
}  # fmt: skip
WHEN_RESOLVED = {
    "update", "verify", "classify", "correct", "attach", "countersign", "decline", "relocate_station", "record_person",
    "grant_identity", "open_identity", "refer", "conclude_referral", "warn", "inform",
}  # fmt: skip
#: Deadlines stand still only where somebody has taken the case up; and nobody accepts what nobody acknowledged.
ONCE_TAKEN_UP = {"snooze", "wake", "accept"}
WHEN_CLOSED = {"classify", "grant_identity", "open_identity"}
#: Acts that move it, and where to.
MOVES: dict[State, dict[str, State]] = {
    S.DRAFT: {"report": S.REPORTED},
    S.REPORTED: {"acknowledge": S.ACKNOWLEDGED, "dismiss": S.NOT_AN_INCIDENT},
    S.ACKNOWLEDGED: {"assign": S.RESPONDING, "contain": S.CONTAINED, "dismiss": S.NOT_AN_INCIDENT},
    S.RESPONDING: {"assign": S.RESPONDING, "contain": S.CONTAINED},
    S.CONTAINED: {"assign": S.CONTAINED, "flare_up": S.RESPONDING, "resolve": S.RESOLVED},
    S.RESOLVED: {"close": S.CLOSED, "reopen": S.ACKNOWLEDGED},
    S.CLOSED: {"reopen": S.ACKNOWLEDGED},
    S.MERGED: {"unmerge": S.ACKNOWLEDGED},
    S.WITHDRAWN: {},
    S.NOT_AN_INCIDENT: {},
}
PAIRS = list(itertools.product(State, Act))


def expected(state: State, act: Act) -> State | None:
    moves = MOVES[state]
    if act in moves:
        return moves[act]
    if state in OPEN and act in ("merge", "withdraw"):
        return S.MERGED if act == "merge" else S.WITHDRAWN
    if act in ONCE_TAKEN_UP:
        return state if state in OPEN and state != S.REPORTED else None
    stays = (
        WHILE_OPEN if state in OPEN
        else WHEN_RESOLVED if state == S.RESOLVED
        else WHEN_CLOSED if state == S.CLOSED
        else set() if state == S.DRAFT
        else {"open_identity"}
    )  # fmt: skip
    return state if act in stays else None


@pytest.mark.parametrize(("state", "act"), PAIRS)
def test_where_it_leads(state: State, act: Act) -> None:
    assert lifecycle.after(state, act) == expected(state, act)


@pytest.mark.parametrize("language", ["en", "km"])
def test_every_refusal_explains_itself(language: str) -> None:
    with translation.override(language):
        for state, act in PAIRS:
            if lifecycle.after(state, act) is None:
                said = lifecycle.refusal(state, act)
                assert said.endswith("." if language == "en" else "។"), (state, act, said)
                assert "%(" not in said


def test_what_is_offered_is_what_is_possible() -> None:
    for state in State:
        assert set(lifecycle.possible(state)) == {act for act in Act if lifecycle.after(state, act) is not None}


def test_every_open_case_can_come_to_an_end_and_an_end_is_never_a_trap() -> None:
    """Whatever was done, a case can be closed, and what was resolved, closed or joined can be opened again."""
    for start in OPEN:
        reached, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            further = {lifecycle.after(here, act) for act in lifecycle.possible(here)} - reached - {None}
            reached |= {s for s in further if s is not None}
            waiting += [s for s in further if s is not None]
        assert {S.CLOSED, S.MERGED, S.WITHDRAWN} <= reached
    for end in (S.RESOLVED, S.CLOSED, S.MERGED):
        assert any(lifecycle.after(end, act) in OPEN for act in Act)


def test_acts_that_take_something_from_somebody_need_a_reason() -> None:
    for act in ("lower_severity", "escalate", "hand_back", "withdraw", "dismiss", "decline", "reopen", "open_identity"):
        assert act in lifecycle.REASONED
    assert lifecycle.REASONED.isdisjoint(lifecycle.ENGINE_ACTS)
