"""The demonstration accounts as a table, for `make run`."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import override

from commands import demo


class Command(BaseCommand):
    help = "Print the demonstration accounts, one a role. Prints nothing on a real system."

    def handle(self, *args: Any, **options: Any) -> None:
        with override("en"):
            rows = [(p.user.username, str(p.get_role_display()), p.command.name) for p in demo.accounts(timezone.now())]
        if not rows:
            return
        first = max(len(name) for name, _, _ in rows)
        second = max(len(role) for _, role, _ in rows)
        self.stdout.write(f"\nSign in as one of these; the password is {demo.PASSWORD} for all.\n")
        for name, role, command in rows:
            self.stdout.write(f"  {name:<{first}}  {role:<{second}}  {command}")
