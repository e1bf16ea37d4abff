"""Two workers catch up at once: who was passed is told of all that passed, whoever of the two is done first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from incidents.escalation import engine
from incidents.escalation.batch import Done
from incidents.models import Entry, Incident
from tests.cast import Cast
from tests.incidents.escalation.test_outages import BACK, away
from tests.incidents.escalation.tools import told

pytestmark = pytest.mark.django_db


def test_the_digest_waits_for_what_the_other_worker_still_holds(
    cast: Cast, make_incident: Callable[..., Incident], monkeypatch: pytest.MonkeyPatch
) -> None:
    away(make_incident, 5)
    real, batches = engine.fire, []
    monkeypatch.setattr(engine, "BATCH", {"postgresql": 2, "sqlite": 2})

    def fire(*args: Any, **how: Any) -> Done:
        batches.append(1)
        if len(batches) == 2:
            # The other worker looks while this one holds its second batch: every case due is passed over.
            monkeypatch.setattr(engine, "fire", lambda *_a, **_h: Done())
            engine.tick(BACK, "celery")
            monkeypatch.setattr(engine, "fire", fire)
        return real(*args, **how)

    monkeypatch.setattr(engine, "fire", fire)
    engine.tick(BACK, "celery")
    assert told(None, cast.provincial) == ["passed_digest"]
    assert Entry.objects.get(act="engine", incident=None).after["cases"] == 5
