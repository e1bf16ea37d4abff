"""The steps ahead of a case as it stands: its plan, with all that the plan depends on read from the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from incidents.choices import ClockKind, State
from incidents.escalation.plan import PlannedStep, Running, planned
from incidents.escalation.turnings import ahead
from incidents.models import Clock, ClockState, Incident
from incidents.policies import rules_for
from incidents.routing import above, vacant_among
from incidents.turn import targets_of


def steps_ahead(incident: Incident, clocks: Iterable[Clock], now: dt.datetime) -> list[PlannedStep]:
    """What the rule does if nobody acts, soonest first; nothing for a case that is not open.

    `clocks` in the order they were started. Whoever has nobody now is taken to have nobody then.
    """
    running = [_running(c, incident) for c in clocks if c.state in _AHEAD and c.kind != ClockKind.SNOOZE]
    if not incident.is_open or not running:
        return []
    subjects = [s.command for s in incident.subjects.select_related("command")] if incident.is_sealed else None
    chain = above(incident.owner, incident.place_id, subjects)
    rules = rules_for(incident)
    # What the calendar did before the case was last touched is in its clocks.
    since = max(now, incident.updated_at)
    return planned(
        incident.owner,
        chain,
        running,
        rules=rules,
        take_over=ClockKind.ACKNOWLEDGE if incident.state == State.REPORTED else ClockKind.ACCEPT,
        minutes=targets_of(incident, now).acknowledge,
        vacant=vacant_among([incident.owner, *chain], now, subjects),
        turnings=ahead(incident.election, rules, incident.severity, incident.place_id, since),
    )


#: What fires some day if nobody acts: what stands paused runs on after the pause.
_AHEAD = (ClockState.RUNNING, ClockState.PAUSED)


def _running(clock: Clock, incident: Incident) -> Running:
    """A clock as it will run; one that stands paused moves on by the time it will have stood."""
    stood = dt.timedelta()
    if clock.paused_at and incident.snoozed_until:
        stood = max(incident.snoozed_until - clock.paused_at, stood)
    return Running(
        kind=clock.kind,
        step=clock.step,
        anchor_at=clock.anchor_at + stood,
        target_minutes=clock.target_minutes,
        fires_at=clock.fires_at + stood,
    )
