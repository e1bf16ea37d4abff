"""A running case keeps its version until somebody moves it; then the deadlines of the new one hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from incidents import actions, rebasing
from incidents.choices import Act, ClockKind, Deed
from incidents.deadlines import Step
from incidents.escalation.engine import tick
from incidents.models import LIVE, Clock, ClockState, Entry, Escalation, Incident, Policy
from incidents.policies import rules_of
from tests.cast import NOW, Cast
from tests.incidents.policies.drafts import drafted, edited, faster, general, published, with_target

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
W, T, M = Deed.WARN, Deed.TELL, Deed.MOVE


def minutes(count: float) -> dt.datetime:
    return NOW + dt.timedelta(minutes=count)


def standing(case: Incident) -> dict[str, Clock]:
    return {c.kind: c for c in case.clocks.filter(state__in=LIVE)}


def fresh(case: Incident) -> Incident:
    return Incident.objects.get(pk=case.pk)


def rebased(case: Incident, policy: Policy, at: float = 5, **more: Any) -> Incident:
    how: dict[str, Any] = {
        "by": Cast().nec,
        "reason": "The new times hold for all.",
        "version": None,
        "now": minutes(at),
    } | more
    return rebasing.rebase(case, policy, **how)


# ---- One case ----


def test_a_new_version_leaves_running_cases_alone(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    before = {k: c.deadline_at for k, c in standing(case).items()}
    published(faster(2), now=minutes(1))
    tick(minutes(2))
    assert fresh(case).policy == general()
    assert {k: c.deadline_at for k, c in standing(case).items()} == before


def test_deadlines_are_counted_anew_from_the_same_anchors(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    old = standing(case)
    version = published(faster(2), now=minutes(1))
    case = fresh(rebased(case, version))
    new = standing(case)
    assert case.policy == version
    assert {k: c.anchor_at for k, c in new.items()} == {k: c.anchor_at for k, c in old.items()}
    assert {k: c.target_minutes * 2 for k, c in new.items()} == {k: c.target_minutes for k, c in old.items()}
    assert all(c.deadline_at == c.anchor_at + dt.timedelta(minutes=c.target_minutes) for c in new.values())
    assert {c.episode for c in new.values()} == {2}
    assert {c.state for c in case.clocks.filter(episode=1)} == {ClockState.CANCELLED}
    assert case.next_due_at == min(c.deadline_at for c in new.values())


def test_the_journal_says_from_which_to_which_and_why(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    version = published(faster(2), now=minutes(1))
    rebased(case, version)
    entry = case.entries.get(act=Act.REBASE)
    assert (entry.before, entry.by, entry.reason) == ({"policy": "general/1"}, cast.nec, "The new times hold for all.")
    assert entry.after == {"policy": "CC27/1", "clocks": 3}


def test_a_clock_that_says_the_same_is_left_as_it_is(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    version = published(with_target("campaign", "low", acknowledge=300), now=minutes(1))
    rebased(case, version)
    assert {k: c.episode for k, c in standing(case).items()} == {"acknowledge": 2, "first_update": 1, "contain": 1}


def test_what_the_new_times_put_into_the_past_fires_with_the_next_tick(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="INT-01", severity="high")
    version = published(faster(3), now=minutes(1))
    rebased(case, version, 15)
    assert fresh(case).owner == cast.command("duty_commander")
    tick(minutes(15))
    moved = Escalation.objects.get(incident=case, kind="owner_moved")
    assert (fresh(case).owner, moved.due_at) == (cast.command("provincial"), minutes(10))


def test_looser_times_take_nothing_back(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="INT-01", severity="high")
    tick(minutes(23))
    tick(minutes(30))
    fired = Escalation.objects.filter(incident=case).count()
    assert fresh(case).owner == cast.command("provincial")
    version = published(with_target("campaign", "high", acknowledge=100), now=minutes(31))
    rebased(case, version, 32)
    tick(minutes(33))
    assert fresh(case).owner == cast.command("provincial")
    assert Escalation.objects.filter(incident=case).count() == fired
    # The province has the new time from when it got the case.
    assert standing(case)["acknowledge"].deadline_at == minutes(130)


def test_a_warning_that_was_given_is_not_given_again(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="INT-01", severity="high")
    tick(minutes(23))
    assert Escalation.objects.filter(incident=case, clock="acknowledge", kind="warning").count() == 1
    version = published(with_target("campaign", "high", acknowledge=40), now=minutes(24))
    rebased(case, version, 25)
    clock = standing(case)["acknowledge"]
    assert (clock.step, clock.fires_at) == (1, minutes(40))
    tick(minutes(39))
    assert Escalation.objects.filter(incident=case, clock="acknowledge", kind="warning").count() == 1
    tick(minutes(40))
    assert fresh(case).owner == cast.command("provincial")


def test_a_pause_goes_on_under_the_new_times(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    case.clocks.filter(kind="contain").update(state=ClockState.PAUSED, paused_at=minutes(3), paused_seconds=60)
    version = published(faster(2), now=minutes(4))
    rebased(case, version)
    clock = case.clocks.get(kind="contain", state=ClockState.PAUSED)
    assert (clock.episode, clock.paused_at, clock.paused_seconds, clock.target_minutes) == (2, minutes(3), 60, 7200)


def test_updates_that_are_asked_for_now_run_from_the_last_one(cast: Cast, make_incident: Make) -> None:
    silent = published(with_target("campaign", "critical", update_every=None), now=NOW)
    case = make_incident(category="INT-01", severity="critical", now=minutes(1))
    actions.perform("acknowledge", case, by=cast.provincial, version=None, now=minutes(2), not_concerned=True)
    actions.perform("update", case, by=cast.provincial, version=None, now=minutes(9), note="A patrol is there.")
    assert fresh(case).policy == silent
    assert "update" not in standing(case)
    asked = published(with_target("campaign", "critical", update_every=60), silent, now=minutes(10))
    rebased(case, asked, 11)
    assert standing(case)["update"].deadline_at == minutes(69)
    quiet = published(with_target("campaign", "critical", update_every=None), asked, now=minutes(12))
    rebased(case, quiet, 13)
    assert "update" not in standing(case)


REFUSED: dict[str, tuple[Callable[[], Policy], str]] = {
    "a draft": (lambda: edited(drafted(), faster(2)), "draft"),
    "its own": (general, "already"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_versions_it_cannot_have(cast: Cast, make_incident: Make, what: str) -> None:
    case, (policy, words) = make_incident(), REFUSED[what]
    version, entries = case.version, Entry.objects.filter(incident=case).count()
    with pytest.raises(ValidationError, match=words):
        rebased(case, policy())
    assert (fresh(case).version, Entry.objects.filter(incident=case).count()) == (version, entries)


@pytest.mark.parametrize("name", ["officer", "duty_commander", "provincial", "ministry", "auditor"])
def test_only_the_psc_and_the_nec_move_a_case(cast: Cast, make_incident: Make, name: str) -> None:
    case, version = make_incident(), published(faster(2), now=NOW)
    with pytest.raises(PermissionDenied):
        rebased(case, version, by=getattr(cast, name))
    assert rebased(case, version, by=cast.psc).policy == version


def test_it_needs_a_reason_and_the_version_that_was_seen(cast: Cast, make_incident: Make) -> None:
    case, version = make_incident(), published(faster(2), now=NOW)
    with pytest.raises(ValidationError, match="Say why"):
        rebased(case, version, reason=" ")
    with pytest.raises(actions.StaleVersion):
        rebased(case, version, version=7)


def test_a_sealed_case_is_its_desks_to_move(cast: Cast, make_sealed: Make) -> None:
    case, version = make_sealed(), published(faster(2), now=NOW)
    for stranger in (cast.nec, cast.psc, cast.demo_duty):
        with pytest.raises(Incident.DoesNotExist):
            rebased(case, version, by=stranger)
    assert rebased(case, version, by=cast.demo_integrity).policy == version


# ---- The rule for one clock, without a database ----

OLD = (Step(75, W), Step(100, T), Step(200, M))


def clock(step: int, state: str = ClockState.RUNNING, kind: str = ClockKind.CONTAIN) -> Clock:
    return Clock(kind=kind, step=step, state=state, anchor_at=NOW, target_minutes=100, fires_at=minutes(1))


@pytest.mark.parametrize(
    ("step", "state", "new", "expected"),
    [
        (0, "running", OLD, (0, "running", 75)),
        (1, "running", OLD, (1, "running", 100)),
        (2, "running", OLD, (2, "running", 200)),
        # Told already: the move is what is left of it.
        (2, "running", (Step(50, W), Step(100, T), Step(120, M)), (2, "running", 120)),
        # Told already, and nothing further is asked.
        (2, "running", (Step(75, W), Step(100, T)), (1, "exhausted", 100)),
        # Warned already; here somebody is told before any warning.
        (1, "running", (Step(50, T), Step(75, W), Step(100, T), Step(150, M)), (0, "running", 50)),
        # A second one to be told is not the first one.
        (2, "running", (Step(75, W), Step(100, T), Step(150, T, 3), Step(200, M)), (2, "running", 150)),
        # It moved the case: the clock stays at its end.
        (2, "exhausted", (Step(75, W), Step(100, T), Step(300, M)), (2, "exhausted", 1)),
        (2, "exhausted", (Step(100, M),), (0, "exhausted", 1)),
        # The alarm at the top goes on as it rang.
        (3, "running", (Step(75, W), Step(100, M)), (2, "running", 1)),
        (1, "paused", OLD, (1, "paused", 100)),
    ],
)
def test_what_is_left_of_a_clock(step: int, state: str, new: tuple[Step, ...], expected: tuple[Any, ...]) -> None:
    found = rebasing.retimed(clock(step, state), 100, OLD, new)
    assert (found.step, found.state, found.fires_at) == (expected[0], expected[1], minutes(expected[2]))


def test_a_clock_that_only_told_goes_on_where_the_new_version_moves() -> None:
    told_only = (Step(75, W), Step(100, T))
    found = rebasing.retimed(clock(1, "exhausted", ClockKind.VERIFY), 100, told_only, OLD)
    assert (found.step, found.state, found.fires_at) == (2, "running", minutes(200))


# ---- All of an election ----


def several(make_incident: Make, count: int = 5, **more: Any) -> list[Incident]:
    return [make_incident(narrative=f"A motorbike was taken, the {n}th one.", **more) for n in range(count)]


def test_the_open_cases_of_the_election_are_moved_in_rounds(cast: Cast, make_incident: Make) -> None:
    cases = several(make_incident)
    ended = make_incident(narrative="It was all a mistake, nothing happened.")
    actions.perform("withdraw", ended, by=cast.officer, version=None, now=minutes(1), reason="A mistake.")
    version = published(faster(2), now=minutes(2))
    how: dict[str, Any] = {"by": cast.psc, "reason": "For all.", "now": minutes(3), "most": 2}
    rounds = [rebasing.rebase_some(version, **how)]
    while rounds[-1].last:
        rounds.append(rebasing.rebase_some(version, after=rounds[-1].last, **how))
    assert [r.moved for r in rounds] == [2, 2, 1]
    assert {fresh(c).policy for c in cases} == {version}
    assert fresh(ended).policy == general()
    assert Entry.objects.filter(act=Act.REBASE).count() == 5
    assert not rebasing.waiting(version, cast.psc, minutes(3)).exists()


def test_before_it_is_said_how_many_would_move_at_once(cast: Cast, make_incident: Make) -> None:
    several(make_incident, 2, category="INT-01", severity="high")
    several(make_incident, 3)
    version = published(faster(3), now=minutes(1))
    waiting = rebasing.waiting(version, cast.nec, minutes(2))
    soon = rebasing.ahead(waiting, version, minutes(2))
    assert (soon.cases, soon.looked_at, soon.retimed, soon.at_once) == (5, 5, 5, 0)
    assert rebasing.ahead(waiting, version, minutes(11)).at_once == 2
    before = Escalation.objects.filter(kind="owner_moved").count()
    rebasing.rebase_some(version, by=cast.nec, reason="For all.", now=minutes(11))
    tick(minutes(11))
    assert Escalation.objects.filter(kind="owner_moved").count() - before == 2


def test_a_case_that_refuses_stops_no_other(cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = several(make_incident, 3)
    version = published(faster(2), now=minutes(1))
    really = rebasing.rebase

    def sometimes(case: Incident, policy: Policy, **how: Any) -> Incident:
        if case.pk == cases[1].pk:
            raise ValidationError("Not this one.")
        return really(case, policy, **how)

    monkeypatch.setattr(rebasing, "rebase", sometimes)
    found = rebasing.rebase_some(version, by=cast.nec, reason="For all.", now=minutes(2))
    assert (found.moved, found.refusals, found.last) == (2, ((cases[1].reference, "Not this one."),), None)


def test_sealed_cases_are_in_no_round_and_no_count(cast: Cast, make_incident: Make, make_sealed: Make) -> None:
    several(make_incident, 1)
    sealed = make_sealed()
    version = published(faster(2), now=minutes(1))
    waiting = rebasing.waiting(version, cast.nec, minutes(2))
    assert rebasing.ahead(waiting, version, minutes(2)).cases == 1
    rebasing.rebase_some(version, by=cast.nec, reason="For all.", now=minutes(2))
    assert fresh(sealed).policy == general()


def test_only_the_version_in_force_and_only_by_those_who_may(cast: Cast, make_incident: Make) -> None:
    several(make_incident, 1)
    first = published(faster(2), now=minutes(1))
    second = published(faster(2), first, now=minutes(2))
    assert not rebasing.waiting(first, cast.nec, minutes(3)).exists()
    assert rebasing.waiting(second, cast.nec, minutes(3)).count() == 1
    assert not rebasing.waiting(second, cast.provincial, minutes(3)).exists()
    assert not rebasing.waiting(general(), cast.nec, minutes(3)).exists()
    with pytest.raises(PermissionDenied, match="NEC"):
        rebasing.rebase_some(second, by=cast.provincial, reason="x", now=minutes(3))
    with pytest.raises(ValidationError, match="Say why"):
        rebasing.rebase_some(second, by=cast.nec, reason="", now=minutes(3))


def test_every_clock_has_a_time_under_every_version(cast: Cast) -> None:
    old, new = (rules_of(p).targets("campaign", "high") for p in (general(), published(faster(2), now=NOW)))
    found = {kind: rebasing.new_minutes(clock(0, kind=kind), old, new) for kind in ClockKind}
    assert found == {
        "acknowledge": 15, "accept": 15, "first_update": 60, "update": 100, "contain": 1440, "resolve": 2880,
        "verify": 100, "review": 100, "legal": 100, "snooze": 100,
    }  # fmt: skip


def test_what_an_earlier_phase_gave_is_kept_where_the_versions_say_the_same(cast: Cast) -> None:
    targets = rules_of(general()).targets("campaign", "high")
    assert rebasing.new_minutes(clock(0), targets, targets) == 100


def test_a_broken_case_stops_no_other(cast: Cast, make_incident: Make) -> None:
    broken, whole = make_incident(), make_incident(narrative="Another thing was taken at the other market.")
    Clock.objects.filter(incident=broken).delete()
    version = published(faster(2), now=minutes(1))
    found = rebasing.rebase_some(version, by=cast.nec, reason="For all.", now=minutes(2))
    assert found.moved == 1 and [reference for reference, _said in found.refusals] == [broken.reference]
    assert (fresh(broken).policy, fresh(whole).policy) == (general(), version)
