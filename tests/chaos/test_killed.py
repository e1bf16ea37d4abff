"""Workers and beats are killed at random in the middle of their work while people act: nothing is missed or doubled."""

from __future__ import annotations

from collections.abc import Callable

from tests.chaos.counts import Counts
from tests.chaos.stage import SCALE, Stage

Report = Callable[[str, Counts], None]


def test_four_workers_and_two_beats_killed_at_random_while_people_act(
    open_stage: Callable[..., Stage], redis_url: str, report_counts: Report
) -> None:
    stage = open_stage(REDIS_URL=redis_url)
    stage.seed(150)
    for number in range(2):
        stage.start("beat", schedule=str(stage.folder / f"schedule-{number}"))
    for number in range(4):
        stage.start("worker", name=f"worker{number}")
    stage.start_people(3)
    stage.kill_at_random("worker", "beat", seconds=10 * SCALE, least=0.2, most=0.7)
    counts = stage.count()
    report_counts("4 workers and 2 beats, kill -9", counts)
    assert counts.kills >= 5
    assert counts.fired > counts.cases / 2, stage.logs()
    assert counts.acts_told > 10, stage.logs()


def test_four_loops_killed_at_random_in_their_transactions(stage: Stage, report_counts: Report) -> None:
    stage.seed(150)
    stage.start_engines(4)
    stage.start_people(3)
    # As fast as they come back: nearly every kill falls into a transaction.
    stage.kill_at_random("escalate", seconds=6 * SCALE, least=0.02, most=0.15)
    counts = stage.count()
    report_counts("4 loops, kill -9", counts)
    assert counts.kills >= 20
    assert counts.fired > counts.cases / 2, stage.logs()


def test_people_whose_server_is_killed_never_hear_a_success_that_is_not_kept(
    stage: Stage, report_counts: Report
) -> None:
    stage.seed(60)
    stage.start_engines(1)
    stage.start_people(4, pause=0.0)
    stage.kill_at_random("actor", seconds=5 * SCALE, least=0.05, most=0.25)
    counts = stage.count()
    report_counts("people's servers, kill -9", counts)
    assert counts.unheard, "no kill fell into an act: this run proves nothing"
