"""Celery: a doorbell. The database is the clock and the queue, so a lost message costs one tick."""

import os

from celery import Celery
from celery.schedules import schedule
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Celery names a transport by the scheme of its address only.
TRANSPORT_ALIASES["folder"] = "config.broker:Transport"

app = Celery("election_security")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["incidents"])

TICK_SECONDS = 15

# Plain seconds in UTC, not crontab: celery #6438 and django-celery-beat #604 stop or repeat over clock changes.
# `expires` is below the interval, so a worker that comes back does not run a queue of old ticks.
app.conf.beat_schedule = {
    "escalation-tick": {
        "task": "incidents.escalation_tick",
        "schedule": schedule(TICK_SECONDS),
        "options": {"queue": "escalation", "expires": TICK_SECONDS - 1},
    },
    "drill-tick": {
        "task": "incidents.drill_tick",
        "schedule": schedule(TICK_SECONDS),
        "options": {"queue": "delivery", "expires": TICK_SECONDS - 1},
    },
    "delivery-tick": {
        "task": "incidents.deliver",
        "schedule": schedule(TICK_SECONDS),
        "options": {"queue": "delivery", "expires": TICK_SECONDS - 1},
    },
    "journal-seal": {
        "task": "incidents.seal_journal",
        "schedule": schedule(60),
        "options": {"queue": "delivery", "expires": 59},
    },
    "engine-watch": {
        "task": "incidents.watch_engine",
        "schedule": schedule(60),
        "options": {"queue": "delivery", "expires": 59},
    },
    "classification-rules": {
        "task": "incidents.apply_classification_rules",
        "schedule": schedule(3600),
        "options": {"queue": "reports", "expires": 3599},
    },
}
