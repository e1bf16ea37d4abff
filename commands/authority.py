"""Who may do what to a case: one pure table of act x role -> reach, and the few rules that a table cannot say.

Source: the role matrix of domain 5.2. What a person may *see* is another question, answered by `visible_to`.
Acts and severities are the words of `incidents.choices`, as strings, because imports go down only.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from commands.choices import Role
from elections.choices import Level

if TYPE_CHECKING:
    from commands.models import Posting


class Reach(enum.Enum):
    """How far from the posting the case may be."""

    REPORTER = "the person reported it"
    OWN = "the person reported it or is assigned to it"
    PLACE = "it happened inside the command's jurisdiction"
    OWNER = "the command owns it or stands above its owner"
    ANY = "anywhere"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What authority depends on; nothing else of a case does."""

    owner_path: str
    place: str
    severity: str
    nature: str
    group: str
    is_sealed: bool
    is_reporter: bool = False
    is_assignee: bool = False
    is_resolver: bool = False
    is_requester: bool = False
    request_act: str = ""
    #: Of a pause that waits: "above" the owner, the "nec" where nothing stands above it, or the "same" command where
    #: nobody was there above when it was asked for.
    pause_decided_by: str = ""

    @property
    def needs_nec(self) -> bool:
        """Electoral, conduct, information and critical cases are closed and dismissed by the NEC (domain 4.1)."""
        return self.nature == "electoral" or self.group in ("NEU", "INF") or self.severity == "critical"

    @property
    def needs_nec_to_countersign(self) -> bool:
        """Who decides the request that waits: the NEC, or somebody else of the ladder."""
        if self.request_act == "snooze":
            return False
        return self.request_act in ("withdraw", "resolve") or self.needs_nec


_OFF, _DUT, _PRV, _PSC = Role.OFFICER, Role.DUTY_COMMANDER, Role.PROVINCIAL_COMMAND, Role.PSC_WATCH
_NEC, _ITG, _LIA = Role.NEC_SECRETARIAT, Role.INTEGRITY, Role.LIAISON
_LADDER_PLACE = {_DUT: Reach.PLACE, _PRV: Reach.PLACE, _PSC: Reach.ANY}
_LADDER_OWNER = {_DUT: Reach.OWNER, _PRV: Reach.OWNER, _PSC: Reach.ANY}

#: For open (not sealed) cases.
TABLE: dict[str, dict[Role, Reach]] = {
    "acknowledge": _LADDER_OWNER,
    "accept": _LADDER_OWNER,
    "seen": _LADDER_PLACE,
    "update": {_OFF: Reach.OWN, **_LADDER_PLACE},
    "assign": _LADDER_OWNER,
    "raise_severity": {_OFF: Reach.OWN, **_LADDER_PLACE, _NEC: Reach.ANY},
    "lower_severity": {**_LADDER_OWNER, _NEC: Reach.ANY},
    "escalate": {_OFF: Reach.OWN, **_LADDER_PLACE, _NEC: Reach.ANY},
    "hand_back": {_PRV: Reach.OWNER, _PSC: Reach.ANY},
    "contain": _LADDER_OWNER,
    "flare_up": {_OFF: Reach.OWN, **_LADDER_PLACE},
    "resolve": _LADDER_OWNER,
    "close": {_PRV: Reach.PLACE, _PSC: Reach.ANY, _NEC: Reach.ANY},
    "reopen": {_PRV: Reach.PLACE, _PSC: Reach.ANY, _NEC: Reach.ANY},
    "verify": {**_LADDER_PLACE, _NEC: Reach.ANY},
    "propose": {_OFF: Reach.OWN, _LIA: Reach.REPORTER, **_LADDER_PLACE},
    "classify": {_NEC: Reach.ANY},
    "correct": {_OFF: Reach.REPORTER, **_LADDER_PLACE},
    "attach": {_OFF: Reach.OWN, _LIA: Reach.REPORTER, **_LADDER_PLACE},
    "merge": {**_LADDER_PLACE, _NEC: Reach.ANY},
    "unmerge": {**_LADDER_PLACE, _NEC: Reach.ANY},
    "withdraw": {_OFF: Reach.REPORTER, _LIA: Reach.REPORTER, **dict.fromkeys(_LADDER_PLACE, Reach.REPORTER)},
    "dismiss": {**_LADDER_OWNER, _NEC: Reach.ANY},
    "countersign": {**_LADDER_PLACE, _NEC: Reach.ANY},
    "decline": {**_LADDER_PLACE, _NEC: Reach.ANY},
    "snooze": _LADDER_OWNER,
    "wake": _LADDER_OWNER,
    "refer": {**_LADDER_OWNER, _NEC: Reach.ANY},
    "conclude_referral": {**_LADDER_OWNER, _NEC: Reach.ANY},
    "relocate_station": {_NEC: Reach.ANY},
    "record_person": {_OFF: Reach.REPORTER, _LIA: Reach.REPORTER, **_LADDER_OWNER},
    "grant_identity": {_PSC: Reach.ANY, _NEC: Reach.ANY},
    "rebase": {_PSC: Reach.ANY, _NEC: Reach.ANY},
    # Opening is for whoever holds a grant for this case, checked by the action; the reach only keeps strangers out.
    "open_identity": {_OFF: Reach.OWN, _LIA: Reach.REPORTER, **_LADDER_PLACE, _NEC: Reach.ANY},
}

#: For sealed cases: what their reporter may still do; all else is for integrity desks.
SEALED_REPORTER = frozenset({"update", "attach", "withdraw", "record_person", "open_identity"})
#: For sealed cases, acts of the desk at the NEC alone.
SEALED_NEC = frozenset({"classify", "close", "reopen", "countersign", "decline", "relocate_station"})
#: Acts an integrity desk never does.
_NOT_SEALED = frozenset({"merge", "unmerge", "seen", "hand_back", "snooze", "wake"})

_ORDER = ("unrated", "low", "medium", "high", "critical")
#: The most serious case a role may do this to.
CEILING: dict[tuple[str, Role], str] = {
    ("lower_severity", _DUT): "medium",
    ("resolve", _DUT): "medium",
    ("resolve", _PRV): "high",
}


#: Who may take what away in a file (domain 5.2, "Weekly export" and "Row export"); each within what they may see.
FILES: dict[str, tuple[Role, ...]] = {
    "weekly": (_DUT, _PRV, _PSC, _NEC, Role.MINISTRY_ANALYST, Role.AUDITOR),
    "rows": (_PRV, _PSC, _NEC, Role.MINISTRY_ANALYST),
}


def judge_roles(roles: Sequence[Role], postings: Sequence[Posting]) -> Posting:
    """The posting under which what is for these roles may be done. Raises PermissionDenied with who may."""
    for posting in postings:
        if posting.role in roles:
            return posting
    who = ", ".join(str(role.label) for role in roles)
    raise PermissionDenied(_("Your posting may not do this. It is for: %(roles)s.") % {"roles": who})


def judge_file(what: str, postings: Sequence[Posting]) -> Posting:
    """The posting under which a file of this kind ("weekly" figures, "rows" of cases) may be taken away.

    Raises PermissionDenied with a sentence that says who may.
    """
    for posting in postings:
        if posting.role in FILES[what]:
            return posting
    if not postings:
        raise PermissionDenied(_("You hold no posting now, so you cannot act. Ask your administrator."))
    who = ", ".join(str(role.label) for role in FILES[what])
    raise PermissionDenied(_("Your posting may not take this file away. It is for: %(roles)s.") % {"roles": who})


def may_file(what: str, postings: Sequence[Posting]) -> bool:
    """Whether `judge_file` would find a posting."""
    return any(posting.role in FILES[what] for posting in postings)


#: Who may let go what the engine holds back after a leap of the clock.
RELEASES = (_PSC, _NEC)


#: Who may hold a drill anywhere, and who besides, of the commands under their own.
DRILL_WHOLE = (_PSC, _NEC)
DRILLS = (*DRILL_WHOLE, _PRV)


def judge_drill(postings: Sequence[Posting], paths: Iterable[str]) -> Posting:
    """The posting under which a drill of the commands at `paths` may be held. Raises PermissionDenied."""
    wanted = list(paths)
    for posting in postings:
        if posting.role in DRILL_WHOLE:
            return posting
        if posting.role in DRILLS and all(path.startswith(posting.command.path) for path in wanted):
            return posting
    raise PermissionDenied(
        _(
            "Your posting may not hold a drill of these commands. "
            "A province may for its own, the PSC and the NEC for all."
        )
    )


def judge(act: str, postings: Sequence[Posting], facts: Facts) -> Posting:
    """The posting under which the act is allowed.

    Raises PermissionDenied with a sentence that says who may do it instead.
    """
    _separate_duties(act, facts)
    if posting := _granted(act, postings, facts):
        return posting
    raise PermissionDenied(_refusal(act, postings, facts))


def may(act: str, postings: Sequence[Posting], facts: Facts) -> bool:
    """Whether `judge` would find a posting; without its sentence, a quarter of the time of a queue's page."""
    try:
        _separate_duties(act, facts)
    except PermissionDenied:
        return False
    return _granted(act, postings, facts) is not None


def _granted(act: str, postings: Sequence[Posting], facts: Facts) -> Posting | None:
    return next((posting for posting in postings if _allows(act, posting, facts)), None)


def _separate_duties(act: str, facts: Facts) -> None:
    if act == "close" and facts.is_resolver:
        raise PermissionDenied(_("You resolved this case, so somebody else must close it."))
    if act == "countersign" and facts.is_requester:
        raise PermissionDenied(_("You asked for this, so somebody else must countersign it."))


def _allows(act: str, posting: Posting, facts: Facts) -> bool:
    role = Role(posting.role)
    if facts.is_sealed:
        return _allows_sealed(act, posting, facts)
    reach = TABLE.get(act, {}).get(role)
    if reach is None or not _within(reach, posting, facts):
        return False
    ceiling = CEILING.get((act, role))
    if ceiling and _ORDER.index(facts.severity) > _ORDER.index(ceiling):
        return False
    if act in ("close", "dismiss"):
        return (role == _NEC) == facts.needs_nec
    if act == "countersign" and posting.is_acting:
        # Who asks could else choose who agrees: a commander delegates, and the command chosen so countersigns.
        return False
    if act in ("countersign", "decline"):
        if facts.request_act == "snooze":
            return _decides_pause(act, posting, facts)
        return (role == _NEC) == facts.needs_nec_to_countersign
    return True


def _decides_pause(act: str, posting: Posting, facts: Facts) -> bool:
    """Two people of one command could stop its clocks for days, so one of them stands above it where anybody does.

    To decline lets the deadlines run on, which the command itself may always do.
    """
    role = Role(posting.role)
    if role == _NEC:
        return facts.pause_decided_by == "nec"
    if not _within(_LADDER_OWNER.get(role, Reach.REPORTER), posting, facts):
        return False
    is_own = posting.command.path == facts.owner_path
    return act == "decline" or not is_own or facts.pause_decided_by not in ("above", "nec")


def _allows_sealed(act: str, posting: Posting, facts: Facts) -> bool:
    if facts.is_reporter and act in SEALED_REPORTER:
        return True
    if posting.role != Role.INTEGRITY or act in _NOT_SEALED:
        return False
    return act not in SEALED_NEC or posting.command.path.startswith("NEC.")


def _within(reach: Reach, posting: Posting, facts: Facts) -> bool:
    match reach:
        case Reach.REPORTER:
            return facts.is_reporter
        case Reach.OWN:
            return facts.is_reporter or facts.is_assignee
        case Reach.PLACE:
            area = posting.command.jurisdiction
            return area.level != Level.COUNTRY and facts.place.startswith(area.pcode)
        case Reach.OWNER:
            return facts.owner_path.startswith(posting.command.path)
        case Reach.ANY:
            return True


def roles_for(act: str, facts: Facts) -> Iterable[Role]:
    """Roles that may do the act somewhere, for the sentence of a refusal."""
    if facts.is_sealed:
        return (Role.INTEGRITY,)
    roles = TABLE.get(act, {})
    if act in ("close", "dismiss") and facts.needs_nec:
        return (_NEC,)
    return (r for r in roles if _ORDER.index(facts.severity) <= _ORDER.index(CEILING.get((act, r), "critical")))


def _refusal(act: str, postings: Sequence[Posting], facts: Facts) -> str:
    if not postings:
        return _("You hold no posting now, so you cannot act. Ask your administrator.")
    who = ", ".join(str(r.label) for r in roles_for(act, facts))
    if not who:
        return _("Nobody may do this.")
    return _("Your posting may not do this to this case. It is for: %(roles)s.") % {"roles": who}
