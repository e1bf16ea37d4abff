"""A case written straight into its table, for tests of what reads cases: no clocks, no journal, any past, any value."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from elections.models import Election
from incidents.choices import Channel, State
from incidents.models import Incident
from incidents.policies import policy_for
from tests.cast import COMMUNE, NOW, Cast

_numbers = itertools.count(1)


def plain_case(*, reported_at: dt.datetime = NOW, **fields: Any) -> Incident:
    """A theft in Doun Kaev, Takeo, reported at that moment."""
    cast = Cast()
    election = Election.objects.default_for(NOW)
    assert election is not None
    state = fields.get("state", State.REPORTED)
    is_open = state in ("reported", "acknowledged", "responding", "contained")
    values: dict[str, Any] = {
        "reference": f"TEST-{next(_numbers):06}",
        "election": election,
        "phase": "campaign",
        "clock_phase": "campaign",
        "policy": policy_for(election, reported_at),
        "category_id": "CRM-06",
        "severity": "low",
        "initial_severity": "low",
        "owner": cast.command("duty_commander"),
        "rung": 1,
        "occurred_at": reported_at,
        "reported_at": reported_at,
        "reporter": cast.officer,
        "reporting_command": cast.command("officer"),
        "channel": Channel.BROWSER,
        "place_id": COMMUNE,
        "narrative": "A motorbike was taken from the market.",
        "next_due_at": reported_at + dt.timedelta(hours=12) if is_open else None,
        "next_due_kind": "acknowledge" if is_open else "",
        "updated_at": reported_at,
        **fields,
    }
    return Incident.objects.create(**values)
