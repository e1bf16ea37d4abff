"""What Celery calls: shells of a few lines. The work, and its correctness under repetition, is below.

A task that is lost, late or run twice costs at most one tick: each looks into the database for what is due.
"""

from celery import shared_task
from django.utils import timezone

from incidents import classification, journal
from incidents.delivery import outbox
from incidents.escalation import engine, heartbeat, rehearsal, watchdog


@shared_task(name="incidents.escalation_tick", soft_time_limit=60, time_limit=90)
def escalation_tick() -> None:
    heartbeat.beat(engine.tick_now("celery"))


@shared_task(name="incidents.drill_tick", soft_time_limit=60, time_limit=90)
def drill_tick() -> None:
    """Apart from the engine's tick, so that a rehearsal can neither delay nor break what it rehearses."""
    rehearsal.advance(timezone.now())


@shared_task(name="incidents.deliver")
def deliver() -> None:
    outbox.deliver(timezone.now())


@shared_task(name="incidents.seal_journal")
def seal_journal() -> None:
    journal.seal_backlog(timezone.now())


@shared_task(name="incidents.watch_engine")
def watch_engine() -> None:
    """The second look, in case the watchdog process itself is down."""
    watchdog.watch(timezone.now())


@shared_task(name="incidents.apply_classification_rules")
def apply_classification_rules() -> None:
    classification.apply_rules(timezone.now())
