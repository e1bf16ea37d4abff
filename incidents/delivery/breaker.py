"""The circuit breaker of each channel: after failures in a row nothing is tried there but one probe now and then.

A channel that is down so costs one time limit a pause, not one a message, and no message is used up meanwhile.
"""

from __future__ import annotations

import datetime as dt
import enum
import random

from incidents.models import ChannelState

#: Failures in a row that open it.
FAILURES = 5
FIRST_PAUSE = dt.timedelta(seconds=30)
LONGEST_PAUSE = dt.timedelta(minutes=5)
#: Longer than one send may take, so that two senders never probe together.
PROBE = dt.timedelta(seconds=60)


class Gate(enum.Enum):
    CLOSED = "everything may be sent"
    PROBE = "one message may be tried"
    OPEN = "nothing is tried now"


def gate(channel: str, now: dt.datetime) -> Gate:
    """What may be tried at `now`. A PROBE is given to one asker only."""
    state = ChannelState.objects.filter(pk=channel).first()
    if state is None or state.opened_at is None:
        return Gate.CLOSED
    if state.retry_at is not None and state.retry_at > now:
        return Gate.OPEN
    mine = ChannelState.objects.filter(pk=channel, opened_at__isnull=False, retry_at=state.retry_at)
    return Gate.PROBE if mine.update(retry_at=now + PROBE) else Gate.OPEN


def succeeded(channel: str, now: dt.datetime) -> None:
    """A message went through: everything may."""
    worked = {"failures": 0, "opened_at": None, "retry_at": None, "last_ok_at": now}
    ChannelState.objects.update_or_create(pk=channel, defaults=worked)


def failed(channel: str, now: dt.datetime, error: str, times: int = 1) -> ChannelState:
    """`times` failures in a row, the last with `error`; the state after them."""
    state, _made = ChannelState.objects.get_or_create(pk=channel)
    state.failures += times
    state.last_error = error[:500]
    if state.failures >= FAILURES:
        state.opened_at = state.opened_at or now
        state.retry_at = now + pause(state.failures)
    state.save(update_fields=["failures", "last_error", "opened_at", "retry_at"])
    return state


def pause(failures: int) -> dt.timedelta:
    """From 30 seconds, doubled with each failed probe up to 5 minutes, a fifth more or less by chance."""
    doubled: dt.timedelta = FIRST_PAUSE * 2 ** min(max(failures - FAILURES, 0), 5)
    jitter: float = random.uniform(0.8, 1.2)  # noqa: S311  not a secret
    return min(doubled, LONGEST_PAUSE) * jitter


def try_now(channel: str, now: dt.datetime) -> None:
    """A person mended the channel: the next round probes it at once."""
    ChannelState.objects.filter(pk=channel, opened_at__isnull=False).update(retry_at=now)
