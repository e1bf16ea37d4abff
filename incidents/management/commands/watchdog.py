"""The auditor of deadlines, a process of its own: it reads the database only, so it speaks when all else is down."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections
from django.db.utils import OperationalError
from django.utils import timezone

from incidents.escalation import watchdog


class Command(BaseCommand):
    help = "Say whether the engine is on time, and keep the alarm on record while it is not."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--once", action="store_true", help="exit 1 when the engine is late or stopped")
        how.add_argument("--loop", action="store_true")
        parser.add_argument("--every", type=float, default=15, help="seconds between looks of --loop")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            seen = watchdog.watch(timezone.now())
            if seen.state in ("late", "stopped"):
                raise CommandError(_line(seen))
            self.stdout.write(_line(seen))
            return
        said = ""
        while True:
            said = self._look(said)
            time.sleep(options["every"])

    def _look(self, said: str) -> str:
        """Look once and say what changed; a database that is away for a moment must not end the auditor."""
        try:
            close_old_connections()
            state = _line(watchdog.watch(timezone.now()))
        except OperationalError as error:
            state = f"database: {error}".strip()
        if state != said:
            self.stderr.write(state)
        return state


def _line(seen: watchdog.Pulse) -> str:
    return f"engine {seen.state}" + (f" ({seen.reason}), {seen.overdue} overdue" if seen.reason else "")
