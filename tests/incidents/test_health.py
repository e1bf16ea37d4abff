"""What machines ask is answered without signing in, and says no more than a machine needs."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.models import Clock
from tests.cast import NOW

pytestmark = pytest.mark.django_db


def test_the_process_says_it_is_alive(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


def test_it_is_ready_when_database_and_broker_are_there(client: Client, settings: Settings) -> None:
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(settings.VAR_DIR)}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_it_is_not_ready_when_the_broker_is_gone(client: Client, settings: Settings) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": "/nowhere"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": "ok", "migrations": "ok", "broker": "folder not writable"}


def test_metrics_are_for_this_machine_or_whoever_has_the_token(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 404
    assert client.get("/metrics", headers={"x-forwarded-for": "10.0.0.7"}).status_code == 404
    settings.METRICS_TOKEN = "collector"
    assert client.get("/metrics").status_code == 404
    answer = client.get("/metrics", headers={"authorization": "Bearer collector"})
    assert b"election_security_clocks_overdue 0.0" in answer.content


def test_a_stranger_is_not_told_how_many_deadlines_wait(client: Client, settings: Settings, make_sealed: Any) -> None:
    """The number counts sealed cases: asked again and again it would say when one came in."""
    make_sealed()
    Clock.objects.filter(state="running").update(fires_at=NOW - dt.timedelta(days=2000))
    settings.METRICS_TOKEN = "collector"
    answer = client.get("/health/engine")
    assert answer.status_code == 503
    assert set(answer.json()) == {"state", "last_ok_at", "reason", "says", "do"} and answer.json()["state"] == "late"
    told = client.get("/health/engine", headers={"authorization": "Bearer collector"}).json()
    assert told["overdue"] > 0 and told["oldest_due_at"]
