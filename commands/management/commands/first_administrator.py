"""The first administrator of an empty system, from the environment or by asking."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from commands import actions
from commands.choices import Role
from commands.models import Posting


class Command(BaseCommand):
    help = (
        "Create the first administrator. FIRST_ADMIN_USERNAME and FIRST_ADMIN_PASSWORD are used where set, "
        "otherwise the terminal asks. Does nothing where there is an administrator already."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if Posting.objects.current(now).filter(role=Role.ADMINISTRATOR).exists():
            self.stdout.write("There is an administrator already.")
            return
        username, password = os.environ.get("FIRST_ADMIN_USERNAME", ""), os.environ.get("FIRST_ADMIN_PASSWORD", "")
        asks = not (username and password)
        while True:
            if asks:
                try:
                    username, password = self._ask(os.environ.get("FIRST_ADMIN_USERNAME", ""))
                except EOFError:
                    raise CommandError("Nothing was entered.") from None
            try:
                user = actions.make_first_administrator(username, password, now=now)
                break
            except ValidationError as refused:
                if not asks:
                    raise CommandError(" ".join(refused.messages)) from refused
                self.stdout.write(" ".join(refused.messages))
        self.stdout.write(f"{user.username} can sign in now, add the commands and people, and open the reference data.")

    def _ask(self, username: str) -> tuple[str, str]:
        if not sys.stdin.isatty():
            raise CommandError("Set FIRST_ADMIN_USERNAME and FIRST_ADMIN_PASSWORD, or run this in a terminal.")
        if not username:
            # By hand: `input` would write it where faults go, which `make run` keeps for itself.
            self.stdout.write("Sign-in name of the first administrator: ", ending="")
            self.stdout.flush()
            username = input().strip()
        while True:
            password = getpass.getpass("Password (at least 10 characters): ")
            if password == getpass.getpass("Again: "):
                return username, password
            self.stdout.write("The two passwords differ. Once more:")
