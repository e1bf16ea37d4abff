"""The demonstration accounts as a table, for `make run`."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import override

from commands import demo


class Command(BaseCommand):
    help = "Print one demonstration account a role. Prints nothing on a real system."

    def handle(self, *args: Any, **options: Any) -> None:
        found = demo.accounts(timezone.now())
        # The first made of each role: those of a real province and of the bodies before those of the fictional one.
        first = {p.role: p for p in sorted(found, key=lambda p: -p.pk)}
        with override("en"):
            rows = [(p.user.username, str(p.get_role_display()), p.command.name) for p in found if p == first[p.role]]
        if not rows:
            return
        widths = [max(len(row[n]) for row in rows) for n in range(2)]
        self.stdout.write(f"\nSign in as one of these; the password is {demo.PASSWORD} for all.\n")
        for name, role, command in rows:
            self.stdout.write(f"  {name:<{widths[0]}}  {role:<{widths[1]}}  {command}")
        if len(found) > len(rows):
            self.stdout.write(f"  and {len(found) - len(rows)} more, which the sign-in page lists")
