"""The auditor of the engine, as a process of its own: it looks at the database, never at the engine."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connection
from django.utils import timezone

from incidents.escalation import watchdog


class Command(BaseCommand):
    help = "Look whether escalation is on time, once (exit code 1 when it is not) or for ever."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--once", action="store_true")
        how.add_argument("--loop", action="store_true")
        parser.add_argument("--every", type=float, default=30, help="seconds between looks of --loop")

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            try:
                seen = watchdog.watch(timezone.now())
                self.stdout.write(f"{seen.state}: {seen.overdue} overdue, last tick {seen.last_ok_at}")
                if options["once"] and seen.state in ("late", "stopped"):
                    raise SystemExit(1)
            except Error as fault:
                if options["once"]:
                    raise
                # An auditor that ends with the database would not be there when it is back.
                self.stderr.write(f"could not look: {type(fault).__name__}: {fault}")
                connection.close()
            if options["once"]:
                return
            time.sleep(options["every"])
