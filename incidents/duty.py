"""Acts on duty rosters and delegations: who may, the change, its journal entry and who is told, in one transaction.

What is possible at all is checked where it is written: `commands.duty_actions` and `commands.delegations`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from commands import delegations, duty_actions
from commands.duty_authority import keeper
from commands.models import Cover, Delegation, Posting, Roster, SecurityCommand, Shift, Swap, SwapState, User
from incidents import entries
from incidents.choices import Act
from incidents.delivery.outbox import tell
from incidents.routing import posted_at

Hours = tuple[dt.datetime, dt.datetime]


# ---- The roster ----


@transaction.atomic
def switch(command: SecurityCommand, is_on: bool, *, by: User, now: dt.datetime) -> Roster:
    """Take the roster of `command` into use, or out of it; everybody who answers there is told."""
    posting = keeper(by.current_postings, command)
    roster = duty_actions.switch(command, is_on, now=now)
    _record("roster_on" if is_on else "roster_off", command, by, posting, now, posted_at([command], now)[command.pk])
    return roster


@transaction.atomic
def add_shifts(
    command: SecurityCommand,
    *,
    person: User,
    weekdays: Collection[int],
    starts: dt.time,
    minutes: int,
    first: dt.date,
    last: dt.date | None,
    by: User,
    now: dt.datetime,
) -> list[Shift]:
    """Put somebody on the roster for the same hours of some weekdays."""
    posting = keeper(by.current_postings, command)
    made = duty_actions.add_shifts(
        command, person=person, weekdays=weekdays, starts=starts, minutes=minutes, first=first, last=last, now=now
    )
    _record(
        "shift_made", command, by, posting, now, [person],
        person=person.username, weekdays=[s.weekday for s in made], **_shift(made[0]),
    )  # fmt: skip
    return made


@transaction.atomic
def change_shift(
    shift: Shift,
    *,
    person: User,
    starts: dt.time,
    minutes: int,
    first: dt.date,
    last: dt.date | None,
    by: User,
    now: dt.datetime,
) -> Shift:
    """Other hours, or another person, from a day on."""
    command = shift.roster.command
    posting = keeper(by.current_postings, command)
    before = {"person": shift.person.username, "weekdays": [shift.weekday], **_shift(shift)}
    made = duty_actions.change_shift(
        shift, person=person, starts=starts, minutes=minutes, first=first, last=last, now=now
    )
    _record(
        "shift_changed", command, by, posting, now, [shift.person, person], before=before,
        person=person.username, weekdays=[made.weekday], **_shift(made),
    )  # fmt: skip
    return made


@transaction.atomic
def end_shift(shift: Shift, *, last: dt.date, by: User, now: dt.datetime) -> None:
    """No longer, after the day `last`."""
    command = shift.roster.command
    posting = keeper(by.current_postings, command)
    ended = duty_actions.end_shift(shift, last=last, now=now)
    values = {"person": shift.person.username, "weekdays": [shift.weekday], **_shift(ended), "last": last.isoformat()}
    _record("shift_ended", command, by, posting, now, [shift.person], **values)


# ---- Covers and swaps ----


@transaction.atomic
def add_cover(
    command: SecurityCommand,
    *,
    person: User | None,
    replaces: User | None,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str = "",
    by: User,
    now: dt.datetime,
) -> Cover:
    """For some hours somebody else, somebody more, or nobody in the place of one."""
    posting = keeper(by.current_postings, command)
    cover = duty_actions.add_cover(
        command, person=person, replaces=replaces, starts_at=starts_at, ends_at=ends_at, reason=reason, by=by, now=now
    )
    _record("cover_made", command, by, posting, now, _people(person, replaces), reason=reason, **_cover(cover))
    return cover


@transaction.atomic
def end_cover(cover: Cover, *, by: User, now: dt.datetime) -> None:
    """The roster holds again."""
    command = cover.roster.command
    posting = keeper(by.current_postings, command)
    duty_actions.end_cover(cover, now=now)
    _record("cover_ended", command, by, posting, now, _people(cover.person, cover.replaces), **_cover(cover))


@transaction.atomic
def ask_swap(
    command: SecurityCommand, *, asked_of: User, hours: Hours, back: Hours | None, by: User, now: dt.datetime
) -> Swap:
    """Ask a colleague to take hours of your own. Whoever is on the roster may ask."""
    swap = duty_actions.ask_swap(command, asked_by=by, asked_of=asked_of, hours=hours, back=back, now=now)
    _record("swap_asked", command, by, _own(by, command), now, [asked_of], **_swap(swap))
    return swap


@transaction.atomic
def answer_swap(swap: Swap, answer: str, *, by: User, now: dt.datetime) -> Swap:
    """ "agreed" or "declined" by who was asked, "withdrawn" by who asked; each tells the other."""
    allowed = {SwapState.AGREED: swap.asked_of, SwapState.DECLINED: swap.asked_of, SwapState.WITHDRAWN: swap.asked_by}
    state = SwapState(answer)
    if state not in allowed or allowed[state].pk != by.pk:
        raise PermissionDenied(_("Only the two people of a swap decide about it."))
    command = swap.roster.command
    decided = duty_actions.answer_swap(swap, state, by=by, now=now)
    other = swap.asked_by if by.pk == swap.asked_of_id else swap.asked_of
    _record(f"swap_{state.value}", command, by, _own(by, command), now, [other], **_swap(decided))
    return decided


# ---- Delegations ----


@transaction.atomic
def delegate(
    command: SecurityCommand,
    acting: SecurityCommand,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    by: User,
    now: dt.datetime,
) -> Delegation:
    """For a time, `acting` answers for `command`. By a commander of it or above, by right of their own posting."""
    posting = keeper(by.current_postings, command, delegating=True)
    made = delegations.delegate(
        command, acting, starts_at=starts_at, ends_at=ends_at, reason=reason, by=by, now=now
    )  # fmt: skip
    _record("delegated", command, by, posting, now, _both(made, now), reason=made.reason, **_delegation(made))
    return made


@transaction.atomic
def end_delegation(delegation: Delegation, *, by: User, now: dt.datetime) -> None:
    """Over from now on."""
    posting = keeper(by.current_postings, delegation.command, delegating=True)
    told = _both(delegation, now)
    ended = delegations.end_delegation(delegation, now=now)
    _record("delegation_ended", delegation.command, by, posting, now, told, **_delegation(ended))


# ---- Parts ----


def _both(delegation: Delegation, now: dt.datetime) -> list[User]:
    found = posted_at([delegation.command_id, delegation.acting_id], now)
    return [person for people in found.values() for person in people]


def _own(person: User, command: SecurityCommand) -> Posting | None:
    """The posting a person swaps under: that at the command, else their first."""
    postings = person.current_postings
    return next((p for p in postings if p.command_id == command.pk), postings[0] if postings else None)


def _people(*people: User | None) -> list[User]:
    return [p for p in people if p is not None]


def _shift(shift: Shift) -> dict[str, Any]:
    return {
        "starts": shift.starts.isoformat("minutes"),
        "minutes": shift.minutes,
        "first": shift.valid_from.isoformat(),
        "last": shift.valid_to.isoformat() if shift.valid_to else None,
    }


def _cover(cover: Cover) -> dict[str, Any]:
    return {
        "person": cover.person.username if cover.person else None,
        "replaces": cover.replaces.username if cover.replaces else None,
        **_hours(cover.starts_at, cover.ends_at),
    }


def _swap(swap: Swap) -> dict[str, Any]:
    back = {"back_at": swap.back_at.isoformat()} if swap.back_at else {}
    people = {"person": swap.asked_by.username, "other": swap.asked_of.username}
    return {**people, **_hours(swap.starts_at, swap.ends_at), **back}


def _delegation(delegation: Delegation) -> dict[str, Any]:
    return {"acting": delegation.acting.code, **_hours(delegation.starts_at, delegation.ends_at)}


def _hours(start: dt.datetime, end: dt.datetime) -> dict[str, str]:
    return {"from": start.isoformat(), "until": end.isoformat()}


def _record(
    what: str,
    command: SecurityCommand,
    by: User,
    posting: Posting | None,
    now: dt.datetime,
    told: Iterable[User],
    *,
    reason: str = "",
    before: dict[str, Any] | None = None,
    **after: Any,
) -> None:
    said = {"command": command.code, **after}
    entry = entries.record(Act.DUTY, what, by=by, posting=posting, now=now, before=before, after=said, reason=reason)
    tell(entry, told, "duty")
