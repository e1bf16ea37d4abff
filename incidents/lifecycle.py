"""How an incident lives: one pure table of (state, act) -> state, and why an act is refused.

No database, no clock, no person: authority is in `commands/authority.py`, deadlines in `deadlines.py`.
The states and who may move between them are argued in docs/decisions/0003-lifecycle.md.
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from incidents.choices import OPEN, Act, State

S = State
#: Acts that leave the state as it is, by the states they are possible in.
_IN_PLACE: dict[Act, tuple[State, ...]] = {
    # Who acknowledges a case that was handed over accepts it with that; to accept it alone would leave the questions of
    # the acknowledgement unanswered and its clock stopped.
    Act.ACCEPT: (S.ACKNOWLEDGED, S.RESPONDING, S.CONTAINED),
    Act.SEEN: OPEN,
    Act.UPDATE: (*OPEN, S.RESOLVED),
    Act.RAISE_SEVERITY: OPEN,
    Act.LOWER_SEVERITY: OPEN,
    Act.ESCALATE: OPEN,
    Act.HAND_BACK: OPEN,
    Act.VERIFY: (*OPEN, S.RESOLVED),
    Act.PROPOSE: OPEN,
    Act.CLASSIFY: (*OPEN, S.RESOLVED, S.CLOSED),
    Act.CORRECT: (*OPEN, S.RESOLVED),
    Act.ATTACH: (*OPEN, S.RESOLVED),
    Act.COUNTERSIGN: (*OPEN, S.RESOLVED),
    Act.DECLINE: (*OPEN, S.RESOLVED),
    Act.RELOCATE_STATION: (*OPEN, S.RESOLVED),
    Act.RECORD_PERSON: (*OPEN, S.RESOLVED),
    Act.GRANT_IDENTITY: (*OPEN, S.RESOLVED, S.CLOSED),
    Act.OPEN_IDENTITY: (*OPEN, S.RESOLVED, S.CLOSED, S.MERGED, S.WITHDRAWN, S.NOT_AN_INCIDENT),
    # A deadline by law runs on while a case is resolved.
    Act.WARN: (*OPEN, S.RESOLVED),
    Act.AUTO_ESCALATE: OPEN,
    Act.INFORM: (*OPEN, S.RESOLVED),
    Act.SNOOZE: (S.ACKNOWLEDGED, S.RESPONDING, S.CONTAINED),
    Act.WAKE: (S.ACKNOWLEDGED, S.RESPONDING, S.CONTAINED),
    Act.REFER: (*OPEN, S.RESOLVED),
    Act.CONCLUDE_REFERRAL: (*OPEN, S.RESOLVED),
    Act.REBASE: OPEN,
    Act.SKIP: OPEN,
    Act.RESUME: OPEN,
    Act.RETIME: OPEN,
}

#: Acts that move the state.
_MOVES: dict[tuple[State, Act], State] = {
    (S.DRAFT, Act.REPORT): S.REPORTED,
    (S.REPORTED, Act.ACKNOWLEDGE): S.ACKNOWLEDGED,
    (S.ACKNOWLEDGED, Act.ASSIGN): S.RESPONDING,
    (S.RESPONDING, Act.ASSIGN): S.RESPONDING,
    (S.CONTAINED, Act.ASSIGN): S.CONTAINED,
    (S.ACKNOWLEDGED, Act.CONTAIN): S.CONTAINED,
    (S.RESPONDING, Act.CONTAIN): S.CONTAINED,
    (S.CONTAINED, Act.FLARE_UP): S.RESPONDING,
    (S.CONTAINED, Act.RESOLVE): S.RESOLVED,
    (S.RESOLVED, Act.CLOSE): S.CLOSED,
    (S.RESOLVED, Act.REOPEN): S.ACKNOWLEDGED,
    (S.CLOSED, Act.REOPEN): S.ACKNOWLEDGED,
    (S.REPORTED, Act.DISMISS): S.NOT_AN_INCIDENT,
    (S.ACKNOWLEDGED, Act.DISMISS): S.NOT_AN_INCIDENT,
    **{(state, Act.MERGE): S.MERGED for state in OPEN},
    (S.MERGED, Act.UNMERGE): S.ACKNOWLEDGED,
    **{(state, Act.WITHDRAW): S.WITHDRAWN for state in OPEN},
}

TRANSITIONS: dict[tuple[State, Act], State] = {
    **{(state, act): state for act, states in _IN_PLACE.items() for state in states},
    **_MOVES,
}

#: Acts only the engine does.
ENGINE_ACTS = frozenset({Act.WARN, Act.AUTO_ESCALATE, Act.INFORM, Act.SKIP, Act.RESUME, Act.RETIME})
#: Acts that may time running clocks anew from moments that have passed: what is due then may be over already, and
#: nobody was late before the act, unless the clock it replaced was (`escalation.lateness`).
TIMES_ANEW = frozenset({Act.RAISE_SEVERITY, Act.LOWER_SEVERITY, Act.REBASE, Act.RETIME, Act.REFER})
#: Acts that need a reason in words.
REASONED = frozenset(
    {
        Act.LOWER_SEVERITY,
        Act.ESCALATE,
        Act.HAND_BACK,
        Act.FLARE_UP,
        Act.REOPEN,
        Act.CORRECT,
        Act.WITHDRAW,
        Act.DISMISS,
        Act.DECLINE,
        Act.UNMERGE,
        Act.GRANT_IDENTITY,
        Act.OPEN_IDENTITY,
        Act.REBASE,
        Act.SNOOZE,
    }
)
#: Acts that a second person must countersign in some cases: what waits in `Incident.request_act`.
COUNTERSIGNED = frozenset({Act.WITHDRAW, Act.DISMISS, Act.RESOLVE, Act.SNOOZE})


def after(state: State | str, act: Act | str) -> State | None:
    """The state `act` leads to from `state`, or None where it is not possible."""
    return TRANSITIONS.get((State(state), Act(act)))


def possible(state: State | str) -> Iterator[Act]:
    """Every act possible in `state`, in the order of the vocabulary."""
    return (act for act in Act if is_possible(state, act))


def is_possible(state: State | str, act: Act | str) -> bool:
    # The members of both vocabularies are equal to their texts, and hash like them.
    return (state, act) in TRANSITIONS


def refusal(state: State | str, act: Act | str) -> str:
    """One sentence: why `act` is not possible in `state`, and what to do instead."""
    state, act = State(state), Act(act)
    waiting = {
        Act.ASSIGN: _("Acknowledge the case first."),
        Act.CONTAIN: _("Acknowledge the case first."),
        Act.RESOLVE: _("Mark the case contained first."),
        Act.CLOSE: _("Resolve the case first."),
        Act.SNOOZE: _("Acknowledge the case first."),
        Act.ACCEPT: _("Acknowledge the case first."),
    }
    if state == State.MERGED:
        return _("This report was joined to another case. Act on that one.")
    if act == Act.ACKNOWLEDGE and state in (*OPEN, State.RESOLVED):
        return _("The case is acknowledged already. Read what happened, then decide again.")
    if state in OPEN and act in waiting:
        return waiting[act]
    if state in (State.RESOLVED, State.CLOSED) and act != Act.CLOSE:
        return _("The case is %(state)s. Reopen it first.") % {"state": state.label.lower()}
    return _("This cannot be done while the case is «%(state)s».") % {"state": state.label}
