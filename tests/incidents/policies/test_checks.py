"""What a version of a policy is refused for, beside which value, and what only deserves a second look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from elections.choices import IN_USE
from incidents.choices import Deed
from incidents.deadlines import USUAL_STEPS, Step
from incidents.escalation.engine import tick
from incidents.models import Escalation, EscalationKind
from incidents.policies import content_of
from incidents.policy_checks import LONGEST, ceilings, errors, warnings
from incidents.policy_content import PHASES, Content
from tests.cast import NOW, Cast
from tests.incidents.policies.drafts import even, general, published, with_steps, with_target

W, T, M = Deed.WARN, Deed.TELL, Deed.MOVE


def sound() -> Content:
    return Content(
        note="why",
        tight_from_hour=18,
        tight_medium=30,
        repeat=60,
        targets=even(10, 30, 240),
        steps={str(clock): steps for clock, steps in USUAL_STEPS.items()},
    )


def without(phase: str, severity: str) -> Callable[[Content], Content]:
    return lambda c: replace(c, targets={k: t for k, t in c.targets.items() if k != (phase, severity)})


@pytest.mark.django_db
def test_the_versions_of_the_reference_data_are_sound(cast: object) -> None:
    assert errors(content_of(general())) == {}


REFUSED: dict[str, tuple[Callable[[Content], Content], str, str]] = {
    "a severity is missing": (without("campaign", "high"), "campaign.high.acknowledge", "no time for «Campaign»"),
    "no time at all": (with_target("campaign", "high", contain=0), "campaign.high.contain", "one minute or more"),
    "less than none": (with_target("between", "low", verify=-5), "between.low.verify", "one minute or more"),
    "no time for updates": (with_target("after", "critical", update_every=0), "after.critical.update_every", "or more"),
    "a slip of the finger": (with_target("between", "low", resolve=900_000), "between.low.resolve", "At most 90 d"),
    "an update before it is taken": (
        with_target("polling", "high", first_update=9), "polling.high.first_update", "before the acknowledgement",
    ),
    "contained before any update": (
        with_target("polling", "high", contain=29), "polling.high.contain", "before the first update",
    ),
    "no such hour": (lambda c: replace(c, tight_from_hour=24), "tight_from_hour", "from 0 to 23"),
    "a medium case at once": (lambda c: replace(c, tight_medium=0), "tight_medium", "1 m to 4 h"),
    "a medium case after the vote": (lambda c: replace(c, tight_medium=241), "tight_medium", "1 m to 4 h"),
    "an alarm without end": (lambda c: replace(c, repeat=4), "repeat", "5 m to 2 h"),
    "an alarm that calls nobody": (lambda c: replace(c, repeat=121), "repeat", "5 m to 2 h"),
    "no further word of a vote that stopped": (
        with_target("polling", "critical", update_every=None), "polling.critical.update_every", "Write a time",
    ),
    "no further word while votes are counted": (
        with_target("counting", "critical", update_every=None), "counting.critical.update_every", "Write a time",
    ),
    "a clock without steps": (with_steps(review=()), "review.0.percent", "no step"),
    "too many steps": (
        with_steps(contain=tuple(Step(p, T) for p in (50, 60, 100, 110, 120, 130, 140))),
        "contain.6.percent", "At most 6",
    ),
    "percents that fall": (
        with_steps(contain=(Step(100, T), Step(75, W), Step(200, M))), "contain.1.percent", "more than 100",
    ),
    "two at one moment": (
        with_steps(contain=(Step(100, T), Step(100, M))), "contain.1.percent", "more than 100",
    ),
    "percent nought": (with_steps(contain=(Step(0, W), Step(100, M))), "contain.0.percent", "from 1 to 1000"),
    "percent beyond": (with_steps(contain=(Step(100, T), Step(1001, M))), "contain.1.percent", "from 1 to 1000"),
    "no deadline": (with_steps(contain=(Step(75, W), Step(150, M))), "contain.1.percent", "No step is at 100"),
    "only a warning at the deadline": (
        with_steps(contain=(Step(75, W), Step(100, W))), "contain.1.deed", "too late",
    ),
    "no such deed": (with_steps(contain=(Step(100, "jump"),)), "contain.0.deed", "from the list"),
    "nobody takes it up and it stays": (
        with_steps(acknowledge=(Step(75, W), Step(100, T))), "acknowledge.1.deed", "must move",
    ),
    "nobody accepts it and it stays": (with_steps(accept=(Step(100, T),)), "accept.0.deed", "must move"),
    "a step after the move": (
        with_steps(contain=(Step(100, M), Step(200, T))), "contain.0.deed", "would never come",
    ),
    "a warning to a level": (with_steps(contain=(Step(75, W, 2), Step(100, T))), "contain.0.rung", "to the owner"),
    "a level that leads nowhere": (with_steps(contain=(Step(100, M, 1),)), "contain.0.rung", "leads nowhere"),
    "a level that is not there": (with_steps(contain=(Step(100, M, 4),)), "contain.0.rung", "leads nowhere"),
    "down again": (
        with_steps(contain=(Step(100, T), Step(150, T, 3), Step(200, M, 2))), "contain.2.rung", "leads down again",
    ),
    "the province left out": (
        with_steps(contain=(Step(75, W), Step(100, T, 3), Step(200, M, 3))), "contain.1.rung", "would not hear",
    ),
    "taken up whenever it is": (
        with_steps(acknowledge=(Step(100, T), Step(201, M))), "acknowledge.1.percent", "from 1 to 200",
    ),
    "accepted whenever it is": (
        with_steps(accept=(Step(75, W), Step(100, T), Step(1000, M))), "accept.2.percent", "from 1 to 200",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_beside_its_value(what: str) -> None:
    change, place, words = REFUSED[what]
    assert errors(sound()) == {}
    found = errors(change(sound()))
    assert words in " ".join(found[place])
    assert len(found) == 1, found


LOOK_TWICE: dict[str, tuple[Callable[[Content], Content], str, str]] = {
    "graver and slower": (
        with_target("campaign", "high", acknowledge=11, first_update=31), "campaign.high.acknowledge", "Slower than",
    ),
    "updates nobody is asked for": (
        with_target("campaign", "low", update_every=60), "campaign.low.update_every", "no effect",
    ),
    "a law that is moved": (with_steps(legal=(Step(100, M),)), "legal.0.deed", "decide by law"),
    "the silence day is tighter": (
        lambda c: replace(c, tight_medium=5), "polling.medium.acknowledge", "silence day",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", LOOK_TWICE)
def test_it_is_said_and_not_refused(what: str) -> None:
    change, place, words = LOOK_TWICE[what]
    usual = warnings(sound())
    assert set(usual) == {f"{phase}.critical.update_every" for phase in PHASES if phase not in IN_USE}
    new = change(sound())
    assert errors(new) == {}
    found = {p: said for p, said in warnings(new).items() if p not in usual}
    assert words in " ".join(found[place])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    broken = with_steps(review=())(with_target("campaign", "high", contain=0)(replace(sound(), tight_from_hour=99)))
    assert set(errors(broken)) == {"review.0.percent", "campaign.high.contain", "tight_from_hour"}


def test_a_version_under_which_nobody_need_look_is_said_at_every_severity() -> None:
    """Below what is refused: none is slower than a milder one, and yet a case lies for days."""
    slow = {"critical": 50, "high": 400, "medium": 1500, "low": 7 * 1440}
    targets = dict(even(10, 30, 240))
    for place in list(targets):
        if place[0] not in IN_USE:
            minutes = slow[place[1]]
            targets[place] = replace(targets[place], acknowledge=minutes, first_update=minutes, contain=7 * 1440)
    silent = replace(sound(), targets=targets)
    assert errors(silent) == {}
    for phase, severity in silent.targets:
        said = " ".join(warnings(silent).get(f"{phase}.{severity}.acknowledge", []))
        assert ("nobody need look at such a case" in said) == (phase not in IN_USE)


def test_no_version_may_switch_off_the_escalation_of_an_election() -> None:
    """Ninety days for everything, with two signatures: refused at every phase and severity."""
    for days in (90, 30):
        slow = days * 1440
        found = errors(replace(sound(), targets=even(slow, slow, slow)))
        for phase, severity in sound().targets:
            assert "call nobody in time" in " ".join(found[f"{phase}.{severity}.acknowledge"]), (phase, severity)
            assert "call nobody in time" in " ".join(found[f"{phase}.{severity}.first_update"]), (phase, severity)


@pytest.mark.parametrize("time", ["acknowledge", "first_update", "contain", "update_every"])
def test_the_most_a_time_may_be_is_accepted_and_a_minute_more_is_not(time: str) -> None:
    for phase, severity in sound().targets:
        most = ceilings(phase, severity)
        if time not in most:
            continue
        rest = {"acknowledge": 1, "first_update": 1, "contain": most["contain"]}
        if time == "first_update":
            rest["contain"] = max(most["contain"], most["first_update"])
        at = with_target(phase, severity, **(rest | {time: most[time]}))
        if time == "acknowledge":
            at = with_target(phase, severity, **(rest | {"acknowledge": most[time], "first_update": most[time]}))
        assert errors(at(sound())) == {}, (phase, severity)
        more = with_target(phase, severity, **{time: most[time] + 1})
        assert f"{phase}.{severity}.{time}" in errors(more(at(sound()))), (phase, severity)


@pytest.mark.parametrize("clock", ["acknowledge", "accept"])
def test_the_ceiling_is_for_the_move_and_not_only_for_the_deadline(clock: str) -> None:
    """Told at the deadline and moved at twice of it: no case waits longer for its next owner than the ceiling."""
    late = with_steps(**{clock: (Step(100, T), Step(200, M))})
    for phase, severity in sound().targets:
        most = ceilings(phase, severity)["acknowledge"]
        rest = {"first_update": most, "contain": most + 60}
        where = f"{phase}.{severity}.acknowledge"
        assert errors(late(with_target(phase, severity, acknowledge=most // 2, **rest)(sound()))) == {}
        found = errors(late(with_target(phase, severity, acknowledge=most // 2 + 1, **rest)(sound())))
        assert set(found) == {where} and "would move only after" in found[where][0], found
        assert len(errors(late(with_target(phase, severity, acknowledge=most + 1, **rest)(sound())))[where]) == 1


def slowest() -> Content:
    """As slow as the checks let through: every time at its ceiling, every step as late and as high as it may be."""
    targets = dict(sound().targets)
    for (phase, severity), target in targets.items():
        most = ceilings(phase, severity)
        targets[phase, severity] = replace(
            target,
            acknowledge=most["acknowledge"],
            first_update=most["first_update"],
            update_every=most.get("update_every"),
            contain=most["contain"],
            resolve=LONGEST,
            verify=LONGEST,
        )
    steps = {clock: (Step(100, T),) for clock in sound().steps}
    steps |= {"acknowledge": (Step(100, M),), "accept": (Step(100, M),)}
    return replace(sound(), targets=targets, steps=steps, repeat=120, tight_medium=240, tight_from_hour=23)


@pytest.mark.django_db
def test_under_the_slowest_version_there_can_be_a_critical_case_reaches_the_psc_within_the_hour(
    cast: Cast, make_incident: Callable[..., Any]
) -> None:
    polls_open = dt.datetime(2027, 6, 6, 7, tzinfo=NOW.tzinfo)
    published(lambda content: replace(slowest(), note=content.note))
    cases = {level: make_incident(severity=level, now=polls_open) for level in ("critical", "high", "medium", "low")}
    for minutes in range(0, 8 * 60 + 1, 15):
        tick(polls_open + dt.timedelta(minutes=minutes))
    moved = Escalation.objects.filter(kind=EscalationKind.OWNER_MOVED).order_by("fired_at")
    first = {level: moved.filter(incident=case)[0].fired_at - polls_open for level, case in cases.items()}
    assert first == {
        "critical": dt.timedelta(minutes=30), "high": dt.timedelta(hours=1),
        "medium": dt.timedelta(hours=4), "low": dt.timedelta(hours=8),
    }  # fmt: skip
    assert moved.filter(incident=cases["critical"]).values_list("to_command__kind", flat=True)[0] == "psc"


@pytest.mark.django_db
def test_what_is_refused_is_a_generous_multiple_of_the_usual_times(cast: object) -> None:
    """Nobody who needs more time has to fight the check: at least four times what domain 3.2 says."""
    for (phase, severity), usual in content_of(general()).targets.items():
        for time, most in ceilings(phase, severity).items():
            minutes = getattr(usual, time)
            assert minutes is None or most >= 4 * minutes, (phase, severity, time, minutes, most)


@pytest.mark.django_db
def test_the_usual_version_is_not_called_slow(cast: object) -> None:
    assert not [p for p in warnings(content_of(general())) if p.endswith(".acknowledge")]
