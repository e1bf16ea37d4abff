"""What time it is, for a tick: the database's clock, and how far this machine's own uptime agrees with it.

Read at the doors (tasks, commands, the page that stands in) and handed down. Several workers with skewed hosts so
agree, because they all ask one clock.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.utils import timezone

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """`now` by the database. `uptime`: seconds this machine has been up, which nobody can set, under the name `boot`.

    Two readings of one boot tell how much time truly passed between them, whatever was done to the clocks.
    """

    now: dt.datetime
    boot: str
    uptime: float


def read() -> Reading:
    """Ask both clocks; one query on PostgreSQL. SQLite has no clock of its own: there it is this machine's."""
    now = timezone.now()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Not now(): within a transaction that stands still.
            cursor.execute("SELECT clock_timestamp()")
            now = cursor.fetchone()[0]
    return Reading(now=now, boot=_boot(), uptime=_uptime())


def _boot() -> str:
    """A name of this start of the machine; where the system has none, of this process."""
    try:
        return _BOOT_ID.read_text().strip()[:36]
    except OSError:
        return f"process-{os.getpid()}"


def _uptime() -> float:
    # Unlike the monotonic clock this one counts the time a laptop slept.
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
