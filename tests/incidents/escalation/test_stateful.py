"""People's acts and the engine's ticks in any order, against a model that knows nothing of how either is built."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from elections.choices import Basis
from elections.choices import Phase as ElectionPhase
from elections.models import Election, PhaseWindow
from incidents import actions, policies
from incidents.escalation import engine
from incidents.models import ClockState, Custody, Incident, LegalDeadline
from tests.cast import NOW, TAKEO, Cast
from tests.chaos.cases import ACKNOWLEDGE, CONTAIN, FIRST_UPDATE, RESOLVE, short_policy
from tests.chaos.counts import count
from tests.factories import make_incident

SEED = int(os.environ.get("HYPOTHESIS_SEED", "20270606"))
#: Making a failure shorter takes minutes, so only who asks for it waits: HYPOTHESIS_SHRINK=1.
PHASES = list(Phase) if os.environ.get("HYPOTHESIS_SHRINK") else [Phase.explicit, Phase.generate]
TAKE_UP, LATER = [(75, "warn"), (100, "move")], [(75, "warn"), (100, "tell"), (200, "move")]
STEPS = {"acknowledge": TAKE_UP, "accept": TAKE_UP, "legal": [(75, "warn"), (100, "tell")], "snooze": [(100, "")]}
TOP, REPEAT = 3, {"legal": 1440.0}
#: While people vote the targets are those of `chaos.cases`; before they are so many times as long.
LONGER = 5
TARGETS = {
    "acknowledge": ACKNOWLEDGE, "accept": ACKNOWLEDGE, "first_update": FIRST_UPDATE, "contain": CONTAIN,
    "resolve": RESOLVE,
}  # fmt: skip
#: Minutes the law gives the body of the test, and those for which a case may stand still.
LEGAL, PAUSES = 60, (30, 45, 600)


@dataclass
class Ticker:
    """A clock of the model, in minutes since the report."""

    kind: str
    began: float
    target: float
    step: int = 0
    at: float = 0.0
    #: Since when it stands still.
    paused: float | None = None

    def __post_init__(self) -> None:
        self.at = self.at or self.moment()

    @property
    def steps(self) -> list[tuple[int, str]]:
        return STEPS.get(self.kind, LATER)

    def moment(self) -> float:
        return self.began + self.target * self.steps[self.step][0] / 100


class Model:
    """One case of the district of Doun Kaev, in minutes since its report. Everybody is at their post."""

    def __init__(self, polling: float) -> None:
        self.now, self.state, self.owner, self.is_accepted = 0.0, "reported", 1, False
        self.path = [1]
        #: When people begin to vote, which makes every target shorter; whether the case is timed by that.
        self.polling, self.is_voting, self.pauses = polling, False, 0
        #: Running clocks in the order they began.
        self.clocks: list[Ticker] = []
        for kind in ("acknowledge", "first_update", "contain"):
            self.start(kind, 0.0)

    @property
    def paused_until(self) -> float | None:
        return next((clock.at for clock in self.clocks if clock.kind == "snooze"), None)

    def start(self, kind: str, at: float) -> None:
        self.stop(kind)
        self.clocks.append(Ticker(kind, at, TARGETS[kind] * (1 if self.is_voting else LONGER)))

    def stop(self, *kinds: str) -> None:
        self.clocks = [clock for clock in self.clocks if clock.kind not in kinds]

    def give(self, to: int, at: float) -> None:
        self.owner, self.is_accepted = to, False
        self.path.append(to)
        self.start("acknowledge" if self.state == "reported" else "accept", at)

    def tick(self) -> None:
        while True:
            due = [clock for clock in self.clocks if clock.paused is None and clock.at <= self.now]
            first = min(due, key=lambda clock: clock.at, default=None)
            # What is due at the moment a phase begins goes by the phase before it.
            if not self.is_voting and self.polling <= self.now and (first is None or first.at > self.polling):
                self.vote()
            elif first is None:
                return
            else:
                self.fire(first)

    def vote(self) -> None:
        """Each clock has at most its new time, from when people begin to vote, or from when it stood still."""
        self.is_voting = True
        for clock in self.clocks if self.state in OPEN else ():
            if clock.kind not in TARGETS:
                continue
            since = max(self.polling, clock.began) if clock.paused is None else clock.paused
            if since + TARGETS[clock.kind] < clock.began + clock.target:
                clock.began, clock.target = since, TARGETS[clock.kind]
                if clock.step < len(clock.steps):
                    clock.at = clock.moment()

    def fire(self, clock: Ticker) -> None:
        if clock.kind == "snooze":
            self.resume(clock.at)
            return
        last = len(clock.steps) - 1
        deed, at = clock.steps[min(clock.step, last)][1], clock.at
        if deed == "move" and self.owner < TOP:
            self.stop(clock.kind)
            self.give(self.owner + 1, at)
        elif clock.step < last:
            clock.step += 1
            clock.at = clock.moment()
        elif self.owner == TOP:
            # Nobody above: said again every hour, those missed meanwhile once.
            repeat = REPEAT.get(clock.kind, 60.0)
            clock.step, clock.at = clock.step + 1, at + repeat * ((self.now - at) // repeat + 1)
        else:
            self.stop(clock.kind)

    def pause(self, minutes: float) -> None:
        for clock in self.clocks:
            if clock.kind != "legal":
                clock.paused = self.now
        self.clocks.append(Ticker("snooze", self.now, minutes))
        self.pauses += 1

    def resume(self, at: float) -> None:
        """What stood still runs on, moved by the time it stood."""
        self.stop("snooze")
        for clock in self.clocks:
            if clock.paused is not None:
                stood = at - clock.paused
                clock.began, clock.at, clock.paused = clock.began + stood, clock.at + stood, None

    def end(self, state: str) -> None:
        """A body decides by law about a case that is resolved, too."""
        self.state, self.clocks = state, [clock for clock in self.clocks if clock.kind == "legal"]


OPEN = ("reported", "acknowledged", "responding", "contained")
TAKEN = OPEN[1:]
PEOPLE = {1: "duty_commander", 2: "provincial", 3: "psc"}


class Life(RuleBasedStateMachine):
    """Drives the product and the model side by side; every example is undone."""

    is_referred = False

    @initialize(polling=st.sampled_from([3, 12, 40, 90, 50_000]))
    def report(self, polling: float) -> None:
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.cast, self.begun = Cast(), NOW
        short_policy(NOW, LONGER, polling=1)
        begins = NOW + dt.timedelta(minutes=polling)
        PhaseWindow.objects.create(
            election=Election.objects.get(code="CC27"), phase=ElectionPhase.POLLING, jurisdiction_id=TAKEO,
            starts_at=begins, ends_at=begins + dt.timedelta(days=90), basis=Basis.ILLUSTRATIVE,
        )  # fmt: skip
        LegalDeadline.objects.filter(body="cec").update(minutes=LEGAL)
        self.referrals = 0
        self.key = make_incident(now=NOW, category="CRM-06").pk
        self.model = Model(polling)

    def teardown(self) -> None:
        if hasattr(self, "undone"):
            self.look()
            found = count(self.now, diaries={}, keys=[self.key])
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)
            policies.forget()
            assert found.is_clean, found.problems

    # ---- The product ----

    @property
    def now(self) -> dt.datetime:
        return self.begun + dt.timedelta(minutes=self.model.now)

    def act(self, act: str, by: str = "", **data: Any) -> None:
        # Whoever acts a moment after a deadline acts after the engine: both see the same order of things.
        self.look()
        person = getattr(self.cast, by or PEOPLE[self.model.owner])
        actions.perform(act, Incident.objects.get(pk=self.key), by=person, version=None, now=self.now, **data)

    def look(self) -> None:
        engine.tick(self.now, "test")
        self.model.tick()

    def is_in(self, *states: str) -> bool:
        return self.model.state in states

    # ---- What can happen ----

    @rule(minutes=st.sampled_from([0.25, 0.5, 1, 2, 5, 30, 90, 400]), ticks=st.booleans())
    def time_passes(self, minutes: float, ticks: bool) -> None:
        """With no tick the engine is away for so long."""
        self.model.now += minutes
        if ticks:
            self.look()

    @precondition(lambda self: self.is_in("reported"))
    @rule()
    def acknowledge(self) -> None:
        self.act("acknowledge")
        self.model.state, self.model.is_accepted = "acknowledged", True
        self.model.stop("acknowledge", "accept")

    @precondition(lambda self: self.is_in(*TAKEN) and not self.model.is_accepted)
    @rule()
    def accept(self) -> None:
        self.act("accept")
        self.model.is_accepted = True
        self.model.stop("acknowledge", "accept")

    @precondition(lambda self: self.is_in(*OPEN))
    @rule()
    def update(self) -> None:
        self.act("update", note="Two units are there.")
        self.model.stop("first_update", "update")

    @precondition(lambda self: self.is_in(*OPEN))
    @rule()
    def escalate(self) -> None:
        self.look()
        if self.model.owner < TOP:
            self.act("escalate", reason="It is beyond us.")
            self.model.resume(self.model.now)
            self.model.give(self.model.owner + 1, self.model.now)

    @precondition(lambda self: self.is_in("acknowledged", "responding"))
    @rule()
    def contain(self) -> None:
        self.act("contain")
        self.model.state = "contained"
        self.model.resume(self.model.now)
        self.model.stop("contain", "first_update", "update")
        self.model.start("resolve", self.model.now)

    @precondition(lambda self: self.is_in("contained"))
    @rule()
    def flare_up(self) -> None:
        self.act("flare_up", reason="They came back.")
        self.model.state = "responding"
        self.model.resume(self.model.now)
        self.model.stop("resolve")
        self.model.start("contain", self.model.now)

    @precondition(lambda self: self.is_in("contained"))
    @rule()
    def resolve(self) -> None:
        self.act("resolve", outcome="settled")
        self.model.end("resolved")

    @precondition(lambda self: self.is_in("resolved"))
    @rule()
    def reopen(self) -> None:
        self.act("reopen", by="provincial", reason="New facts.")
        self.model.state = "acknowledged"
        self.model.start("contain", self.model.now)

    # ---- Standing still, and waiting for a body of law ----

    @precondition(lambda self: self.is_in(*TAKEN) and self.model.paused_until is None and self.model.pauses < 2)
    @rule(minutes=st.sampled_from(PAUSES))
    def snooze(self, minutes: int) -> None:
        """Asked for by the owner, agreed to above it, at once; refused where nobody accepted the case."""
        self.look()
        if self.model.is_accepted and self.model.paused_until is None and self.is_in(*TAKEN):
            self.act("snooze", until=self.now + dt.timedelta(minutes=minutes), reason="The owner is away.")
            self.act("countersign", by={1: "provincial", 2: "psc", 3: "nec"}[self.model.owner])
            self.model.pause(minutes)

    @precondition(lambda self: self.model.paused_until is not None)
    @rule()
    def wake(self) -> None:
        self.look()
        if self.model.paused_until is not None:
            self.act("wake")
            self.model.resume(self.model.now)

    @precondition(lambda self: self.is_in(*OPEN, "resolved") and not self.is_referred)
    @rule(minutes_ago=st.sampled_from([0, 20, 200]))
    def refer(self, minutes_ago: int) -> None:
        self.act("refer", body="cec", sent_at=self.now - dt.timedelta(minutes=minutes_ago))
        self.referrals, self.is_referred = self.referrals + 1, True
        self.model.clocks.append(Ticker("legal", self.model.now - minutes_ago, LEGAL))

    @precondition(lambda self: self.is_referred)
    @rule()
    def conclude(self) -> None:
        self.act("conclude_referral", referral=self.referrals, outcome="no_offence")
        self.is_referred = False
        self.model.stop("legal")

    # ---- What must agree ----

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "key"):
            return
        case, model = Incident.objects.select_related("owner").get(pk=self.key), self.model
        assert (case.state, case.owner.rung) == (model.state, model.owner)
        held = Custody.objects.filter(incident=case).order_by("pk").values_list("command__kind", flat=True)
        assert [("district", "province", "psc").index(kind) + 1 for kind in held] == model.path
        for state, is_paused in ((ClockState.RUNNING, False), (ClockState.PAUSED, True)):
            found = case.clocks.filter(state=state).values_list("kind", "fires_at")
            said = {kind: (at - self.begun).total_seconds() / 60 for kind, at in found}
            expected = {clock.kind: clock.at for clock in model.clocks if (clock.paused is not None) == is_paused}
            assert said == pytest.approx(expected), state


@pytest.mark.django_db
def test_acts_and_ticks_in_any_order_agree_with_the_model(cast: Cast) -> None:
    print(f"hypothesis: seed {SEED}")
    bounded = settings(
        max_examples=24, stateful_step_count=30, deadline=None, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=PHASES,
    )  # fmt: skip
    run_state_machine_as_test(seed(SEED)(Life), settings=bounded)
