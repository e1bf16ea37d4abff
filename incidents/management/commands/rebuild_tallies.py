"""Count the tallies anew from the cases, or with --check prove that they agree."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from incidents import tallies

SHOWN = 20


class Command(BaseCommand):
    help = "Counts the dashboards' tallies anew from the cases. --check changes nothing and fails where they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="prove the tallies against the cases, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        is_nested = connection.in_atomic_block
        with transaction.atomic():
            _one_moment(writing=not options["check"], is_nested=is_nested)
            if not options["check"]:
                tallies.rebuild()
            differences = tallies.differences()
        if differences:
            for line in differences[:SHOWN]:
                self.stderr.write(line)
            raise CommandError(f"{len(differences)} cells differ from the cases. Mend: manage.py rebuild_tallies")
        self.stdout.write("The tallies agree with the cases.")


def _one_moment(*, writing: bool, is_nested: bool) -> None:
    """Cases and tallies are read as of one moment: a snapshot to check, writers kept out to rebuild.

    On SQLite the transaction itself is IMMEDIATE, so nobody else writes meanwhile.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        if writing:
            cursor.execute("LOCK TABLE incidents_incident, incidents_tally, incidents_daytally IN EXCLUSIVE MODE")
        elif not is_nested:
            # Only the first statement of a transaction may say so.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
