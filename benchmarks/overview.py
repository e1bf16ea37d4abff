"""What reads the whole country at once: the board of what goes up next, the week's summary, the audit of escalation."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from benchmarks.measure import Row
from benchmarks.stage import Stage, say

COPY = "bench_overview"
#: The summary of a week is there within (domain 10).
WEEK_SECONDS = 10


def measure(stage: Stage, incidents: int) -> list[Row]:
    """Seconds, in one process and without HTTP, of the first look with an empty cache: nobody drew it before."""
    return look(stage, stage.database(incidents), f"{incidents:,} cases")


def look(stage: Stage, database: str, what: str) -> list[Row]:
    """The same of a database by name, on a copy of it, because whoever signs in leaves a session there."""
    say(f"board, week and audit of {database}")
    stage.sql(f"DROP DATABASE IF EXISTS {COPY}")
    stage.sql(f"CREATE DATABASE {COPY} TEMPLATE {database} STRATEGY FILE_COPY")
    try:
        told = json.loads(stage.run("-m", "benchmarks.overview", database=COPY, DEMO="1", HASHED_STATIC="0"))
    finally:
        stage.sql(f"DROP DATABASE {COPY} WITH (FORCE)")
    return [
        Row(
            what=f"Weekly summary, {what}",
            value=f"{told['week']['seconds']:.2f} s, {told['week']['queries']} queries",
            goal="10 s",
            is_met=told["week"]["seconds"] <= WEEK_SECONDS,
        ),
        Row(
            what=f"Board of what goes up next, {what}, {told['open']:,} of them open",
            value=f"{told['board']['seconds']:.2f} s, {told['board']['queries']} queries",
        ),
        Row(
            what=f"check_escalation, {what}, {told['clocks']:,} clocks",
            value=f"{told['audit']:.1f} s, {told['findings']} kinds of broken state",
        ),
    ]


def _figures() -> dict[str, Any]:
    from django.core.cache import cache
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from benchmarks.breakdown import Watch
    from commands.models import User
    from incidents.demo.people import make_accounts, make_demo_province
    from incidents.escalation.audit import audit
    from incidents.models import Clock, Incident

    make_demo_province()
    make_accounts()

    def seen(username: str, address: str) -> dict[str, Any]:
        from django.db import connection

        client = Client(SERVER_NAME="localhost")
        client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
        # The first page of a process reads its templates.
        assert client.get(reverse("start")).status_code == 200
        cache.clear()
        watch = Watch()
        with connection.execute_wrapper(watch):
            begun = time.perf_counter()
            answer = client.get(address)
            seconds = time.perf_counter() - begun
        assert answer.status_code == 200, answer.status_code
        return {"seconds": seconds, "queries": len(watch.statements)}

    told = {
        "week": seen("demo-ministry-analyst", reverse("reports:weekly")),
        "board": seen("demo-psc-watch", reverse("escalation:board")),
    }
    begun = time.perf_counter()
    findings = audit(timezone.now())
    return told | {
        "audit": time.perf_counter() - begun,
        "findings": len(findings),
        "open": Incident._base_manager.exclude(next_due_at=None).count(),
        "clocks": Clock.objects.count(),
    }


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    json.dump(_figures(), sys.stdout)
