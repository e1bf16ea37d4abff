"""What the commands of the engine share: one round, or round after round until somebody stops it."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connection


class Rounds(BaseCommand):
    """`--once` or `--loop`; a command says in `round` what one is."""

    #: Seconds from the beginning of one round to that of the next.
    every = 15.0

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--once", action="store_true", help="one round")
        how.add_argument("--loop", action="store_true", help="round after round, until stopped")
        parser.add_argument(
            "--every", type=float, default=self.every, help=f"seconds between rounds of --loop (default {self.every:g})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if options["once"]:
            self.round(once=True)
            return
        if threading.current_thread() is threading.main_thread():
            # A round under way is finished: systemd and docker wait for it.
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
        while not stop.is_set():
            began = time.monotonic()
            try:
                self.round(once=False)
            except Error as fault:
                # The database is away, or took the connection: what was under way is undone, the next round does it.
                self.stderr.write(f"no round: {type(fault).__name__}: {fault}")
                connection.close()
            stop.wait(max(0.0, options["every"] - (time.monotonic() - began)))

    def round(self, *, once: bool) -> None:
        """Do the work of one round. With `once` a SystemExit may say how it went."""
        raise NotImplementedError
