"""Whether anybody answers the doorbell: how many calls of the engine wait in the queue of the broker.

Asked only when the engine is late, because it is the one look of the watchdog that leaves the database.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from celery import current_app

QUEUE = "escalation"
#: A broker that takes longer counts as away; no page waits longer for it.
PATIENCE_SECONDS = 0.7
#: An answer is kept so long in each process.
KEEP_SECONDS = 5.0
_NOT_FOUND = "404"

_kept: tuple[float, int | None] | None = None


def waiting() -> int | None:
    """Calls of the engine that wait for a worker; None where the broker does not answer in time."""
    global _kept
    if _kept is None or time.monotonic() - _kept[0] > KEEP_SECONDS:
        _kept = (time.monotonic(), _asked())
    return _kept[1]


def forget() -> None:
    """Ask anew the next time: for tests, which change brokers."""
    global _kept
    _kept = None


def _asked() -> int | None:
    # In a thread, because the time limits of a transport add up (redis-py tries again for two seconds).
    answer: list[int] = []
    look = threading.Thread(target=_look, args=(answer,), daemon=True)
    look.start()
    look.join(PATIENCE_SECONDS)
    return answer[0] if answer else None


def _look(answer: list[int]) -> None:
    try:
        with current_app.connection_for_read() as broker:
            channel: Any = broker.channel()
            answer.append(channel.queue_declare(QUEUE, passive=True).message_count)
    except Exception as fault:  # whatever a transport raises: it did not answer, and that is the answer
        # Redis has no empty queues: one that is not there has nothing in it.
        if str(getattr(fault, "reply_code", "")) == _NOT_FOUND:
            answer.append(0)
