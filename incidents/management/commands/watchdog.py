"""The auditor of the engine, as a process of its own: it looks at the database, never at the engine."""

from django.utils import timezone

from incidents.escalation import watchdog
from incidents.management.rounds import Rounds


class Command(Rounds):
    help = "Look whether escalation is on time, once (exit code 1 when it is not) or for ever."
    every = 30.0

    def round(self, *, once: bool) -> None:
        seen = watchdog.watch(timezone.now())
        why = f" ({seen.reason})" if seen.reason else ""
        self.stdout.write(f"{seen.state}{why}: {seen.overdue} overdue, last tick {seen.last_ok_at}")
        if once and seen.is_alarm:
            raise SystemExit(1)
