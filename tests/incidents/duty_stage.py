"""A roster of the cast's district with one row of everything, for tests that only need it to be there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from commands.choices import Role
from commands.models import Cover, Delegation, Posting, Roster, Shift, Swap, User
from tests.cast import NOW, POSTED_AT, Cast

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@dataclass
class Duty:
    roster: Roster
    shift: Shift
    cover: Cover
    swap: Swap
    delegation: Delegation
    second: User


def second_commander(cast: Cast) -> User:
    """A second duty commander of the district."""
    person = User.objects.create(username="second-duty", language="en")
    Posting.objects.create(
        user=person, role=Role.DUTY_COMMANDER, command=cast.command("duty_commander"), starts_at=POSTED_AT
    )
    return person


def plan_duty(cast: Cast, *, is_on: bool = False) -> Duty:
    """The commander from 06:00 to 18:00 every day; a cover and a delegation run; a swap waits for the commander."""
    second = second_commander(cast)
    here = cast.command("duty_commander")
    roster = Roster.objects.create(command=here, is_on=is_on)
    shifts = [
        Shift.objects.create(
            roster=roster, person=cast.duty_commander, weekday=day, starts=dt.time(6), minutes=720,
            valid_from=NOW.date() - 30 * DAY,
        )
        for day in range(7)
    ]  # fmt: skip
    cover = Cover.objects.create(
        roster=roster, person=second, replaces=cast.duty_commander, starts_at=NOW - HOUR, ends_at=NOW + HOUR,
        reason="Ill", made_by=cast.provincial, made_at=NOW - HOUR,
    )  # fmt: skip
    swap = Swap.objects.create(
        roster=roster, asked_by=second, asked_of=cast.duty_commander, starts_at=NOW + DAY, ends_at=NOW + DAY + HOUR,
        made_at=NOW,
    )  # fmt: skip
    delegation = Delegation.objects.create(
        command=here, acting=cast.command("neighbour"), starts_at=NOW - HOUR, ends_at=NOW + DAY, reason="Flood",
        made_by=cast.provincial, made_at=NOW,
    )  # fmt: skip
    return Duty(roster, shifts[0], cover, swap, delegation, second)
