"""An API token for a client of a person, printed once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from commands import actions
from commands.models import User


class Command(BaseCommand):
    help = "Print a new API token of a person; only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="the client that will use it")
        parser.add_argument("--days", type=int, help="days until it ends; without it the token lives until revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no account named {options['username']}.")
        until = now + dt.timedelta(days=options["days"]) if options["days"] is not None else None
        try:
            _token, secret = actions.create_token(user, name=options["name"], now=now, expires_at=until)
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        self.stdout.write(secret)
