"""People's acts and the engine's ticks in any order, against a model that knows nothing of how either is built."""

from __future__ import annotations

import datetime as dt
import os
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

from incidents import actions, policies
from incidents.escalation import engine
from incidents.models import ClockState, Custody, Incident
from tests.cast import NOW, Cast
from tests.chaos.cases import ACKNOWLEDGE, CONTAIN, FIRST_UPDATE, RESOLVE, short_policy
from tests.chaos.counts import count
from tests.factories import make_incident

SEED = int(os.environ.get("HYPOTHESIS_SEED", "20270606"))
#: Making a failure shorter takes minutes, so only who asks for it waits: HYPOTHESIS_SHRINK=1.
PHASES = list(Phase) if os.environ.get("HYPOTHESIS_SHRINK") else [Phase.explicit, Phase.generate]
TAKE_UP, LATER = [(75, "warn"), (100, "move")], [(75, "warn"), (100, "tell"), (200, "move")]
TOP, REPEAT = 3, 60.0


class Model:
    """One case of the district of Doun Kaev, in minutes since its report. Everybody is at their post."""

    def __init__(self) -> None:
        self.now, self.state, self.owner, self.is_accepted = 0.0, "reported", 1, False
        self.path = [1]
        #: Running clocks in the order they began: kind, when it began, minutes, next step, when that is due.
        self.clocks: list[list[object]] = []
        for kind, target in (("acknowledge", ACKNOWLEDGE), ("first_update", FIRST_UPDATE), ("contain", CONTAIN)):
            self.start(kind, target, 0.0)

    def start(self, kind: str, target: int, at: float) -> None:
        self.stop(kind)
        self.clocks.append([kind, at, target, 0, at + target * 0.75])

    def stop(self, *kinds: str) -> None:
        self.clocks = [clock for clock in self.clocks if clock[0] not in kinds]

    def give(self, to: int, at: float) -> None:
        self.owner, self.is_accepted = to, False
        self.path.append(to)
        self.start("acknowledge" if self.state == "reported" else "accept", ACKNOWLEDGE, at)

    def tick(self) -> None:
        while due := [clock for clock in self.clocks if clock[4] <= self.now]:  # type: ignore[operator]
            self.fire(min(due, key=lambda clock: clock[4]))  # type: ignore[arg-type, return-value]

    def fire(self, clock: list[object]) -> None:
        kind, began, target, step, at = clock
        assert isinstance(began, float) and isinstance(target, int) and isinstance(step, int) and isinstance(at, float)
        steps = TAKE_UP if kind in ("acknowledge", "accept") else LATER
        deed = steps[min(step, len(steps) - 1)][1]
        if deed == "move" and self.owner < TOP:
            self.stop(str(kind))
            self.give(self.owner + 1, at)
        elif step + 1 < len(steps):
            clock[3], clock[4] = step + 1, began + target * steps[step + 1][0] / 100
        elif deed == "move":
            # Nobody above: said again every hour, those missed meanwhile once.
            clock[3], clock[4] = step + 1, at + REPEAT * ((self.now - at) // REPEAT + 1)
        else:
            self.stop(str(kind))

    def end(self, state: str) -> None:
        self.state, self.clocks = state, []


OPEN = ("reported", "acknowledged", "responding", "contained")
TAKEN = OPEN[1:]
PEOPLE = {1: "duty_commander", 2: "provincial", 3: "psc"}


class Life(RuleBasedStateMachine):
    """Drives the product and the model side by side; every example is undone."""

    @initialize()
    def report(self) -> None:
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.cast, self.begun = Cast(), NOW
        short_policy(NOW)
        self.key = make_incident(now=NOW, category="CRM-06").pk
        self.model = Model()

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
            self.model.give(self.model.owner + 1, self.model.now)

    @precondition(lambda self: self.is_in("acknowledged", "responding"))
    @rule()
    def contain(self) -> None:
        self.act("contain")
        self.model.state = "contained"
        self.model.stop("contain", "first_update", "update")
        self.model.start("resolve", RESOLVE, self.model.now)

    @precondition(lambda self: self.is_in("contained"))
    @rule()
    def flare_up(self) -> None:
        self.act("flare_up", reason="They came back.")
        self.model.state = "responding"
        self.model.stop("resolve")
        self.model.start("contain", CONTAIN, self.model.now)

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
        self.model.start("contain", CONTAIN, self.model.now)

    # ---- What must agree ----

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "key"):
            return
        case, model = Incident.objects.select_related("owner").get(pk=self.key), self.model
        assert (case.state, case.owner.rung) == (model.state, model.owner)
        held = Custody.objects.filter(incident=case).order_by("pk").values_list("command__kind", flat=True)
        assert [("district", "province", "psc").index(kind) + 1 for kind in held] == model.path
        running = case.clocks.filter(state=ClockState.RUNNING).values_list("kind", "fires_at")
        said = {kind: (at - self.begun).total_seconds() / 60 for kind, at in running}
        assert said == pytest.approx({str(clock[0]): clock[4] for clock in model.clocks})


@pytest.mark.django_db
def test_acts_and_ticks_in_any_order_agree_with_the_model(cast: Cast) -> None:
    print(f"hypothesis: seed {SEED}")
    bounded = settings(
        max_examples=14, stateful_step_count=25, deadline=None, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=PHASES,
    )  # fmt: skip
    run_state_machine_as_test(seed(SEED)(Life), settings=bounded)
