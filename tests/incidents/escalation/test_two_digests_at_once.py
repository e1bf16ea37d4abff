"""Two workers are done catching up in the same moment: one of them writes the digest."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from incidents import routing
from incidents.escalation import engine, outage
from incidents.models import Entry, Incident, Outage
from tests.at_once import raised_at_once
from tests.cast import Cast
from tests.incidents.escalation.test_outages import BACK, away

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_who_was_passed_is_told_once(
    cast: Cast, make_incident: Callable[..., Incident], monkeypatch: pytest.MonkeyPatch
) -> None:
    away(make_incident, 5)
    with monkeypatch.context() as untold:
        untold.setattr(outage, "tell_passed", lambda *_args: 0)
        engine.tick(BACK, "celery")
    row, both = Outage.objects.get(), threading.Barrier(2)

    def asked(*args: Any) -> Any:
        # Behind the look at what was written: both are here at once, unless one waits for the other.
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(2)
        return routing.people_at(*args)

    monkeypatch.setattr(outage, "people_at", asked)

    assert raised_at_once(*[lambda: outage.tell_passed(row, BACK)] * 2) == []
    assert Entry.objects.filter(act="engine", incident=None, command=cast.command("provincial")).count() == 1
