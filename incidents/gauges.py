"""Numbers about the system in Prometheus' text format, read from the database when asked.

Every process answers the same, because nothing is counted in memory. Cases are counted from the tallies, so sealed
ones are in no number here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from django.db.models import Count, F, Max, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from incidents.models import (
    Block,
    Clock,
    ClockState,
    EngineRun,
    EngineState,
    Entry,
    Notice,
    NoticeStatus,
    Quarantine,
    Tally,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "election_security_"


class _Numbers(Collector):
    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        cases = Tally.objects.values_list("state").annotate(Sum("count")).order_by("state")
        yield _gauge("cases", "Cases by state, sealed ones left out.", cases, "state")
        notices = Notice.objects.exclude(status=NoticeStatus.SENT).values_list("status").annotate(Count("pk"))
        yield _gauge("notices", "Notices not sent, by status.", notices.order_by("status"), "status")
        running = Clock.objects.filter(state=ClockState.RUNNING)
        yield _gauge("clocks_running", "Deadlines being watched.", [running.count()])
        yield _gauge(
            "clocks_overdue", "Deadlines whose time has come.", [running.filter(fires_at__lt=self.now).count()]
        )
        yield _gauge("clocks_quarantined", "Deadlines whose firing failed.", [Quarantine.objects.count()])
        last_ok = EngineState.objects.values_list("last_ok_at", flat=True).first()
        if last_ok:
            yield _gauge("engine_idle_seconds", "Since the last whole tick.", [(self.now - last_ok).total_seconds()])
        recent = EngineRun.objects.filter(started_at__gte=self.now - dt.timedelta(minutes=5), finished_at__isnull=False)
        seen = recent.aggregate(late=Max("max_late_seconds"), took=Max(F("finished_at") - F("started_at")))
        yield _gauge("engine_lateness_seconds", "Largest delay of a firing in five minutes.", [seen["late"] or 0])
        took = seen["took"].total_seconds() if seen["took"] else 0
        yield _gauge("engine_tick_seconds", "Longest tick in five minutes.", [took])
        sealed = Block.objects.aggregate(last=Max("last_id"))["last"] or 0
        yield _gauge(
            "journal_unsealed", "Journal entries not yet sealed.", [Entry.objects.filter(pk__gt=sealed).count()]
        )


def _gauge(name: str, text: str, values: Iterable[float | tuple[str, float]], label: str = "") -> GaugeMetricFamily:
    """One number, or one for each value of `label`."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=[label] if label else [])
    for value in values:
        if isinstance(value, tuple):
            family.add_metric([str(value[0])], float(value[1]))
        else:
            family.add_metric([], float(value))
    return family


def exposition(now: dt.datetime) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Numbers(now))
    return generate_latest(registry)
