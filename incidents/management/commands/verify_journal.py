"""Prove that the journal is what was written. Exit 0: intact; 1: tampered with; 2: not protected, or not sealed yet."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from incidents import journal

SAID = {
    "changed": "entries were changed",
    "deleted": "entries are missing",
    "inserted": "entries were slipped in",
    "chain": "the block does not follow the one before it",
    "block": "the block's hash does not fit its entries",
    "marks": "the block is whole, but its list of marks is damaged",
    "head": "this hash, printed earlier, is not in the chain",
    "order": "entries do not follow the version of their case before them, or are not its last",
    "unprotected": "triggers that protect the journal are missing",
    "backlog": "entries wait to be sealed for too long",
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable answer")
        parser.add_argument(
            "--printed",
            action="append",
            default=[],
            metavar="HASH",
            help="a head hash printed on a report or sent to the NEC; must still be in the chain (may be repeated)",
        )
        parser.add_argument(
            "--backlog-minutes", type=int, default=10, help="how long an entry may wait to be sealed (default 10)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        backlog = dt.timedelta(minutes=min(options["backlog_minutes"], 100_000_000))
        verdict = journal.verify(timezone.now(), backlog=backlog, printed=options["printed"])
        if options["json"]:
            answer = dataclasses.asdict(verdict) | {"tampered": verdict.tampered, "intact": verdict.intact}
            self.stdout.write(json.dumps(answer, default=str, indent=2))
        else:
            self._tell(verdict, time.monotonic() - started)
        if verdict.tampered:
            sys.exit(1)
        if not verdict.intact:
            sys.exit(2)

    def _tell(self, verdict: journal.Verdict, seconds: float) -> None:
        self.stdout.write(
            f"{verdict.blocks} blocks with {verdict.entries} entries read in {seconds:.1f} s, "
            f"{verdict.unsealed} entries not sealed yet."
        )
        self.stdout.write(f"Head: {verdict.head or '-'}")
        if verdict.first_broken is not None:
            self.stdout.write(f"First broken block: {verdict.first_broken}")
        for found in verdict.findings:
            where = f"block {found.block}: " if found.block is not None else ""
            total = f"{found.total} " if found.total else ""
            ids = f" ({', '.join(map(str, found.ids))}{', …' if found.total > len(found.ids) else ''})"
            self.stdout.write(
                f"- {where}{total}{SAID[found.kind]}{ids if found.ids else ''}"
                f"{': ' + found.detail if found.detail else ''}"
            )
        self.stdout.write("The journal is intact." if verdict.intact else "The journal is not in order.")
