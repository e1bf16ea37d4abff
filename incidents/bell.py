"""The doorbell: a word to a worker that something waits in the database, so that it need not wait for the next tick."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial

from celery import current_app
from django.db import transaction

log = logging.getLogger(__name__)

#: After a ring that nobody heard the bell rests for a tick, or a silent broker would gather threads that wait for it.
_RESTS_SECONDS = 15.0
_rests_until: list[float] = [0.0]
#: Rings under way at once in a process: who comes while so many are not heard yet adds nothing to them.
_under_way = threading.BoundedSemaphore(2)


def wake(task: str) -> None:
    """Ring the doorbell, and do not wait until somebody hears it: a broker may take its time limits to be silent."""
    if time.monotonic() >= _rests_until[0] and _under_way.acquire(blocking=False):
        threading.Thread(target=_ring, args=(task,), name="doorbell", daemon=True).start()


def wake_after(task: str) -> None:
    """Ring it when the transaction under way is written; not at all where it is undone."""
    transaction.on_commit(partial(wake, task), robust=True)


def _ring(task: str) -> None:
    """A lost ring costs one tick, so a broker that is away is only logged."""
    try:
        current_app.send_task(task, retry=False)
    except Exception as fault:  # the act is committed; no fault of a broker may turn it into an error page
        _rests_until[0] = time.monotonic() + _RESTS_SECONDS
        log.warning("Could not wake %s: %s", task, fault)
    finally:
        _under_way.release()
