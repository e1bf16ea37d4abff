"""What machines ask: is the process alive, is it ready, is the engine on time, and numbers for Prometheus.

No answer here holds anything about a single case.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from incidents import gauges
from incidents.escalation import watchdog
from incidents.escalation.said import said


@login_not_required
@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 when this process can serve people, else 503 naming the part that is missing."""
    parts = {"database": _database(), "migrations": _migrations(), "broker": _broker()}
    is_ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"ready": is_ready, **parts}, status=200 if is_ready else 503)


@login_not_required
@require_safe
@never_cache
def engine(request: HttpRequest) -> JsonResponse:
    """200 while deadlines are watched on time, else 503; the state says how bad it is, the reason why.

    How many deadlines wait, since when, and that single ones fail, counts sealed cases too: that is for whoever may
    collect /metrics.
    """
    pulse, may_collect = watchdog.pulse(timezone.now()), _may_collect(request)
    if pulse.state == "set_aside" and not may_collect:
        # The engine is well, and the single case may be a sealed one.
        pulse = replace(pulse, state="ok", reason="")
    with translation.override("en"):
        words = said(pulse.reason)
    answer: dict[str, Any] = {
        "state": pulse.state,
        "last_ok_at": pulse.last_ok_at,
        "reason": pulse.reason,
        "says": words.what,
        "do": words.mend,
    }
    if may_collect:
        answer |= {"overdue": pulse.overdue, "oldest_due_at": pulse.oldest_due_at}
    return JsonResponse(answer, status=200 if pulse.state == "ok" else 503)


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Numbers about the system, to whoever has METRICS_TOKEN, or without one to this machine only."""
    if not _may_collect(request):
        raise Http404
    return HttpResponse(gauges.exposition(timezone.now()), content_type=gauges.CONTENT_TYPE)


def _may_collect(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        # Behind a proxy on this machine everybody seems to come from here.
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    return f"{len(behind)} to apply" if behind else "ok"


def _broker() -> str:
    if not settings.REDIS_URL:
        folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
        return "ok" if os.access(folder, os.W_OK) else "folder not writable"
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OSError, OperationalError):
        return "unreachable"
    return "ok"
