"""Whose copy is this? The journal's entry of the export whose mark stands on a file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.choices import Act
from incidents.models import Entry


class Command(BaseCommand):
    help = "Say who took away the file that carries MARK, when, in which role, and with which filter."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("mark", metavar="MARK", help="the eight letters on the summary page or in the last column")

    def handle(self, *args: Any, **options: Any) -> None:
        mark = options["mark"].strip().upper()
        found = Entry.objects.filter(act=Act.EXPORT, after__mark=mark).select_related("by", "posting__command")
        if not found:
            raise CommandError(f"No export in the journal has the mark {mark}.")
        for entry in found:
            role = f"{entry.posting.role} at {entry.posting.command.code}" if entry.posting else "no posting"
            self.stdout.write(
                f"{entry.at.isoformat(timespec='seconds')}  {entry.by}  ({role})  by {entry.channel}  "
                f"{entry.after['what']}  {entry.after['rows']} rows  filter: {entry.after['filter'] or '-'}"
            )
