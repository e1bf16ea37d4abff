"""A sign of life to the outside after each round that succeeded: whoever stops hearing it raises the alarm.

In a thread of its own and with a time limit, so that no tick waits for the network; a fault of it is only logged.
"""

from __future__ import annotations

import logging
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from django.conf import settings

from incidents.models import EngineRun

log = logging.getLogger(__name__)

#: A listener that takes longer has not heard it.
LIMIT_SECONDS = 5.0
_under_way: threading.Thread | None = None


def beat(run: EngineRun) -> bool:
    """Send the sign for a round that succeeded; whether one was sent. While one is under way no second one is."""
    global _under_way
    if not settings.HEARTBEAT_URL or not succeeded(run) or (_under_way and _under_way.is_alive()):
        return False
    _under_way = threading.Thread(target=_ping, args=(settings.HEARTBEAT_URL,), daemon=True)
    _under_way.start()
    return True


def succeeded(run: EngineRun) -> bool:
    """Whether a round was whole: single cases set aside are no fault of the engine, and have an alarm of their own."""
    return run.finished_at is not None and (not run.error or run.quarantined > 0)


def wait() -> None:
    """Let a sign under way get out before the process ends."""
    if _under_way is not None:
        _under_way.join(LIMIT_SECONDS + 1)


def _ping(url: str) -> None:
    try:
        asked = urllib.request.Request(url, headers={"User-Agent": "election-security-incidents"})  # noqa: S310  checked
        with urllib.request.urlopen(asked, timeout=LIMIT_SECONDS) as answer:  # noqa: S310
            answer.read(1000)
    except (OSError, ValueError, urllib.error.URLError) as fault:
        # Without the path: in it stands the secret of most such services.
        log.warning("No heartbeat to %s: %s", urlsplit(url).hostname, fault)
