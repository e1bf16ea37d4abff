"""What was open at a past moment: one answer in one piece, in two parts, and however many cases changed since."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from incidents import actions
from incidents.dashboards import past
from incidents.models import Incident

DAY = dt.timedelta(days=1)
NOTE = "The motorbike was found behind the market and given back."


@pytest.fixture
def some(cast: Any, make_incident: Any, now: dt.datetime) -> dict[str, Incident]:
    """Cases named by what they were a day ago and what they are now."""
    before, since = now - 2 * DAY, now - dt.timedelta(hours=2)
    cases = {name: make_incident(now=before) for name in ("still", "moved_on", "ended_since", "ended_before")}
    cases["came_since"] = make_incident(now=since)

    def act(name: str, what: str, at: dt.datetime, **data: Any) -> None:
        actions.perform(what, cases[name], by=cast.duty_commander, version=None, now=at, **data)

    act("moved_on", "acknowledge", since, note="")
    for name, at in (("ended_since", since), ("ended_before", now - 1.5 * DAY)):
        act(name, "acknowledge", at, note="")
        act(name, "contain", at, note=NOTE)
        act(name, "resolve", at, outcome="settled", verification="verified", note=NOTE)
    return cases


@pytest.mark.parametrize("few", [past.FEW, 0])
def test_one_piece_and_two_parts_say_the_same(
    some: dict[str, Incident], now: dt.datetime, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(past, "FEW", few)
    wanted = {some[name].pk for name in ("still", "moved_on", "ended_since")}
    assert set(past.open_at(Incident.objects.all(), now - DAY).values_list("pk", flat=True)) == wanted
    still, ended = past.open_parts_at(Incident.objects.all(), now - DAY)
    assert set(ended.values_list("pk", flat=True)) == {some["ended_since"].pk}
    assert set(still.values_list("pk", flat=True)) == wanted - {some["ended_since"].pk}
