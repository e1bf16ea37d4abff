"""Send what waits in the outbox by hand, from cron or from systemd: the same code as Celery's."""

from django.utils import timezone

from incidents.delivery import outbox
from incidents.management.rounds import Rounds


class Command(Rounds):
    help = "Send every message that is due, once or for ever."

    def round(self, *, once: bool) -> None:
        done = outbox.deliver(timezone.now())
        self.stdout.write(f"sent {done.sent}, failed {done.failed}, obsolete {done.obsolete}, given up {done.dead}")
