"""Past cases become rows to play: with what people really did, and never a sealed one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from incidents import actions
from incidents.escalation.replay import Ladders, past
from incidents.escalation.simulate import run
from incidents.models import Incident
from incidents.policies import rules_of
from incidents.routing import height_of, ladder_of
from tests.cast import COMMUNE, DEMO_COMMUNE, NOW, Cast
from tests.incidents.policies.drafts import faster, general, published

pytestmark = pytest.mark.django_db


def minutes(count: int) -> dt.datetime:
    return NOW + dt.timedelta(minutes=count)


def act(case: Incident, name: str, by: Any, at: int, **data: Any) -> None:
    actions.perform(name, case, by=by, version=None, now=minutes(at), **data)


@pytest.mark.parametrize("place", [COMMUNE, DEMO_COMMUNE, "KH200101"])
def test_the_ladder_is_that_of_the_routing(cast: Cast, place: str) -> None:
    levels = Ladders(NOW).of(place)
    assert [(level.key, level.height) for level in levels] == [(c.pk, height_of(c)) for c in ladder_of(place)]


def test_a_level_with_nobody_is_known(cast: Cast) -> None:
    staffed = {level.key: level.is_staffed for level in Ladders(NOW).of(COMMUNE)}
    assert staffed[cast.command("provincial").pk]
    empty = [level for ladder in Ladders(NOW).of_districts("KH12") for level in ladder if level.height == 1]
    assert empty
    assert not any(level.is_staffed for level in empty)


def test_a_case_is_played_with_the_times_of_its_people(cast: Cast, make_incident: Callable[..., Any]) -> None:
    case = make_incident(category="INT-01", severity="high")
    act(case, "acknowledge", cast.duty_commander, 7, not_concerned=True)
    act(case, "update", cast.duty_commander, 20, note="A patrol is there.")
    act(case, "contain", cast.duty_commander, 60)
    found = past(Incident.objects.all(), Ladders(NOW))
    assert len(found) == 1
    response = found[0].response
    assert (response.taken_at, response.updates, response.contained, response.resolved) == (7, (20,), 60, None)
    assert (found[0].hour, found[0].phase, found[0].severity) == (8, "campaign", "high")


def test_what_happened_to_the_case_happens_in_the_play(cast: Cast, make_incident: Callable[..., Any]) -> None:
    """The general policy plays the case as the engine did; a quicker one would have moved it."""
    case = make_incident(category="INT-01", severity="high")
    act(case, "acknowledge", cast.duty_commander, 20, not_concerned=True)
    act(case, "update", cast.duty_commander, 50, note="A patrol is there.")
    act(case, "contain", cast.duty_commander, 90)
    rows = past(Incident.objects.all(), Ladders(minutes(100)))
    assert run(rows, rules_of(general())).moved == 0
    assert run(past(Incident.objects.all(), Ladders(minutes(60 * 24 * 9))), rules_of(general())).moved == 1
    quick = run(rows, rules_of(published(faster(2))))
    assert (quick.moved, quick.came_up[2]) == (1, 1)


def test_how_long_a_next_owner_needed_is_kept(cast: Cast, make_incident: Callable[..., Any]) -> None:
    case = make_incident(category="INT-01", severity="high")
    act(case, "acknowledge", cast.duty_commander, 5, not_concerned=True)
    act(case, "escalate", cast.duty_commander, 30, reason="Too big for us.")
    act(case, "accept", cast.provincial, 42)
    assert past(Incident.objects.all(), Ladders(NOW))[0].response.takes == (5, 12)


def test_sealed_withdrawn_and_unrated_cases_are_left_out(
    cast: Cast, make_incident: Callable[..., Any], make_sealed: Callable[..., Any]
) -> None:
    make_sealed()
    gone = make_incident()
    act(gone, "withdraw", cast.officer, 3, reason="I was wrong.")
    assert past(Incident.objects.all(), Ladders(NOW)) == []


def test_the_number_of_queries_does_not_grow(
    cast: Cast, make_incident: Callable[..., Any], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(6):
        make_incident(narrative=f"A motorbike was taken from the market, the {number}th one.")
    with django_assert_max_num_queries(10):
        assert len(past(Incident.objects.all(), Ladders(NOW), most=4)) == 4
