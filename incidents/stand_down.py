"""Stand-down: the owner gives a quiet case back to the command below, which must accept it. Source: domain 3.3.

Then it is watched for a day: what happens meanwhile is told to the command that gave it back.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.models import SecurityCommand, User
from elections.choices import Phase
from incidents.choices import Act, Severity, State
from incidents.countersigning import is_in_the_way
from incidents.models import Custody, EscalationKind, Incident
from incidents.routing import ladder_of, nec
from incidents.turn import Turn, refused, turn, vacant_for

#: One operational period without news; a polling day has shorter ones.
QUIET = dt.timedelta(hours=12)
QUIET_IN_USE = dt.timedelta(hours=2)
_IN_USE = (Phase.POLLING, Phase.COUNTING)
#: How long a case handed back stays under watch.
WATCH = dt.timedelta(hours=24)
#: What breaks the quiet: news of what happened, and how serious it is. Not who was told or has the case.
_NEWS = (
    Act.REPORT, Act.UPDATE, Act.CONTAIN, Act.FLARE_UP, Act.RAISE_SEVERITY, Act.LOWER_SEVERITY, Act.REOPEN, Act.UNMERGE,
)  # fmt: skip


def hand_back(incident: Incident, *, by: User, reassessed: bool = True, **how: Any) -> Incident:
    """Give the case to the command below the owner; it must accept. `reassessed`: the severity was looked at again.

    Refused where nobody is there below: who has the case answers for it, and it would come back with a warning.
    """
    with turn(incident, Act.HAND_BACK, by=by, **how) as t:
        case = t.incident
        target = below(case)
        if target is None:
            raise refused(_("There is no command below the present owner."))
        if not reassessed:
            raise refused(_("Look at the severity again first. Lower it if it is too high, then hand the case back."))
        _check_ready(case, t.now)
        if vacant_for(case, [target], t.now):
            text = _("Nobody is there now at %(command)s. Keep the case until somebody is, then hand it back.")
            raise refused(text % {"command": target.name})
        t.end_pause()
        t.hand_over(target, Act.HAND_BACK, EscalationKind.HAND_BACK, t.targets.acknowledge, told="hand_back")
        secretariat = nec()
        t.tell_commands("stood_down", [secretariat] if secretariat else [])
    return t.incident


def below(incident: Incident) -> SecurityCommand | None:
    """The command a case may be handed back to: never of a sealed one, whose subject stands in the chain."""
    if incident.is_sealed or incident.owner.rung is None:
        return None
    lower = [c for c in ladder_of(incident.place_id) if (c.rung or 0) < incident.rung]
    # Where a place has commands of several forces, the joint one comes first.
    return max(lower, key=lambda c: c.rung or 0, default=None)


def _check_ready(case: Incident, now: dt.datetime) -> None:
    if not case.is_accepted:
        raise refused(_("Accept the case first. Only the command that took it over can hand it back."))
    if is_in_the_way(case, Act.HAND_BACK):
        raise refused(_("A request waits for a countersignature. Decide it first."))
    if case.state != State.CONTAINED and case.severity in (Severity.CRITICAL, Severity.HIGH):
        raise refused(_("A critical or high case is handed back once it is contained. Go on until then."))
    period = quiet_period(case)
    since = last_news(case)
    if now < since + period:
        hours = int(period.total_seconds() // 3600)
        left = since + period - now
        text = ngettext(
            "A case is handed back after %(hours)d quiet hour. This one still needs %(left)s without news.",
            "A case is handed back after %(hours)d quiet hours. This one still needs %(left)s without news.",
            hours,
        )
        raise refused(text % {"hours": hours, "left": _in_words(left)})


def _in_words(left: dt.timedelta) -> str:
    minutes = max(1, -(-int(left.total_seconds()) // 60))
    if minutes < 60:
        return ngettext("%(number)d minute", "%(number)d minutes", minutes) % {"number": minutes}
    hours = -(-minutes // 60)
    return ngettext("%(number)d hour", "%(number)d hours", hours) % {"number": hours}


def quiet_period(case: Incident) -> dt.timedelta:
    """How long nothing may have happened, by the phase that times the case."""
    return QUIET_IN_USE if case.clock_phase in _IN_USE else QUIET


def last_news(case: Incident) -> dt.datetime:
    """When something of substance was last heard, from the journal; "nothing new" is none."""
    entries = case.entries.filter(act__in=_NEWS).order_by("-pk").values_list("at", "after")
    return next((at for at, after in entries.iterator(chunk_size=50) if not after.get("quiet")), case.reported_at)


# ---- The watch ----


def watched_by(incident: Incident, now: dt.datetime) -> Custody | None:
    """The hand-over back that put the case under watch, while it lasts; its `from_command` watches."""
    last = incident.custodies.select_related("from_command").order_by("-pk").first()
    return last if last and is_watched(last, now) else None


def is_watched(custody: Custody, now: dt.datetime) -> bool:
    """Whether a case whose newest custody this is stands under watch."""
    return custody.reason == Act.HAND_BACK and custody.at <= now < custody.at + WATCH


def tell_watchers(t: Turn) -> None:
    """What was quiet is not: the command that handed the case back hears of it while it watches."""
    custody = watched_by(t.incident, t.now)
    if custody and custody.from_command:
        t.tell_commands("not_quiet", [custody.from_command])
