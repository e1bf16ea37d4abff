"""Acts that wait for a second person: the request stands on the case until it is countersigned, declined or void.

Who decides is `authority`'s to say; what happens then is `endings.countersign`'s.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from incidents.choices import Act
from incidents.routing import nec
from incidents.turn import Turn, chain_above, facts_of, refused


def ask(t: Turn, data: dict[str, Any]) -> None:
    """Keep the state; let the act of this turn wait for a second person, with the `data` it will need."""
    case = t.incident
    if case.request_act:
        raise refused(_("Another request waits for a countersignature already."))
    case.state = t.state_before
    case.request_act, case.request_by, case.request_at = t.act, t.by, t.now
    case.request_reason, case.request_data = t.reason, data
    t.extra_after = {"requested": str(t.act), **t.extra_after}
    above = chain_above(case)
    if case.is_sealed:
        deciders = above
    elif t.act != Act.SNOOZE and facts_of(case, t.by).needs_nec_to_countersign:
        deciders = [c for c in (nec(),) if c]
    else:
        deciders = [case.owner, *above[:1]]
    t.tell_commands("request", deciders or [case.owner])
