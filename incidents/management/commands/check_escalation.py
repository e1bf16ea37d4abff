"""Look for every kind of broken state of escalation. Exit 0: none; 1: found, each with what it is and what to do."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from incidents.escalation.audit import CHECKS, Finding, audit


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = ", ".join(check.kind for check in CHECKS)
        parser.add_argument("--only", action="append", default=[], metavar="KIND", help=f"may be repeated: {kinds}")
        parser.add_argument("--most", type=int, default=20, help="keys named of each kind (default 20)")
        parser.add_argument("--json", action="store_true", help="machine-readable answer")

    def handle(self, *args: Any, **options: Any) -> None:
        if unknown := set(options["only"]) - {check.kind for check in CHECKS}:
            raise CommandError(f"There is no check called {', '.join(sorted(unknown))}. See --help.")
        started = time.monotonic()
        found = audit(timezone.now(), only=options["only"], most=options["most"])
        if options["json"]:
            self.stdout.write(json.dumps([_plain(finding) for finding in found], indent=2))
        else:
            self._tell(found, len(options["only"] or CHECKS), time.monotonic() - started)
        if found:
            sys.exit(1)

    def _tell(self, found: list[Finding], checks: int, seconds: float) -> None:
        for finding in found:
            self.stdout.write(f"{finding.check.kind}: {finding.total} × {finding.check.says}")
            for what in finding.shown:
                self.stdout.write(f"  - {what}")
            if finding.total > len(finding.shown):
                self.stdout.write(f"  - and {finding.total - len(finding.shown)} more")
            self.stdout.write(f"  What to do: {finding.check.hint}")
        end = f"{checks} checks in {seconds:.1f} s."
        self.stdout.write(f"{len(found)} kinds of broken state. {end}" if found else f"Escalation is in order. {end}")


def _plain(finding: Finding) -> dict[str, Any]:
    check = finding.check
    return {"kind": check.kind, "says": check.says, "hint": check.hint, "total": finding.total, "shown": finding.shown}
