"""Commands left out because nobody is there: kept for each, so that no level is ever skipped without a trace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from commands.models import SecurityCommand
from incidents.choices import Act, Channel
from incidents.models import Entry, Escalation, EscalationKind, Incident


def keep_left_out(incident: Incident, left_out: Sequence[SecurityCommand], now: dt.datetime) -> None:
    """One row and one entry for each command whose new report it would have been, had somebody been there.

    In the transaction of the report, whose entry stands before these. Writes the case's version.
    """
    # Acts of people count from 1: this comes before all of them.
    write_left_out(incident, left_out, now, episode=0)
    incident.save(update_fields=["version"])


def write_left_out(incident: Incident, left_out: Sequence[SecurityCommand], now: dt.datetime, *, episode: int) -> None:
    """The rows and entries alone, beside the hand-over `episode` to the case's owner; its version is not written."""
    for part, command in enumerate(left_out, 1):
        Escalation.objects.create(
            incident=incident,
            clock="",
            episode=episode,
            step=0,
            part=part,
            kind=EscalationKind.VACANT,
            from_command=command,
            to_command=incident.owner,
            due_at=now,
            fired_at=now,
        )
        incident.version += 1
        Entry.objects.create(
            incident=incident,
            act=Act.SKIP,
            at=now,
            channel=Channel.ENGINE,
            command=command,
            after={"left_out": command.pk},
            version=incident.version,
        )
