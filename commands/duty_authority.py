"""Who keeps the duty roster and the delegations of a command, and who may look at them. Pure: postings in, answer out.

A commander keeps those of the own command and of what stands under it. The NEC secretariat and the integrity desks
stand beside the ladder: they keep their own, a desk also those of the desks under its own body, and no commander
reaches in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from commands.choices import COMMANDING, BodyKind, Role

if TYPE_CHECKING:
    from commands.models import Posting, SecurityCommand

#: Who keeps a roster somewhere.
KEEPERS = (*COMMANDING, Role.NEC_SECRETARIAT, Role.INTEGRITY)
#: See the roster of their own command besides.
_LOOKERS = (*KEEPERS, Role.OFFICER)
#: How far up a body stands that is no rung: desks by what they belong to, the NEC above all.
_NEC_LEVEL = 4


def keeps(postings: Sequence[Posting], command: SecurityCommand) -> bool:
    """Whether one of `postings` keeps the roster of `command`."""
    return any(_keeps(p, command) for p in postings)


def keeper(postings: Sequence[Posting], command: SecurityCommand, *, delegating: bool = False) -> Posting:
    """The posting that keeps the roster of `command`; for `delegating` one that is truly held.

    A command that acts for another may not hand that on. Raises PermissionDenied in words.
    """
    for posting in postings:
        if _keeps(posting, command) and not (delegating and posting.is_acting):
            return posting
    raise PermissionDenied(_("This is for the commanders of %(command)s and above it.") % {"command": command.name})


def sees(postings: Sequence[Posting], command: SecurityCommand) -> bool:
    """Whether the roster of `command` is shown to the holder of `postings`."""
    return any(_keeps(p, command) or (p.command_id == command.pk and p.role in _LOOKERS) for p in postings)


def level_of(command: SecurityCommand) -> int | None:
    """How high a command stands among those that can act for it; None for a body nobody acts for."""
    if command.rung is not None:
        return command.rung
    if command.kind != BodyKind.INTEGRITY_DESK:
        return None
    # PSC.PSC-ID. stands as high as the PSC, PSC.KH21.KH21-ID. as the province.
    return _NEC_LEVEL if command.path.startswith("NEC.") else 5 - command.path.count(".")


def may_act_for(acting: SecurityCommand, command: SecurityCommand) -> bool:
    """Whether `acting` is of the kind that can act for `command`: a rung for a rung, a desk for a desk, never lower.

    So no unit comes to hold a case about itself: what a desk holds is about units below its body, and only a desk as
    high or higher acts for it.
    """
    mine, theirs = level_of(acting), level_of(command)
    same = (acting.rung is None) == (command.rung is None)
    return mine is not None and theirs is not None and same and mine >= theirs


def _keeps(posting: Posting, command: SecurityCommand) -> bool:
    match posting.role:
        case Role.DUTY_COMMANDER | Role.PROVINCIAL_COMMAND | Role.PSC_WATCH:
            return command.rung is not None and command.path.startswith(posting.command.path)
        case Role.NEC_SECRETARIAT:
            return posting.command_id == command.pk
        case Role.INTEGRITY:
            if command.kind != BodyKind.INTEGRITY_DESK:
                return False
            return posting.command_id == command.pk or command.path.startswith(_body(posting.command))
        case _:
            return False


def _body(desk: SecurityCommand) -> str:
    """Path of what a desk belongs to: that of the desk without its last code."""
    return desk.path.rstrip(".").rpartition(".")[0] + "."
