"""What an act will do where nobody is there, said before it is done."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from commands.models import User
from incidents.choices import SEVERITY_ORDER, Severity
from incidents.models import Incident
from incidents.pauses import decided_by
from incidents.routing import nearest_staffed
from incidents.severity import takes_critical
from incidents.turn import chain_above, vacant_for


def commands_above(incident: Incident, now: dt.datetime) -> tuple[list[tuple[str, str]], str]:
    """(code, name) of every command a case can be escalated to, nearest first; and where nobody is, who gets it."""
    chain = chain_above(incident)
    vacant = vacant_for(incident, chain, now)
    hints = []
    for number, command in enumerate(chain):
        if command.pk not in vacant:
            continue
        instead, _passed = nearest_staffed(chain[number:], vacant)
        text = _("Nobody is there now at %(command)s.")
        if instead is not None:
            text = _("Nobody is there now at %(command)s: the case goes on at once to %(instead)s.")
        hints.append(text % {"command": command.name, "instead": instead.name if instead else ""})
    return [(command.code, command.name) for command in chain], " ".join(hints)


def who_decides(incident: Incident, person: User, now: dt.datetime) -> str:
    """Who will decide a pause that this person asks for."""
    decides = decided_by(incident, person, now)
    if decides.how == "same":
        return _("Nobody is there above your command now: a second person of it decides, and the timeline says so.")
    return _("%(command)s decides.") % {"command": decides.command.name}


def critical_goes_to(incident: Incident, now: dt.datetime) -> str:
    """Who gets the case if it is raised to critical, where that is not its owner; "" where it stays as a rule."""
    is_critical = SEVERITY_ORDER[Severity(incident.severity)] >= SEVERITY_ORDER[Severity.CRITICAL]
    if incident.is_sealed or is_critical or incident.owner.rung is None or incident.rung >= 2:
        return ""
    takes, left_out = takes_critical(incident, now)
    if takes is None:
        return _("Nobody is there now above the owner, so a critical case stays where it is. Call the command above.")
    if not left_out:
        return _("A critical case goes to %(command)s.") % {"command": takes.name}
    values = {"command": takes.name, "empty": ", ".join(c.name for c in left_out)}
    return _("A critical case goes to %(command)s: nobody is there now at %(empty)s.") % values
