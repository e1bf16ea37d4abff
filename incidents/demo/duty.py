"""Duty of the demonstration: rosters with and without gaps, a delegation, a swap that waits and quiet hours.

Planned from the day it is made, so the cases before it ran under nobody's roster. The roster of the demonstration's own
district is a plan and not in use: whoever signs in there is told of everything at any hour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from commands.choices import Role
from commands.demo import PREFIX
from commands.models import (
    ContactPoint,
    Cover,
    Delegation,
    Posting,
    Roster,
    SecurityCommand,
    Shift,
    Swap,
    User,
)
from incidents.demo.people import POSTED_AT

DAY = dt.timedelta(days=1)
OWN = "KH2108"
_Part = tuple[int, Sequence[int], int, int]
#: Day and night of a week: number of the person, weekdays, from hour, hours.
_ROUND: list[_Part] = [(0, range(5), 7, 12), (1, range(7), 19, 12), (2, (5, 6), 7, 12)]
_HOLE: list[_Part] = [(0, range(5), 7, 12), (1, range(7), 19, 12), (2, (5,), 7, 12), (2, (6,), 7, 6)]
_OFFICE: list[_Part] = [(0, range(5), 7, 12)]
_ROSTERS = {OWN: _HOLE, "KH2109": _HOLE, "KH2104": _ROUND, "KH2107": _OFFICE}
ACTED_FOR, ACTING = "KH2105", "KH2106"


@transaction.atomic
def make_duty(now: dt.datetime) -> None:
    """All of it; nothing where there is a roster already."""
    if Roster.objects.exists():
        return
    codes = [*_ROSTERS, ACTED_FOR, ACTING]
    commands = {c.code: c for c in SecurityCommand.objects.filter(code__in=codes)}
    for code, pattern in _ROSTERS.items():
        people = _people(commands[code], now)
        roster = Roster.objects.create(command=commands[code], is_on=code != OWN)
        first = timezone.localdate(now)
        Shift.objects.bulk_create(
            Shift(
                roster=roster, person=people[who], weekday=day, starts=dt.time(hour), minutes=hours * 60,
                valid_from=first,
            )
            for who, days, hour, hours in pattern
            for day in days
        )  # fmt: skip
        if pattern is _HOLE:
            _exchange(roster, people, now)
    commander = User.objects.get(username=f"{PREFIX}province-takeo")
    Delegation.objects.create(
        command=commands[ACTED_FOR], acting=commands[ACTING], starts_at=now - DAY, ends_at=now + 4 * DAY,
        reason="ផ្លូវលិចទឹក", made_by=commander, made_at=now - DAY,
    )  # fmt: skip
    ContactPoint.objects.create(
        user=User.objects.get(username=f"{PREFIX}duty-daunkeo"), channel="email", address="duty-daunkeo@example.org",
        created_at=now, verified_at=now, quiet_from=dt.time(22), quiet_to=dt.time(5),
    )  # fmt: skip


def _people(command: SecurityCommand, now: dt.datetime) -> list[User]:
    """Who answers at the command, those of the demonstration first, filled up to three with accounts nobody enters."""
    posted = Posting.objects.current(now).filter(command=command, role=Role.DUTY_COMMANDER).select_related("user")
    found = sorted((p.user for p in posted), key=lambda u: (not u.username.startswith(PREFIX), u.pk))
    for number in range(len(found) + 1, 4):
        person = User.objects.create(username=f"duty-{command.code}-{number}".lower(), password=make_password(None))
        Posting.objects.create(
            user=person, role=Role.DUTY_COMMANDER, command=command, starts_at=POSTED_AT, conduct_accepted_at=POSTED_AT
        )
        found.append(person)
    return found


def _exchange(roster: Roster, people: list[User], now: dt.datetime) -> None:
    """The first night of the second person is covered by the third; and the second asks the first for a night."""
    tomorrow = timezone.localdate(now) + DAY
    zone = timezone.get_default_timezone()
    night = dt.datetime.combine(tomorrow, dt.time(19), zone)
    Cover.objects.create(
        roster=roster, person=people[2], replaces=people[1], starts_at=night, ends_at=night + DAY / 2, reason="ឈឺ",
        made_by=people[0], made_at=now,
    )  # fmt: skip
    Swap.objects.create(
        roster=roster, asked_by=people[1], asked_of=people[0], starts_at=night + 2 * DAY,
        ends_at=night + 2 * DAY + DAY / 2, made_at=now,
    )  # fmt: skip
