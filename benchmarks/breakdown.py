"""Run inside a benchmark database: how many queries one report makes and how long they take; prints JSON.

With --list it prints each query of the last report by the form instead, with its milliseconds.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django

REPEATS = 60


class Watch:
    """Collects every statement with its seconds."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, float]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.statements.append((sql, time.perf_counter() - begun))


def main() -> None:
    django.setup()
    from django.test import Client

    from benchmarks.log import filled_form, report_of
    from commands.models import User

    posting = _an_officer()
    place = {"province": posting[1][:4], "district": posting[1], "commune": posting[2]}
    person = User.objects.get(username=posting[0])
    browser = Client(headers={"host": "localhost"})
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    token = _token(person)
    system = Client(headers={"host": "localhost", "authorization": f"Bearer {token}"})
    told = {
        "form": _watched(lambda: browser.post("/incidents/new/", filled_form(place))),
        "API": _watched(lambda: system.post("/api/v1/incidents/", report_of(place), content_type="application/json")),
    }
    if "--list" in sys.argv:
        for part in told.values():
            for sql, seconds in part["statements"]:
                print(f"{seconds * 1000:6.2f}  {sql[:220]}")
            print()
        return
    for part in told.values():
        del part["statements"]
    json.dump(told, sys.stdout)


def _an_officer() -> tuple[str, str, str]:
    from commands.choices import Role
    from commands.models import Posting
    from elections.models import Jurisdiction

    officers = Posting.objects.filter(role=Role.OFFICER, user__username__startswith="officer-kh")
    posting = officers.select_related("user", "command").earliest("pk")
    district = posting.command.jurisdiction_id
    commune = Jurisdiction.objects.filter(parent=district, level="commune").earliest("pcode")
    return posting.user.username, district, commune.pcode


def _token(person: Any) -> str:
    from django.utils import timezone

    from commands.models import ApiToken

    secret = ApiToken.new_secret()
    ApiToken.objects.create(
        user=person, name="breakdown", digest=ApiToken.digest_of(secret), hint=secret[:8], created_at=timezone.now()
    )
    return secret


def _watched(call: Callable[[], Any]) -> dict[str, Any]:
    """Medians of REPEATS calls: milliseconds of the whole and of its queries, and the number of queries."""
    from django.db import connection

    whole, inside, watch = [], [], Watch()
    for _number in range(REPEATS):
        watch = Watch()
        with connection.execute_wrapper(watch):
            begun = time.perf_counter()
            answer = call()
            whole.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code in (201, 302), answer.content[:500]
        inside.append(sum(seconds for _sql, seconds in watch.statements) * 1000)
    return {
        "ms": statistics.median(whole),
        "database_ms": statistics.median(inside),
        "queries": len(watch.statements),
        "statements": watch.statements,
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
