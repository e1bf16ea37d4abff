"""With Celery dead cases move all the same while anybody looks: a page does the engine's round, and not too often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from incidents.escalation import engine, standin, watchdog
from incidents.models import EngineRun, EngineState, Escalation, EscalationKind, Incident
from tests.at_once import at_once
from tests.cast import NOW, ROLES, Cast
from tests.factories import make_incident, make_sealed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

#: A low case is to be acknowledged within twelve hours.
REPORTED_AT = NOW - dt.timedelta(hours=12, minutes=1)
JSON = {"accept": "application/json"}
MAY = frozenset(ROLES) - {"officer", "demo_officer", "relieved", "ministry", "liaison", "demo_liaison", "auditor"}
Sign = Callable[..., Client]
Put = Callable[[str], None]


@pytest.fixture
def due(cast: Cast) -> Incident:
    return make_incident(now=REPORTED_AT)


def post(client: Client, **more: Any) -> Any:
    return client.post(reverse("escalation:tick"), headers=JSON, **more)


def test_a_page_moves_what_is_due_with_no_celery_at_all(
    due: Incident, cast: Cast, signed_in: Sign, engine_is: Put
) -> None:
    engine_is("worker_dead")
    answer = post(signed_in(cast.duty_commander)).json()
    assert answer["is_run"] and answer["moved"] >= 1 and answer["state"] == "stopped"
    assert "in your cases" in answer["text"]
    due.refresh_from_db()
    assert due.owner == cast.command("provincial")
    assert EngineRun.objects.get().source == "web"


def test_without_a_script_the_button_does_it_and_says_so(
    due: Incident, cast: Cast, signed_in: Sign, engine_is: Put
) -> None:
    engine_is("beat_dead")
    client = signed_in(cast.psc)
    answer = client.post(reverse("escalation:tick"), {"next": reverse("escalation:board")}, follow=True)
    assert answer.redirect_chain == [(reverse("escalation:board"), 302)]
    assert "in your cases." in answer.content.decode()
    elsewhere = client.post(reverse("escalation:tick"), {"next": "https://elsewhere.example/"})
    assert elsewhere.headers["Location"] == reverse("start")


@pytest.mark.parametrize("condition", ["ok", "held"])
def test_an_engine_that_runs_or_is_held_is_left_alone(
    condition: str, due: Incident, cast: Cast, signed_in: Sign, engine_is: Put
) -> None:
    engine_is(condition)
    due.clocks.update(fires_at=NOW - dt.timedelta(minutes=1))
    answer = post(signed_in(cast.psc)).json()
    assert (answer["is_run"], answer["moved"]) == (False, 0)
    assert not Escalation.objects.exists()


def test_at_most_one_in_five_seconds_whoever_asks(due: Incident, cast: Cast, engine_is: Put) -> None:
    engine_is("worker_dead")
    assert standin.stand_in(NOW, cast.psc).is_run
    assert not standin.stand_in(NOW + dt.timedelta(seconds=4), cast.nec).is_run
    assert standin.stand_in(NOW + dt.timedelta(seconds=5), cast.nec).is_run


def test_the_bar_stays_while_only_pages_do_the_work(due: Incident, cast: Cast, engine_is: Put) -> None:
    engine_is("worker_dead")
    away_since = EngineState.objects.get().last_ok_at
    done = standin.stand_in(NOW, cast.psc)
    assert (done.pulse.state, done.pulse.is_stood_in, done.pulse.since) == ("stopped", True, away_since)
    later = standin.stand_in(NOW + dt.timedelta(minutes=3), cast.psc)
    assert later.is_run and later.pulse.since == away_since
    engine.tick(NOW + dt.timedelta(minutes=4), "celery")
    assert watchdog.pulse(NOW + dt.timedelta(minutes=4)).is_ok


def test_only_those_whose_work_it_is_may(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    engine_is("worker_dead")
    for name in ROLES:
        status = post(signed_in(getattr(cast, name))).status_code
        assert status == (200 if name in MAY else 404), name
    assert post(Client()).status_code == 302
    assert Client(enforce_csrf_checks=True).post(reverse("escalation:tick")).status_code == 403
    assert signed_in(cast.psc).get(reverse("escalation:tick")).status_code == 405


def test_what_it_answers_counts_no_case_sealed_from_the_person(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    make_sealed(now=NOW - dt.timedelta(days=3))
    engine_is("worker_dead")
    answer = post(signed_in(cast.demo_provincial)).json()
    assert answer["is_run"] and answer["moved"] == 0
    assert Escalation.objects.exists()


def test_a_fault_of_the_round_is_no_fault_of_the_page(
    cast: Cast, signed_in: Sign, engine_is: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_is("worker_dead")
    monkeypatch.setattr(engine, "tick", lambda *a, **k: 1 / 0)
    answer = post(signed_in(cast.psc))
    assert answer.status_code == 200 and not answer.json()["is_run"]


@pytest.mark.django_db(transaction=True)
def test_of_two_pages_at_once_one_does_it(engine_is: Put) -> None:
    cast = Cast()
    case = make_incident(now=REPORTED_AT)
    engine_is("worker_dead")
    by = cast.psc
    done = at_once(*[lambda: standin.stand_in(NOW, by)] * 2)
    assert sorted(d.is_run for d in done) == [False, True]
    assert Escalation.objects.filter(incident=case, kind=EscalationKind.OWNER_MOVED).count() == 1
