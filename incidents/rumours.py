"""Rumours: what must be found true or not by a moment. Only a person says which; time alone never does (domain 4.2)."""

from __future__ import annotations

from commands.choices import Role
from commands.models import Posting
from incidents.choices import ClockKind, Severity, Verification
from incidents.deadlines import is_rumour
from incidents.models import STANDING, ClockState, Incident
from incidents.turn import Turn

#: What a person has found out; the other values say that nobody knows yet.
FINAL = (Verification.VERIFIED, Verification.REFUTED, Verification.UNVERIFIABLE)


def must_be_verified(case: Incident) -> bool:
    """Whether an open case is hearsay that nobody has settled."""
    if not case.is_open or case.severity == Severity.UNRATED or case.verification in FINAL:
        return False
    return is_rumour(case.category_id, case.channel, is_liaison=_from_liaison(case))


def _from_liaison(case: Incident) -> bool:
    held = Posting.objects.current(case.reported_at).filter(user=case.reporter_id, command=case.reporting_command_id)
    return held.filter(role=Role.LIAISON).exists()


def time_verification(t: Turn) -> None:
    """Run or stop the clock of verification by what the case is in this act. Taken back, the time runs anew."""
    case = t.incident
    if case.verification in FINAL:
        t.stop_clock(ClockKind.VERIFY)
    elif not must_be_verified(case):
        t.stop_clock(ClockKind.VERIFY, state=ClockState.CANCELLED)
    elif not case.clocks.filter(kind=ClockKind.VERIFY, state__in=STANDING).exists():
        t.start_clock(ClockKind.VERIFY, t.targets.verify)
