"""Load places, calendar, commands, categories and targets; a second run changes nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from commands.importing import load_commands
from elections.importing import Loaded, load_calendar, load_places
from incidents.taxonomy import load_categories, load_legal_deadlines, load_policy


class Command(BaseCommand):
    help = "Loads the country's places, elections and commands, and the taxonomy. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be made, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run = options["dry_run"]
        loads: list[Callable[..., Loaded]] = [
            load_places,
            partial(load_calendar, now=timezone.now()),
            load_commands,
            load_categories,
            load_policy,
            load_legal_deadlines,
        ]
        for load in loads:
            done = load(dry_run=dry_run)
            if options["verbosity"]:
                self.stdout.write(
                    f"{done.what}: {done.made} {'to make' if dry_run else 'made'}, {done.changed} changed, "
                    f"{done.same} as they were, {done.elsewhere} not in the files and left alone"
                )
