"""What machines hear: the probe with its reason, the numbers, and a sign of life after each round that succeeded."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from commands.models import Posting
from config.checks import heartbeat_address
from incidents import tasks
from incidents.escalation import engine, heartbeat
from incidents.management.rounds import Rounds
from incidents.models import ChannelState, EngineRun, Entry, Incident, Notice
from tests.cast import NOW, RELIEVED_AT, Cast
from tests.factories import make_incident

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
Put = Callable[[str], None]


@pytest.fixture
def moment() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


# ---- The probe and the numbers ----


@pytest.mark.parametrize("condition", ["beat_dead", "worker_dead", "broker_away", "failing", "held"])
def test_the_probe_answers_503_with_the_reason_in_words(
    condition: str, moment: None, client: Client, engine_is: Put
) -> None:
    engine_is(condition)
    answer = client.get("/health/engine")
    assert answer.status_code == 503
    assert answer.json()["reason"] == condition and answer.json()["says"] and answer.json()["do"]


def test_the_probe_answers_200_while_all_is_well(moment: None, client: Client, engine_is: Put) -> None:
    engine_is("ok")
    answer = client.get("/health/engine")
    assert (answer.status_code, answer.json()["state"], answer.json()["says"]) == (200, "ok", "")


def number(text: str, name: str) -> float:
    (line,) = [n for n in text.splitlines() if n.startswith(f"election_security_{name} ")]
    return float(line.split()[-1])


def test_the_numbers_say_what_is_wrong(moment: None, cast: Cast, client: Client, engine_is: Put) -> None:
    case = make_incident(now=NOW - MINUTE)
    case.clocks.update(fires_at=NOW - 10 * MINUTE)
    Incident.objects.filter(pk=case.pk).update(owner=cast.command("psc"), next_due_at=NOW - MINUTE)
    Notice.objects.exclude(channel="inbox").delete()
    Notice.objects.create(
        entry=Entry.objects.filter(incident=case).latest("pk"), incident=case, recipient=cast.psc, channel="email",
        kind="report", created_at=NOW, next_try_at=NOW - 3 * MINUTE,
    )  # fmt: skip
    ChannelState.objects.create(channel="sms", opened_at=NOW)
    EngineRun.objects.create(source="celery", host="a", started_at=NOW - MINUTE, finished_at=NOW, fired=4)
    engine_is("worker_dead")
    before = client.get("/metrics").content.decode()
    assert (number(before, "engine_up"), number(before, "engine_overdue")) == (0, case.clocks.count())
    assert number(before, 'engine_alarm{reason="worker_dead"}') == 1
    assert number(before, 'engine_alarm{reason="beat_dead"}') == 0
    assert number(before, "engine_oldest_due_seconds") == 600
    assert number(before, "cases_exhausted") == 1
    assert number(before, 'outbox_age_seconds{channel="email"}') == 180
    assert number(before, 'channel_stopped{channel="sms"}') == 1
    assert (number(before, 'engine_runs{source="celery"}'), number(before, "engine_fired")) == (1, 4)
    empty = number(before, "commands_unattended")
    Posting.objects.filter(command=cast.command("provincial")).update(ends_at=RELIEVED_AT + dt.timedelta(days=1))
    assert number(client.get("/metrics").content.decode(), "commands_unattended") == empty + 1


# ---- The sign of life ----


class Listener:
    """A server that notes what it hears; it can answer with a fault or not at all."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 200
        self.hangs = threading.Event()
        self.released = threading.Event()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.heard.append(self.path)
                if listener.hangs.is_set():
                    listener.released.wait(20)
                self.send_response(listener.status)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ping/secret"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def listener(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    heartbeat.wait()
    found = Listener()
    settings.HEARTBEAT_URL = found.url
    yield found
    found.released.set()
    found.server.shutdown()
    heartbeat.wait()


def test_a_round_that_succeeded_is_heard_outside(listener: Listener) -> None:
    tasks.escalation_tick()
    heartbeat.wait()
    assert listener.heard == ["/ping/secret"]
    call_command("escalate", once=True, stdout=StringIO())
    assert len(listener.heard) == 2, "a command of one round lets the sign out before it ends"


def test_a_round_that_broke_off_is_not(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(engine, "tick", broken)
    with pytest.raises(OperationalError):
        tasks.escalation_tick()
    assert not heartbeat.beat(EngineRun(started_at=NOW, finished_at=NOW, error="the clock went back"))
    assert heartbeat.beat(EngineRun(started_at=NOW, finished_at=NOW, error="one case", quarantined=1))
    heartbeat.wait()
    assert listener.heard == ["/ping/secret"]


def test_a_listener_that_fails_or_hangs_delays_no_round(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(heartbeat, "LIMIT_SECONDS", 0.5)
    listener.status = 500
    tasks.escalation_tick()
    heartbeat.wait()
    assert "No heartbeat to 127.0.0.1" in caplog.text and "secret" not in caplog.text
    listener.hangs.set()
    tasks.escalation_tick()
    # The round is over while the sign is still under way; the next round does not send a second one.
    assert heartbeat._under_way is not None and heartbeat._under_way.is_alive()
    assert not heartbeat.beat(EngineRun(started_at=NOW, finished_at=NOW))


def test_nothing_is_sent_where_no_listener_is_named(settings: Settings) -> None:
    settings.HEARTBEAT_URL = ""
    assert not heartbeat.beat(EngineRun(started_at=NOW, finished_at=NOW))


@pytest.mark.parametrize(
    ("url", "ids"), [("", []), ("https://hc.example.org/x", []), ("hc.example.org", ["engine.E002"])]
)
def test_a_wrong_address_is_refused_at_start(url: str, ids: list[str], settings: Settings) -> None:
    settings.HEARTBEAT_URL = url
    assert [found.id for found in heartbeat_address(None)] == ids


# ---- Commands ----


class Three(Rounds):
    """Three rounds, the second with the database away."""

    def __init__(self) -> None:
        super().__init__(stdout=StringIO(), stderr=StringIO())
        self.rounds = 0

    def round(self, *, once: bool) -> None:
        self.rounds += 1
        if self.rounds == 2:
            raise OperationalError("the database is away")
        if self.rounds == 3:
            raise KeyboardInterrupt


def test_a_loop_outlives_a_database_that_is_away() -> None:
    loop = Three()
    with pytest.raises(KeyboardInterrupt):
        call_command(loop, loop=True, every=0.0)
    assert loop.rounds == 3 and "no round: OperationalError" in loop.stderr.getvalue()


def test_one_round_tells_of_a_database_that_is_away() -> None:
    loop = Three()
    loop.rounds = 1
    with pytest.raises(OperationalError):
        call_command(loop, once=True)


def test_the_watchdog_as_a_command_fails_while_the_alarm_stands(moment: None, engine_is: Put) -> None:
    engine_is("held")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("watchdog", once=True, stdout=out)
    assert "held (held)" in out.getvalue()
    engine_is("ok")
