"""Drive the engine by hand, from cron or from systemd: the same code as Celery's, with broker and beat dead."""

from django.utils import timezone

from incidents.escalation import engine, heartbeat, rehearsal
from incidents.management.rounds import Rounds


class Command(Rounds):
    help = "Fire every escalation step that is due, once or for ever."

    def round(self, *, once: bool) -> None:
        # What a person asked for is kept in the engine's runs even where nothing was due.
        run = engine.tick_now("cli" if once else "loop")
        heartbeat.beat(run)
        self.stdout.write(f"claimed {run.claimed}, fired {run.fired}, quarantined {run.quarantined}")
        # After the cases: a drill waits for them, never they for it.
        if called := rehearsal.advance(timezone.now()):
            self.stdout.write(f"called in drills: {called}")
        if once:
            heartbeat.wait()
