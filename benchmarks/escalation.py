"""The engine against a floor of the same run: 100,000 cases whose time is over, of a million that are open.

Every one of them moves up: journal entry, escalation, custody, a new clock, the old one stopped, the case itself, and
the inbox of everybody told. The floor writes the very same rows with one statement for 5,000 cases, decided by nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import overview
from benchmarks.measure import Row, shown
from benchmarks.stage import BASE, ROOT, Stage, say

#: Of the open cases so many are due.
DUE_SHARE = 0.1
FLOOR_BATCH = 5_000
WORKERS = 4
IDLE = 30
#: SQLite is for one province: it is measured at this size.
SQLITE_CASES = 20_000
COPY = "bench_escalation"


def measure(stage: Stage, incidents: int) -> list[Row]:
    """Escalations a second, as ratios to the floor; milliseconds of a tick that finds nothing."""
    database = _open_cases(stage, incidents)
    due = round(incidents * DUE_SHARE)
    idle = _on_copy(stage, database, "idle")
    floor = _on_copy(stage, database, "floor")
    one = _on_copy(stage, database, "sweep")
    four = _on_copy(stage, database, "sweep", workers=WORKERS)
    small = _sqlite(stage)
    is_whole = incidents >= 1_000_000
    return [
        Row(
            what=f"Floor: one statement for {FLOOR_BATCH:,} cases, {due:,} due of {incidents:,} open",
            value=f"{shown(floor['rate'])} escalations a second",
        ),
        Row(
            what="The engine, one worker, the same rows",
            value=f"{shown(one['rate'])} escalations a second",
            against="one statement",
            base=f"{shown(floor['rate'])} a second",
            ratio=one["rate"] / floor["rate"],
            goal="at least 0.3 x",
            is_met=one["rate"] >= 0.3 * floor["rate"] if is_whole else None,
        ),
        Row(
            what="The engine, one worker, whatever the floor",
            value=f"{shown(one['rate'])} escalations a second",
            goal="10,000 a second",
            is_met=one["rate"] >= 10_000 if is_whole else None,
        ),
        Row(
            what=f"The engine, {WORKERS} workers",
            value=f"{shown(four['rate'])} escalations a second",
            against="one worker",
            base=f"{shown(one['rate'])} a second",
            ratio=four["rate"] / one["rate"],
            goal="at least 1.5 x",
            is_met=four["rate"] >= 1.5 * one["rate"] if is_whole else None,
        ),
        Row(
            what=f"A tick that finds nothing due among {idle['clocks']:,} running clocks",
            value=f"p50 {shown(idle['ms'])} ms, {idle['queries']} queries",
            goal="5 ms, 3 queries",
            is_met=idle["ms"] <= 5 and idle["queries"] <= 3 if is_whole else None,
        ),
        Row(
            what=f"The engine on SQLite, {round(SQLITE_CASES * DUE_SHARE):,} due of {SQLITE_CASES:,} open",
            value=f"{shown(small['rate'])} escalations a second",
        ),
        *overview.look(stage, database, f"{incidents:,} open cases"),
    ]


def _open_cases(stage: Stage, incidents: int) -> str:
    """A database with so many open cases of running clocks, made now unless the server has it."""
    name = f"bench_open_{incidents}"
    known = {row[0] for row in stage.sql("SELECT datname FROM pg_database")}
    if BASE not in known:
        say("making the tables and the country")
        stage._make(BASE, "template0", ["migrate"], ["load_reference"])
    if name not in known:
        say(f"filling a database with {incidents:,} open cases")
        stage.sql(f"DROP DATABASE IF EXISTS {name}_half")
        stage.sql(f"CREATE DATABASE {name}_half TEMPLATE {BASE}")
        stage.run("-m", "benchmarks.escalation", "fill", str(incidents), database=f"{name}_half", DEMO="1")
        stage.sql(f"ALTER DATABASE {name}_half RENAME TO {name}")
    return name


def _on_copy(stage: Stage, database: str, what: str, workers: int = 1) -> dict[str, Any]:
    """Measure on a copy, which is thrown away: each begins with the same rows."""
    say(f"{what}, {workers} worker(s)")
    stage.sql(f"DROP DATABASE IF EXISTS {COPY}")
    stage.sql(f"CREATE DATABASE {COPY} TEMPLATE {database} STRATEGY FILE_COPY")
    try:
        if workers == 1:
            told: dict[str, Any] = json.loads(stage.run("-m", "benchmarks.escalation", what, database=COPY))
            return told
        return _together(stage, what, workers)
    finally:
        stage.sql(f"DROP DATABASE {COPY} WITH (FORCE)")


def _together(stage: Stage, what: str, workers: int) -> dict[str, Any]:
    """Several processes that begin at one word; their sum over the time of the slowest."""
    command = [sys.executable, "-m", "benchmarks.escalation", what, "--wait"]
    environment = stage.environment(COPY, stage.redis_url)
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _worker in range(workers)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [json.loads(process.communicate()[0]) for process in running]
    seconds = max(t["seconds"] for t in told)
    fired = sum(t["fired"] for t in told)
    return {"rate": fired / seconds, "fired": fired, "seconds": seconds}


def _sqlite(stage: Stage) -> dict[str, Any]:
    name = "embedded_escalation"
    say("SQLite")
    for command in (["migrate"], ["load_reference"]):
        stage.run("manage.py", *command, "-v0", database=name, DEMO="1")
    stage.run("-m", "benchmarks.escalation", "fill", str(SQLITE_CASES), database=name, DEMO="1")
    told: dict[str, Any] = json.loads(stage.run("-m", "benchmarks.escalation", "sweep", database=name))
    return told


# ---- In a process of its own, with Django ----


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def fill(incidents: int) -> dict[str, Any]:
    """Reported cases that nobody has acknowledged, the clocks of all running, none due within a day."""
    from django.core.management import call_command

    from incidents.choices import State
    from incidents.demo import load

    _staff_the_top()
    later = (_now() + dt.timedelta(days=1)).timestamp()
    load.OPEN_SHARE = 2
    load._OPEN_STATES = [State.REPORTED] * 4
    # To write three million clocks and move them afterwards would take longer than all the rest.
    load._next_step = lambda anchor, deadline, now: (1, later)
    call_command("seed_load", incidents=incidents, verbosity=0)
    return {}


def _staff_the_top() -> None:
    """A watch officer and a secretary: what is made by the million staffs districts and provinces only."""
    from commands.models import Posting, SecurityCommand, User

    for kind, role in (("psc", "psc_watch"), ("nec", "nec_secretariat")):
        user = User.objects.create(username=f"bench-{kind}")
        command = SecurityCommand.objects.active().filter(kind=kind).order_by("path")[0]
        Posting.objects.create(user=user, role=role, command=command, starts_at=_now() - dt.timedelta(days=1))


def make_due() -> int:
    """Let every tenth case's time to acknowledge be over; how many that are."""
    from django.db import connection

    from incidents.models import Clock, EngineState

    EngineState.objects.update_or_create(pk=1, defaults={"last_ok_at": _now()})
    # At the top there is nowhere to move to.
    below = Clock.objects.filter(kind="acknowledge", incident__rung__lt=3).order_by("pk")
    due = list(below.values_list("pk", flat=True))[:: round(1 / DUE_SHARE)]
    at = _now() - dt.timedelta(minutes=1)
    with connection.cursor() as cursor:
        for start in range(0, len(due), 10_000):
            part = due[start : start + 10_000]
            marks = ", ".join(["%s"] * len(part))
            cursor.execute(f"UPDATE incidents_clock SET fires_at = %s WHERE id IN ({marks})", [at, *part])
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE incidents_clock")
            cursor.execute("CHECKPOINT")
    return len(due)


@contextlib.contextmanager
def _at_one_word(wait: bool) -> Iterator[None]:
    if wait:
        print("ready", flush=True)
        sys.stdin.readline()
    yield


def sweep(wait: bool = False) -> dict[str, Any]:
    """Ticks until nothing is due; the time of the work, without the making of what is due."""
    from incidents.escalation import engine
    from incidents.models import Clock, Escalation

    with _only_one() if wait else contextlib.nullcontext():
        if not Clock.objects.filter(fires_at__lt=_now(), state="running").exists():
            # An engine that runs has looked at the calendar within the hour: of a million open cases, a second.
            engine.tick(_now(), "bench")
            make_due()
    with _at_one_word(wait):
        begun = time.perf_counter()
        run = engine.tick(_now(), "bench", budget_seconds=3600)
        seconds = time.perf_counter() - begun
    assert not run.quarantined, run.error
    assert run.fired, "nothing was due: another worker was through before this one began"
    if not wait:
        assert Escalation.objects.filter(kind="owner_moved").count() == run.fired
    return {"fired": run.fired, "seconds": seconds, "rate": run.fired / seconds}


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1)")
        yield
        cursor.execute("SELECT pg_advisory_unlock(1)")


#: What stands above each command, and who is told at each: looked up before the floor begins.
_KNOWN = """
CREATE TEMP TABLE up AS
    SELECT low.id, high.id AS above, CASE high.kind WHEN 'province' THEN 2 ELSE 3 END AS rung
    FROM commands_securitycommand low JOIN commands_securitycommand high ON high.id = low.parent_id;
CREATE TEMP TABLE told AS
    SELECT p.command_id, p.user_id FROM commands_posting p JOIN commands_user u ON u.id = p.user_id
    WHERE p.ends_at IS NULL AND u.is_active
      AND p.role IN ('duty_commander', 'provincial_command', 'psc_watch', 'nec_secretariat', 'integrity');
CREATE UNIQUE INDEX ON up (id);
CREATE INDEX ON told (command_id);
ANALYZE up;
ANALYZE told;
"""
_FLOOR = """
WITH due AS (
    SELECT c.id, c.incident_id, c.episode, c.step, c.fires_at, c.target_minutes,
           i.owner_id, i.version, u.above, u.rung, i.severity
    FROM incidents_clock c JOIN incidents_incident i ON i.id = c.incident_id JOIN up u ON u.id = i.owner_id
    WHERE c.state = 'running' AND c.fires_at <= %(now)s
    ORDER BY c.fires_at, c.id LIMIT %(size)s FOR UPDATE OF i SKIP LOCKED
), stopped AS (
    UPDATE incidents_clock c SET state = 'cancelled', stopped_at = %(now)s FROM due WHERE c.id = due.id
    RETURNING due.*
), moved AS (
    UPDATE incidents_incident i
    SET owner_id = s.above, rung = s.rung, highest_rung = greatest(i.highest_rung, s.rung), is_accepted = false,
        next_due_at = s.fires_at + s.target_minutes * interval '1 minute', version = i.version + 1, updated_at = %(now)s
    FROM stopped s WHERE i.id = s.incident_id
    RETURNING s.*
), began AS (
    INSERT INTO incidents_clock (incident_id, kind, about, episode, step, anchor_at, target_minutes, deadline_at,
                                 fires_at, state, paused_seconds)
    SELECT incident_id, 'acknowledge', 0, episode + 1, 0, fires_at, target_minutes,
           fires_at + target_minutes * interval '1 minute', fires_at + target_minutes * interval '45 seconds',
           'running', 0
    FROM moved
), handed AS (
    INSERT INTO incidents_custody (incident_id, command_id, from_command_id, reason, due_at, at)
    SELECT incident_id, above, owner_id, 'acknowledge', fires_at, %(now)s FROM moved
), kept AS (
    INSERT INTO incidents_escalation (incident_id, clock, about, episode, step, part, kind, from_command_id,
                                      to_command_id, due_at, fired_at, run_id)
    SELECT incident_id, 'acknowledge', 0, episode, step, 0, 'owner_moved', owner_id, above, fires_at, %(now)s, %(run)s
    FROM moved
), entered AS (
    INSERT INTO incidents_entry (incident_id, act, at, channel, command_id, before, after, reason, note, version)
    SELECT incident_id, 'auto_escalate', %(now)s, 'engine', owner_id, jsonb_build_object('owner', owner_id),
           jsonb_build_object('clock', 'acknowledge', 'due_at', fires_at, 'owner', above), '', '', version + 1
    FROM moved
    RETURNING id, incident_id
), noticed AS (
    INSERT INTO incidents_notice (entry_id, incident_id, recipient_id, channel, kind, status, created_at, sent_at,
                                  attempts, last_error, provider_id)
    SELECT e.id, e.incident_id, t.user_id, 'inbox', CASE WHEN t.command_id = m.above THEN 'auto_escalate'
           ELSE 'moved_up' END, 'sent', %(now)s, %(now)s, 0, '', ''
    FROM entered e JOIN moved m ON m.incident_id = e.incident_id
    JOIN told t ON t.command_id IN (m.above, m.owner_id)
)
SELECT count(*) FROM moved
"""


def floor() -> dict[str, Any]:
    """The same rows by one statement for a batch, with nothing decided, checked, collapsed or kept apart."""
    from django.db import connection, transaction

    from incidents.models import EngineRun

    make_due()
    run = EngineRun.objects.create(source="bench", host="", started_at=_now())
    done = 0
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN)
        begun = time.perf_counter()
        while True:
            with transaction.atomic():
                cursor.execute(_FLOOR, {"now": _now(), "size": FLOOR_BATCH, "run": run.pk})
                moved = cursor.fetchone()[0]
            if not moved:
                break
            done += moved
        seconds = time.perf_counter() - begun
    return {"fired": done, "seconds": seconds, "rate": done / seconds}


def idle() -> dict[str, Any]:
    """Ticks that find nothing due."""
    from django.db import connection

    from benchmarks.breakdown import Watch
    from incidents.escalation import engine
    from incidents.models import Clock

    engine.tick(_now(), "bench")
    taken, watch = [], Watch()
    for _number in range(IDLE):
        watch = Watch()
        with connection.execute_wrapper(watch):
            begun = time.perf_counter()
            engine.tick(_now(), "bench")
            taken.append((time.perf_counter() - begun) * 1000)
    return {
        "clocks": Clock.objects.filter(state="running").count(),
        "ms": statistics.median(taken),
        "queries": len(watch.statements),
    }


if __name__ == "__main__":
    import django

    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["fill", "sweep", "floor", "idle"])
    parser.add_argument("incidents", type=int, nargs="?", default=0)
    parser.add_argument("--wait", action="store_true")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    told = (
        fill(asked.incidents)
        if asked.what == "fill"
        else sweep(asked.wait)
        if asked.what == "sweep"
        else {"floor": floor, "idle": idle}[asked.what]()
    )
    json.dump(told, sys.stdout)
