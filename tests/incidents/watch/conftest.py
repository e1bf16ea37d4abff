"""The engine in every condition it can be in, as the rows and the broker show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def broker_asked_anew() -> Iterator[None]:
    from incidents.escalation import doorbell

    doorbell.forget()
    yield
    doorbell.forget()


@pytest.fixture(autouse=True)
def the_clock_says_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doors ask the database for the time; here it is the tests' moment."""
    from incidents.escalation import moment
    from tests.cast import NOW

    monkeypatch.setattr(moment, "read", lambda: moment.Reading(now=NOW, boot="test", uptime=1000.0))


@pytest.fixture
def engine_is(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`engine_is("worker_dead")`: the rows and the answer of the broker that stand for that condition at NOW."""
    from incidents.escalation import doorbell
    from incidents.models import EngineState
    from tests.cast import NOW

    def put(condition: str) -> None:
        def ago(*, minutes: int = 0, seconds: int = 0) -> dt.datetime:
            return NOW - dt.timedelta(minutes=minutes, seconds=seconds)

        rows: dict[str, dict[str, Any]] = {
            "ok": {"last_ok_at": ago(seconds=10), "last_started_at": ago(seconds=10)},
            "failing": {"last_ok_at": ago(minutes=7), "last_started_at": ago(seconds=8), "last_error": "a fault"},
            "slow": {"last_ok_at": ago(seconds=10), "last_started_at": ago(seconds=10), "backlog": 900},
            "held": {"last_ok_at": ago(seconds=10), "held_at": ago(minutes=3), "held_count": 80},
        }
        gone = {"last_ok_at": ago(minutes=7), "last_started_at": ago(minutes=7)}
        calls = {"beat_dead": 0, "worker_dead": 12, "broker_away": None}
        monkeypatch.setattr(doorbell, "waiting", lambda: calls.get(condition, 0))
        EngineState.objects.update_or_create(pk=1, defaults=rows.get(condition, gone))

    return put
