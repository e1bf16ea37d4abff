"""Numbers about the system in Prometheus' text format, read from the database when asked.

Every process answers the same, because nothing is counted in memory. Cases are counted from the tallies, so sealed
ones are in no number here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from django.db.models import Count, F, Max, Min, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from commands.models import SecurityCommand
from incidents.escalation import board, watchdog
from incidents.models import (
    Block,
    ChannelState,
    Clock,
    ClockState,
    EngineRun,
    EngineState,
    Entry,
    Incident,
    Notice,
    NoticeStatus,
    Quarantine,
    Tally,
)
from incidents.routing import LADDER_KINDS

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "election_security_"
REASONS = ("beat_dead", "worker_dead", "broker_away", "failing", "slow", "held", "no_tick_yet", "set_aside")


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
        yield from self._engine()
        yield from self._ladder()
        yield from self._outbox()
        sealed = Block.objects.aggregate(last=Max("last_id"))["last"] or 0
        yield _gauge(
            "journal_unsealed", "Journal entries not yet sealed.", [Entry.objects.filter(pk__gt=sealed).count()]
        )

    def _engine(self) -> Iterator[Metric]:
        """The condition the pages show, and what the rounds of the last five minutes did."""
        pulse = watchdog.pulse(self.now)
        state = EngineState.objects.filter(pk=1).first() or EngineState()
        yield _gauge("engine_up", "1 while escalation is on time by itself.", [int(pulse.is_ok)])
        yield _gauge("engine_alarm", "1 for what is wrong with it.", [(r, int(r == pulse.reason)) for r in REASONS],
                     "reason")  # fmt: skip
        if pulse.last_ok_at:
            idle = (self.now - pulse.last_ok_at).total_seconds()
            yield _gauge("engine_idle_seconds", "Since the last whole tick.", [idle])
        oldest = (self.now - pulse.oldest_due_at).total_seconds() if pulse.oldest_due_at else 0
        yield _gauge("engine_oldest_due_seconds", "How long the oldest due step waits.", [oldest])
        yield _gauge("engine_overdue", "Steps due for longer than the engine may take.", [pulse.overdue])
        yield _gauge("engine_backlog", "Due cases the last tick left.", [pulse.backlog])
        yield _gauge("engine_held", "Cases that wait for a person after a leap of the clock.", [state.held_count])
        recent = EngineRun.objects.filter(started_at__gte=self.now - dt.timedelta(minutes=5), finished_at__isnull=False)
        seen = recent.aggregate(late=Max("max_late_seconds"), took=Max(F("finished_at") - F("started_at")))
        yield _gauge("engine_lateness_seconds", "Largest delay of a firing in five minutes.", [seen["late"] or 0])
        took = seen["took"].total_seconds() if seen["took"] else 0
        yield _gauge("engine_tick_seconds", "Longest tick in five minutes.", [took])
        rounds = recent.order_by().values_list("source").annotate(n=Count("pk"))
        yield _gauge("engine_runs", "Ticks of five minutes that did something, by who asked.", rounds, "source")
        fired = recent.aggregate(n=Sum("fired"))["n"] or 0
        yield _gauge("engine_fired", "Steps fired in five minutes.", [fired])

    def _ladder(self) -> Iterator[Metric]:
        everything = Incident.objects.filter(is_sealed=False)
        top = board.at_the_top(everything, self.now).count()
        yield _gauge("cases_exhausted", "Cases late with no command above, sealed ones left out.", [top])
        there = SecurityCommand.objects.active().filter(kind__in=LADDER_KINDS)
        empty = len(board.unattended(there, self.now))
        yield _gauge("commands_unattended", "Commands of the ladder where nobody is there to be told.", [empty])

    def _outbox(self) -> Iterator[Metric]:
        due = Notice.objects.filter(status=NoticeStatus.PENDING, next_try_at__lte=self.now).order_by()
        oldest = due.values_list("channel").annotate(at=Min("next_try_at"))
        ages = [(channel, (self.now - at).total_seconds()) for channel, at in oldest]
        yield _gauge("outbox_age_seconds", "How long the oldest due message waits, by channel.", ages, "channel")
        broken = [(s.channel, int(s.opened_at is not None)) for s in ChannelState.objects.order_by("channel")]
        yield _gauge("channel_stopped", "1 where a channel takes no message for now.", broken, "channel")


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
