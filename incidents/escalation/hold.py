"""A leap of the clock does not storm the country: what it would move waits for a person.

A leap is told from an outage by this machine's uptime, which nobody can set: if the database's clock went on by a day
while the machine was up a minute longer, the clock leapt; if the engine was away for six hours and the machine's uptime
says six hours, that was an outage, and everything due fires at once. After a new start of the machine there is no such
proof, and then the clock is believed: to hold back what is truly late would be the greater harm
(docs/decisions/0010-engine.md).
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands.authority import RELEASES, judge_roles
from commands.models import User
from incidents import entries
from incidents.choices import Act
from incidents.escalation.claims import due_cases
from incidents.escalation.moment import Reading
from incidents.models import EngineState, Entry

log = logging.getLogger(__name__)

#: A clock that ran ahead of the uptime by less was set right by its server; more is a leap.
LEAP = dt.timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Fire what is due at `until`. `held`: how many cases wait for a person; `leapt`: how far the clock ran ahead."""

    until: dt.datetime
    held: int = 0
    leapt: dt.timedelta = dt.timedelta()


def leap_of(state: EngineState, now: dt.datetime, reading: Reading | None) -> dt.timedelta:
    """How far the clock ran ahead of the time that passed since the tick it was last trusted at; 0 without proof."""
    if reading is None or state.last_now is None or state.last_uptime is None or state.last_boot != reading.boot:
        return dt.timedelta()
    return now - state.last_now - dt.timedelta(seconds=reading.uptime - state.last_uptime)


def judged(state: EngineState, now: dt.datetime, reading: Reading | None) -> Verdict:
    """Whether this tick may fire everything due, or only up to the moment that is beyond doubt."""
    leapt = leap_of(state, now, reading)
    proven = reading is not None and state.last_boot == reading.boot
    if leapt > LEAP:
        trusted = now - leapt
    elif state.held_at and not proven and state.last_now and now >= state.held_at:
        # The machine that could have told is not asked, or was started anew; the clock still says what it said.
        trusted = state.last_now
    else:
        return Verdict(until=now)
    floor = max(trusted, state.released_to) if state.released_to else trusted
    if floor >= now:
        return Verdict(until=now, leapt=leapt)
    most = settings.ENGINE_HOLD_CASES
    # Cases in the hundreds of thousands need no exact number to be too many.
    waiting = due_cases(now, floor, now, most * 100)
    return Verdict(until=floor, held=waiting, leapt=leapt) if waiting > most else Verdict(until=now, leapt=leapt)


@transaction.atomic
def release(by: User, now: dt.datetime, reason: str = "") -> Entry:
    """A person has looked at the clock: everything due at `now` fires with the next tick. Journaled with the reason.

    Raises PermissionDenied for whoever may not, ValidationError where nothing is held.
    """
    posting = judge_roles(RELEASES, by.current_postings)
    state = EngineState.objects.select_for_update().filter(pk=1).first()
    if state is None or state.held_at is None:
        raise ValidationError(_("Nothing is held back. The engine runs."), code="not_held")
    held: dict[str, Any] = {"held_at": state.held_at.isoformat(), "cases": state.held_count}
    # By the clock of the ticks: that of the page that asks may be another machine's, which did not leap.
    released_to = max(filter(None, (now, state.held_at, state.last_started_at)))
    EngineState.objects.filter(pk=1).update(released_to=released_to, held_at=None, held_count=0)
    log.warning("%s cases held since %s were released", state.held_count, state.held_at)
    after = {"released_to": released_to.isoformat(), **held}
    return entries.record(Act.ENGINE, "released", by=by, posting=posting, now=now, after=after, reason=reason)
