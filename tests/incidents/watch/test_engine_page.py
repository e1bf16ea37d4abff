"""The engine's page: what it does, what it set aside, what it holds back, for whoever looks after it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from incidents.choices import Act
from incidents.escalation import engine
from incidents.models import Clock, EngineRun, EngineState, Entry, Outage, Quarantine
from tests.cast import NOW, ROLES, Cast
from tests.factories import make_incident, make_sealed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

HOUR = dt.timedelta(hours=1)
KEEPERS = {"psc", "nec", "nec_second", "administrator", "auditor"}
Sign = Callable[..., Client]
Put = Callable[[str], None]


def page(client: Client, name: str = "engine") -> str:
    answer = client.get(reverse(f"escalation:{name}"))
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def set_aside(case_of: Clock) -> Quarantine:
    return Quarantine.objects.create(clock=case_of, next_try_at=NOW + HOUR, attempts=3, error="IntegrityError: a row")


@pytest.mark.parametrize(
    ("condition", "officers", "machines"),
    [
        ("ok", "Yes, on time.", "Yes, on time."),
        ("worker_dead", "has not run by itself for 7 min. Cases may be late.", "Start the worker of the queue"),
        ("failing", "has not run by itself for 7 min. Cases may be late.", "breaks off with a fault"),
        ("held", "Look at what is held", "Check the clock of the machine."),
    ],
)
def test_it_says_whether_it_runs_and_what_to_do(
    condition: str, officers: str, machines: str, cast: Cast, signed_in: Sign, engine_is: Put
) -> None:
    engine_is(condition)
    watch, administrator = page(signed_in(cast.psc)), page(signed_in(cast.administrator))
    assert officers in watch and machines in administrator
    if condition != "ok":
        assert machines not in watch and "technical desk" in watch


def test_only_who_looks_after_it_sees_it(cast: Cast, signed_in: Sign) -> None:
    for name in ROLES:
        client = signed_in(getattr(cast, name))
        assert client.get(reverse("escalation:engine")).status_code == (200 if name in KEEPERS else 404), name
        may_release = name in {"psc", "nec", "nec_second"}
        assert client.get(reverse("escalation:held")).status_code == (200 if may_release else 404), name


def test_a_round_that_moved_only_a_sealed_case_is_not_there_for_who_may_not_know(cast: Cast, signed_in: Sign) -> None:
    make_sealed(now=NOW - 30 * HOUR)
    run = engine.tick(NOW, "celery")
    assert run.fired and EngineRun.objects.filter(pk=run.pk).exists()
    assert "None in the last seven days." in page(signed_in(cast.psc))
    assert f"Steps:</span> {run.fired}</td>" in page(signed_in(cast.administrator))
    make_incident(now=NOW - 13 * HOUR)
    seen = engine.tick(NOW, "celery")
    assert f"Steps:</span> {seen.fired}</td>" in page(signed_in(cast.psc))


def test_what_was_set_aside_is_named_to_who_sees_the_case_and_tried_again(cast: Cast, signed_in: Sign) -> None:
    case, sealed = make_incident(now=NOW), make_sealed(now=NOW)
    row, hidden = set_aside(case.clocks.all()[0]), set_aside(sealed.clocks.all()[0])
    psc = signed_in(cast.psc)
    assert case.reference in page(psc) and sealed.reference not in page(psc)
    administrator = page(signed_in(cast.administrator))
    assert case.reference not in administrator and administrator.count("IntegrityError") == 2
    assert "IntegrityError" not in page(psc), "the words of a fault are for who runs the machines"
    answer = psc.post(reverse("escalation:try_again", args=[row.pk]))
    assert answer.headers["Location"] == reverse("escalation:engine")
    row.refresh_from_db()
    assert row.next_try_at == NOW
    entry = Entry.objects.latest("pk")
    assert (entry.act, entry.by, entry.after["what"]) == (Act.ENGINE, cast.psc, "try_again")
    assert psc.post(reverse("escalation:try_again", args=[hidden.pk])).status_code == 404
    assert signed_in(cast.auditor).post(reverse("escalation:try_again", args=[row.pk])).status_code == 404


def test_times_it_was_away_and_phases_to_come_are_listed(cast: Cast, signed_in: Sign) -> None:
    Outage.objects.create(started_at=NOW - 6 * HOUR, ended_at=NOW - 4 * HOUR, cases=12, steps=20)
    seen = page(signed_in(cast.administrator))
    assert "12 cases moved late" in seen and "2 h" in seen
    assert "12 cases moved late" not in page(signed_in(cast.psc)), "the number counts sealed cases"
    assert "Polling" in seen


# ---- Held ----


@pytest.fixture
def held(cast: Cast, engine_is: Put) -> None:
    engine_is("held")


def test_before_letting_go_one_sees_what_would_happen(held: None, cast: Cast, signed_in: Sign) -> None:
    case, sealed = make_incident(now=NOW - 13 * HOUR), make_sealed(now=NOW - 30 * HOUR)
    seen = page(signed_in(cast.psc), "held")
    assert case.reference in seen and f"then: {cast.command('provincial').name_en} owns it" in seen
    words = re.sub(r"<[^>]*>", " ", seen.split("<main")[1]).split()
    assert sealed.reference not in seen and "80" not in words, "how many are held counts sealed cases"
    assert "25 May 2027, 08:00" in seen


def test_letting_go_needs_a_reason_and_is_in_the_journal(held: None, cast: Cast, signed_in: Sign) -> None:
    client, url = signed_in(cast.nec), reverse("escalation:held")
    refused = client.post(url, {"reason": "  "})
    assert refused.status_code == 400 and "Say why, in a few words." in refused.content.decode()
    assert EngineState.objects.get().held_at is not None
    answer = client.post(url, {"reason": "Checked by telephone."}, follow=True)
    assert "Released." in answer.content.decode()
    assert EngineState.objects.get().held_at is None
    entry = Entry.objects.latest("pk")
    assert (entry.act, entry.by, entry.reason) == (Act.ENGINE, cast.nec, "Checked by telephone.")
    again = client.post(url, {"reason": "Twice."})
    assert again.status_code == 400 and "Nothing is held back" in again.content.decode()


def test_with_nothing_held_it_says_so(cast: Cast, signed_in: Sign) -> None:
    assert "Nothing is held back" in page(signed_in(cast.psc), "held")
