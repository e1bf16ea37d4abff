"""Redis is not there for the whole run: people's writes succeed at once, and `escalate --loop` does all the work."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import connection
from django.utils import timezone

from commands import actions as accounts
from incidents.models import Incident
from tests import services
from tests.cast import COMMUNE, Cast
from tests.chaos.counts import Counts
from tests.chaos.stage import ROOT, Stage
from tests.journeys.system import Person, now_text

Report = Callable[[str, Counts], None]
#: Reports, each acknowledged as well.
REPORTS = 8


@contextmanager
def _redis_that(how: str) -> Iterator[tuple[str, list[socket.socket]]]:
    """The address of a Redis that refuses every connection, or takes it and never says a word; who connected."""
    callers: list[socket.socket] = []
    if how == "refuses":
        yield f"redis://127.0.0.1:{services.free_port()}/0", callers
        return
    with socket.create_server(("127.0.0.1", 0)) as deaf:

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    callers.append(deaf.accept()[0])

        threading.Thread(target=listen, daemon=True).start()
        yield f"redis://127.0.0.1:{deaf.getsockname()[1]}/0", callers
        deaf.shutdown(socket.SHUT_RDWR)
        for caller in callers:
            caller.close()


@dataclass
class Web:
    """The web server of the stage, and how long each request of a person took."""

    address: str
    seconds: list[float]

    def person(self, name: str) -> Person:
        _token, secret = accounts.create_token(getattr(Cast(), name), name="chaos", now=timezone.now(), expires_at=None)
        return Person(cast(Any, SimpleNamespace(address=self.address)), secret)

    def timed(self, what: Callable[[], Any]) -> Any:
        begun = time.monotonic()
        answer = what()
        self.seconds.append(time.monotonic() - begun)
        return answer


@contextmanager
def _web(stage: Stage) -> Iterator[Web]:
    port = services.free_port()
    command = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "1", "--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
    with (stage.folder / "web.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=stage.env, stdout=log, stderr=log, start_new_session=True)
    try:
        services.wait_for(lambda: services.answers(port), seconds=30, what="the web server", process=server)
        yield Web(f"http://127.0.0.1:{port}", [])
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(5)


@pytest.mark.parametrize("how", ["refuses", "never answers"])
def test_writes_succeed_at_once_and_the_loop_escalates(
    open_stage: Callable[..., Stage], report_counts: Report, how: str
) -> None:
    with _redis_that(how) as (redis, callers):
        stage = open_stage(REDIS_URL=redis, HTTPS="0", ALLOWED_HOSTS="127.0.0.1")
        stage.seed(40)
        connection.close()
        stage.start_engines(2)
        reported = []
        with _web(stage) as web:
            officer, commander = web.person("officer"), web.person("duty_commander")
            for number in range(REPORTS):
                body = {"id": str(uuid.uuid4()), "occurred_at": now_text(), "category": "CRM-06", "place": COMMUNE}
                body["narrative"] = f"A motorbike was taken from the market, stall {number}."
                answer = web.timed(partial(officer.post, "incidents/", body))
                assert answer.status == 201, (answer.body, stage.logs())
                reported.append(answer.body)
            for case in reported:
                answer = web.timed(partial(commander.act_blind, case, "acknowledge"))
                assert answer.status == 200, (answer.body, stage.logs())
        counts = stage.count()
        median, slowest = sorted(web.seconds)[REPORTS], max(web.seconds)
        report_counts(f"Redis {how}, writes in {median * 1000:.0f} ms, the slowest {slowest:.1f} s", counts)
        # Who was not answered does not ask again at once: that one waited, and the others did not.
        assert len(callers) < 2 * REPORTS, f"{len(callers)} connections for {2 * REPORTS} writes"
        assert Incident.objects.filter(pk__in=[c["id"] for c in reported], state="acknowledged").count() == REPORTS
        assert counts.fired > 20, stage.logs()
