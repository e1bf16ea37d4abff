"""The database takes connections away in the middle of transactions, falls over and comes back: the loops go on."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import psycopg2  # type: ignore[import-untyped, unused-ignore]
import pytest
from django.db import connection

from incidents.models import Quarantine
from tests import services
from tests.chaos.counts import Counts
from tests.chaos.stage import SCALE, Stage
from tests.conftest import COULD_NOT_RUN

Report = Callable[[str, Counts], None]
#: SQLite is a file: it has no server that could take a connection away.
pytestmark = pytest.mark.skipif(
    os.environ.get("TEST_DATABASE", "sqlite") != "postgres", reason="SQLite has no server to fail"
)


@contextlib.contextmanager
def _server() -> Iterator[psycopg2.extensions.cursor]:
    """The server's own database, outside the one that is tried."""
    s = connection.settings_dict
    there = psycopg2.connect(host=s["HOST"], port=s["PORT"], user=s["USER"], password=s["PASSWORD"], dbname="postgres")
    there.autocommit = True
    with contextlib.closing(there), there.cursor() as cursor:
        yield cursor


def _take_connections(stage: Stage, seconds: float) -> int:
    """End one backend at a time, of those in a transaction where there is one; how many."""
    taken, end = 0, time.monotonic() + seconds
    with _server() as cursor:
        while time.monotonic() < end:
            time.sleep(stage.draw.uniform(0.02, 0.1))
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                " AND xact_start IS NOT NULL AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1",
                [connection.settings_dict["NAME"]],
            )
            taken += len(cursor.fetchall())
    return taken


def test_connections_are_taken_in_the_middle_of_transactions(stage: Stage, report_counts: Report) -> None:
    stage.seed(150)
    connection.close()
    stage.start_engines(4)
    stage.start_people(3)
    stage.kills = _take_connections(stage, 5 * SCALE)
    assert all(stage.is_alive(child) for child in stage.children), stage.logs()
    counts = stage.count()
    report_counts("pg_terminate_backend", counts)
    assert counts.kills >= 20
    assert counts.fired > counts.cases / 2, stage.logs()
    # A connection that went is no fault of the case: it does not wait in quarantine for it.
    assert list(Quarantine.objects.values_list("error", flat=True)) == []


def test_the_server_falls_over_and_is_restarted_while_people_act(stage: Stage, report_counts: Report) -> None:
    s = connection.settings_dict
    server = services.started.get(f"postgres://postgres@{s['HOST']}:{s['PORT']}/postgres")
    if server is None:
        pytest.skip(f"{COULD_NOT_RUN}a PostgreSQL of our own to restart (TEST_POSTGRES_URL names another's)")
    stage.seed(150)
    with _server() as cursor:
        # The test server keeps what it committed in memory for a moment; here a commit has to be one.
        cursor.execute(f"ALTER DATABASE {s['NAME']} SET synchronous_commit = on")
    connection.close()
    stage.start_engines(4)
    stage.start_people(3)
    for number in (signal.SIGQUIT, signal.SIGINT):
        time.sleep(1.5 * SCALE)
        server.restart(number, away=0.5)
        stage.kills += 1
    time.sleep(1.5 * SCALE)
    assert all(stage.is_alive(child) for child in stage.children), stage.logs()
    counts = stage.count()
    report_counts("PostgreSQL restarted", counts)
    assert counts.fired > counts.cases / 2, stage.logs()
    assert counts.acts_told > 10, stage.logs()
    assert list(Quarantine.objects.values_list("error", flat=True)) == []
