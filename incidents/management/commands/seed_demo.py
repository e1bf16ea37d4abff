"""Make the demonstration: people, the fictional province, ten scenarios, one past election and a running quarter."""

import datetime as dt
import random
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from commands.demo import PASSWORD, accounts
from incidents import journal
from incidents.demo import everything
from incidents.demo.duty import make_duty
from incidents.demo.people import make_accounts, make_demo_province, staff_the_ladder


class Command(BaseCommand):
    help = "Makes demonstration accounts and cases. Only where DEMO=1; a second run does nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--cases", type=int, default=400, help="cases of the running election, over 90 days")
        parser.add_argument("--past", type=int, default=150, help="cases of the Senate election of 2024")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demonstration accounts have a password that everybody knows. Set DEMO=1 to have them.")
        now, started = timezone.now(), time.monotonic()
        make_demo_province()
        make_accounts()
        staff_the_ladder()
        if everything.is_there():
            self.stdout.write("The demonstration cases are there already.")
        else:
            self._cases(now, options)
        make_duty(now)
        if options["verbosity"]:
            self.stdout.write(f"Accounts, all with the password {PASSWORD} ({time.monotonic() - started:.0f} s):")
            for posting in accounts(now):
                self.stdout.write(
                    f"  {posting.user.username:<24} {posting.get_role_display()}, {posting.command.name_en}"
                )

    def _cases(self, now: dt.datetime, options: dict[str, Any]) -> None:
        def tell(text: str) -> None:
            if options["verbosity"]:
                self.stdout.write(text)
                self.stdout.flush()

        chance = random.Random(2027)  # noqa: S311  made data, no secret
        # With DEBUG on SQLite every statement is run a second time, to be logged.
        debug, settings.DEBUG = settings.DEBUG, False
        try:
            refused = everything.make(now, chance, cases=options["cases"], past=options["past"], tell=tell)
            # Sealed here, so that the journal can be verified from the first minute.
            journal.seal_backlog(timezone.now())
        finally:
            settings.DEBUG = debug
        if options["verbosity"] > 1:
            for what, count in refused.most_common():
                self.stdout.write(f"  {count} x {what}")
