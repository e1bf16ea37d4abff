"""Drive the engine by hand, from cron or from systemd: the same code as Celery's, with broker and beat dead."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connection
from django.utils import timezone

from incidents.escalation import engine, rehearsal


class Command(BaseCommand):
    help = "Fire every escalation step that is due, once or for ever."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--once", action="store_true")
        how.add_argument("--loop", action="store_true")
        parser.add_argument("--every", type=float, default=15, help="seconds between ticks of --loop")

    def handle(self, *args: Any, **options: Any) -> None:
        # What a person asked for is kept in the engine's runs even where nothing was due.
        self.source = "cli" if options["once"] else "loop"
        while True:
            try:
                self._tick()
            except Error as fault:
                if options["once"]:
                    raise
                # The database is away, or took the connection: what was under way is undone, and the next tick does it.
                self.stderr.write(f"no tick: {type(fault).__name__}: {fault}")
                connection.close()
            if options["once"]:
                return
            time.sleep(options["every"])

    def _tick(self) -> None:
        run = engine.tick_now(self.source)
        self.stdout.write(f"claimed {run.claimed}, fired {run.fired}, quarantined {run.quarantined}")
        # After the cases: a drill waits for them, never they for it.
        if called := rehearsal.advance(timezone.now()):
            self.stdout.write(f"called in drills: {called}")
