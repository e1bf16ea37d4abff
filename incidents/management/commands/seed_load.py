"""Fill a demonstration or benchmark database with made cases by the million."""

import time
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from elections.models import Election
from incidents.demo.load import load
from incidents.demo.people import staff_the_ladder


class Command(BaseCommand):
    help = "Makes plausible cases in bulk, for measurements: seed_load --incidents 100000"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--incidents", type=int, required=True, help="how many cases to add")
        parser.add_argument("--election", default="", help="code of the election; the running one without it")
        parser.add_argument("--seed", type=int, default=1, help="another number makes other cases")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEMO or settings.DEBUG):
            raise CommandError("Made cases belong in a demonstration database. Set DEMO=1 to say that this is one.")
        now, started = timezone.now(), time.monotonic()
        elections = Election.objects.with_windows()
        code = options["election"]
        election = elections.filter(code=code).first() if code else elections.default_for(now)
        if election is None:
            raise CommandError(f"There is no election {code}." if code else "There is no election. Run load_reference.")
        staff_the_ladder()
        try:
            for done in load(options["incidents"], election, now=now, seed=options["seed"]):
                if options["verbosity"]:
                    self.stdout.write(f"{done:,} cases, {time.monotonic() - started:.0f} s")
        except ValueError as missing:
            raise CommandError(str(missing)) from None
        call_command("rebuild_tallies", stdout=self.stdout if options["verbosity"] else StringIO())
