"""Run inside a benchmark database: makes sessions and tokens, picks places and cursors; prints them as JSON."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

import django

#: Whose pages are measured, beside commanders of provinces: whole country with and without the details.
READERS = ("demo-nec-secretariat", "demo-psc-watch", "demo-ministry-analyst")
COMMANDERS = 3
REPORTERS = 40


def main() -> None:
    django.setup()
    from incidents.demo.people import make_accounts, make_demo_province

    make_demo_province()
    make_accounts()
    _floor_table()
    provinces = _busiest_provinces()
    reporters = _reporters()
    people = {name: _signed_in(name) for name in [*READERS, *(f"province-{p.lower()}" for p in provinces), *reporters]}
    json.dump(
        {
            "people": people,
            "readers": [*READERS, *(f"province-{p.lower()}" for p in provinces)],
            "reporters": reporters,
            "provinces": provinces,
            "election": _election(),
            "cursors": _cursors(),
            "boxes": _boxes(provinces),
        },
        sys.stdout,
    )


def _floor_table() -> None:
    from django.db import connection

    from benchmarks.floor.models import TABLE

    is_postgres = connection.vendor == "postgresql"
    kinds = ("bigserial PRIMARY KEY", "timestamptz") if is_postgres else ("integer PRIMARY KEY", "datetime")
    with connection.cursor() as cursor:
        cursor.execute(TABLE.format(serial=kinds[0], moment=kinds[1]))


def _busiest_provinces() -> list[str]:
    from django.db.models import Count

    from incidents.models import Incident

    rows = Incident._base_manager.values_list("province_code").annotate(n=Count("*")).order_by("-n")
    return [code for code, _n in rows[:COMMANDERS]]


def _reporters() -> dict[str, dict[str, str]]:
    """Officers of districts all over the country, each with a commune of theirs."""
    from commands.choices import Role
    from commands.models import Posting
    from elections.models import Jurisdiction

    officers = Posting.objects.filter(role=Role.OFFICER, ends_at=None, user__username__startswith="officer-kh")
    found: dict[str, dict[str, str]] = {}
    for posting in officers.select_related("command", "user").order_by("command__code")[:: max(1, 200 // REPORTERS)]:
        district = posting.command.jurisdiction_id
        commune = Jurisdiction.objects.filter(parent=district, level="commune").order_by("pcode").first()
        if commune:
            found[posting.user.username] = {
                "province": district[:4], "district": district, "commune": commune.pcode,
            }  # fmt: skip
    return found


def _signed_in(username: str) -> dict[str, str]:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.utils import timezone

    from commands.models import ApiToken, User

    person = User.objects.get(username=username)
    session: Any = import_module("django.contrib.sessions.backends.db").SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    secret = ApiToken.new_secret()
    ApiToken.objects.create(
        user=person, name="benchmark", digest=ApiToken.digest_of(secret), hint=secret[:8], created_at=timezone.now()
    )
    return {"session": session.session_key, "token": secret, "language": "en"}


def _election() -> str:
    from django.utils import timezone

    from elections.models import Election

    election = Election.objects.default_for(timezone.now())
    assert election is not None
    return election.code


def _cursors() -> dict[str, str]:
    """Where a page half way down begins: of the API's list, of the page's list of all cases, and of the queue."""
    import base64

    from incidents.models import Incident
    from incidents.views.rows import _cursor

    newest = Incident._base_manager.order_by("-reported_at", "-id")
    queue = Incident._base_manager.filter(next_due_at__isnull=False).order_by("next_due_at", "id")
    deep, waiting = newest[newest.count() // 2], queue[queue.count() // 2]
    key = json.dumps([0, deep.reported_at.isoformat(), str(deep.pk)])
    return {
        "api": base64.urlsafe_b64encode(key.encode()).decode().rstrip("="),
        "list": _cursor(deep, by_deadline=False),
        "queue": _cursor(waiting, by_deadline=True),
    }


def _boxes(provinces: list[str]) -> list[tuple[str, int]]:
    """Views of a map as (west,south,east,north; zoom): the country, provinces, and a town's width."""
    from elections import geometry

    boxes = [("102.2,10.3,107.7,14.8", 7)]
    for province in provinces:
        found = geometry.bounds(province)
        assert found is not None
        west, south, east, north = found
        boxes.append((f"{west:.4f},{south:.4f},{east:.4f},{north:.4f}", 9))
        lat, lon = geometry.label_point(province) or ((south + north) / 2, (west + east) / 2)
        boxes.append((f"{lon - 0.1:.4f},{lat - 0.06:.4f},{lon + 0.1:.4f},{lat + 0.06:.4f}", 12))
    return boxes


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
