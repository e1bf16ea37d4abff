"""The engine's condition in the words of whoever answers for cases."""

from __future__ import annotations

import datetime as dt

from incidents.escalation.said import Plain, plain
from incidents.escalation.watchdog import Pulse
from incidents.templatetags import _time


def plain_of(pulse: Pulse, now: dt.datetime, *, may_release: bool) -> Plain:
    """What a pulse means at `now`, and what to do, for a person who may let go what is held or may not."""
    length = _time.length(now - pulse.since) if pulse.since else ""
    return plain(pulse.state, length, is_stood_in=pulse.is_stood_in, may_release=may_release)
