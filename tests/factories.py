"""Cases for tests, made the way people make them: through `actions.report`, with journal, clocks and tallies."""

from __future__ import annotations

import datetime as dt
from typing import Any

from commands.models import User
from incidents.choices import Channel
from incidents.models import Incident
from tests.cast import COMMUNE, NOW, Cast


def make_incident(
    *, by: User | None = None, now: dt.datetime = NOW, channel: str = Channel.BROWSER, **fields: Any
) -> Incident:
    """A theft in Doun Kaev, Takeo, ten minutes before `now`, unless `fields` of `actions.Report` say else."""
    from incidents import actions

    data: dict[str, Any] = {
        "category": "CRM-06",
        "occurred_at": now - dt.timedelta(minutes=10),
        "place": COMMUNE,
        "narrative": "A motorbike was taken from the market.",
    } | fields
    return actions.report(actions.Report(**data), by=by or Cast().officer, now=now, channel=channel)


def make_sealed(*, by: User | None = None, now: dt.datetime = NOW, **fields: Any) -> Incident:
    """A conflict-of-interest report in the Demo Province about its first district, filed by the liaison there."""
    from tests.cast import DEMO_COMMUNE

    cast = Cast()
    data: dict[str, Any] = {
        "category": "INT-01",
        "place": DEMO_COMMUNE,
        "narrative": "A family was told not to vote.",
        "concerned": (cast.command("demo_duty").code,),
        "concerned_civil": True,
    } | fields
    return make_incident(by=by or cast.demo_liaison, now=now, **data)
