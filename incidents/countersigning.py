"""Acts that wait for a second person: the request stands on the case until it is countersigned, declined or void.

Who decides is `authority`'s to say; what happens then is `endings.countersign`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from commands.models import SecurityCommand
from incidents.choices import Act
from incidents.models import Incident
from incidents.routing import nec
from incidents.turn import Turn, chain_above, facts_of, refused


def is_in_the_way(case: Incident, act: str) -> bool:
    """Whether a request waits on the case that keeps `act` from being asked for.

    One for a pause gives way: it decides nothing, and whoever asked for it could keep a case from being withdrawn.
    """
    return bool(case.request_act) and (case.request_act != Act.SNOOZE or act == Act.SNOOZE)


def ask(t: Turn, data: dict[str, Any], deciders: Sequence[SecurityCommand] = ()) -> None:
    """Keep the state; let the act of this turn wait for a second person, with the `data` it will need.

    A request for a pause that still waits is void with it.
    Told are `deciders`, or whoever decides such a request as a rule.
    """
    case = t.incident
    if is_in_the_way(case, t.act):
        raise refused(_("Another request waits for a countersignature already."))
    case.state = t.state_before
    case.request_act, case.request_by, case.request_at = t.act, t.by, t.now
    case.request_reason, case.request_data = t.reason, data
    t.extra_after = {"requested": str(t.act), **t.extra_after}
    t.tell_commands("request", deciders or _deciders(t) or [case.owner])


def _deciders(t: Turn) -> list[SecurityCommand]:
    case = t.incident
    above = chain_above(case)
    if case.is_sealed:
        return above
    if facts_of(case, t.by).needs_nec_to_countersign:
        return [c for c in (nec(),) if c]
    return [case.owner, *above[:1]]
