"""A drill touches no case and no number: tallies, measures, week, queue, clocks and the engine stay as they were."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from incidents import drills, tallies
from incidents.escalation import rehearsal
from tests.cast import Cast
from tests.factories import make_incident
from tests.incidents.drills.stage import MINUTES, at, call_of, hold

pytestmark = pytest.mark.django_db
#: What a drill writes.
ITS_OWN = {"Drill", "DrillCall", "Entry", "Notice"}
#: Pages and answers with figures, to somebody who sees the whole country.
FIGURES = (
    "incidents:list", "dashboards:page", "dashboards:live", "dashboards:areas", "reports:weekly",
    "reports:weekly_csv", "api:measures", "api:map-areas", "api:reports-weekly", "api:incidents",
)  # fmt: skip


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but a drill's own."""
    models = [m for app in ("elections", "commands", "incidents") for m in apps.get_app_config(app).get_models()]
    kept = [m for m in models if m.__name__ not in ITS_OWN and m._meta.app_label != "elections"]
    return {m.__name__: sorted(m._default_manager.values_list(), key=str) for m in kept}


def whole_drill(cast: Cast) -> None:
    """One of Takeo with answers by each door, and one that is cancelled."""
    drill = hold("KH21")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1))
    drills.answer_for(call_of(drill, "KH2109"), cast.neighbour, by=cast.psc, now=at(2), channel="radio")
    for minute in range(3 * MINUTES + 1):
        rehearsal.advance(at(minute))
    drill.refresh_from_db()
    assert drill.ended_at
    drills.cancel(hold("KH9901"), by=cast.psc, now=at(1))


def test_no_row_but_a_drills_own_is_written(cast: Cast) -> None:
    make_incident()
    before = rows()
    whole_drill(cast)
    assert rows() == before
    assert not tallies.differences()


def body(answer: Any) -> str:
    assert answer.status_code == 200
    return str((answer.getvalue() if answer.streaming else answer.content).decode())


def still(text: str) -> str:
    """Without what differs from one answer to the next by itself, and without the count of unread notices."""
    text = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", text)
    return re.sub(r'<span class="(?:rail__n|bar__n|badge|count)[^"]*">[^<]*</span>', "", text)


def test_no_figure_of_any_page_changes(cast: Cast, signed_in: Callable[..., Client]) -> None:
    make_incident()
    make_incident(category="INT-01", narrative="A family was told not to vote.")

    def figures() -> dict[str, str]:
        cache.clear()
        client = signed_in(cast.ministry)
        return {name: still(body(client.get(reverse(name)))) for name in FIGURES}

    with time_machine.travel(at(60), tick=False):
        before = figures()
        assert figures() == before
        whole_drill(cast)
        after = figures()
    assert {name for name in FIGURES if after[name] != before[name]} == set()


def test_an_entry_of_a_drill_is_about_no_case(cast: Cast) -> None:
    from incidents.models import Entry, Notice

    whole_drill(cast)
    entries = Entry.objects.filter(act="drill")
    whats = set(entries.values_list("after__what", flat=True))
    assert whats == {"started", "called", "vacant", "answered", "ended", "cancelled"}
    assert not entries.exclude(incident=None).exists()
    assert not Notice.objects.filter(kind="drill").exclude(incident=None).exists()
