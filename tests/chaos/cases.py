"""Cases whose steps fall due while the stage runs: reported up to some minutes ago, under a policy of a few minutes."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from uuid import UUID

from commands.models import User
from elections.choices import Level, Phase
from elections.models import Jurisdiction
from incidents import policies
from incidents.choices import SEVERITY_ORDER, Act, Severity
from incidents.models import Policy, PolicyStep, ResponseTarget
from incidents.taxonomy import usual_steps
from tests.cast import COMMUNE, NEIGHBOUR, OTHER_PROVINCE, Cast
from tests.factories import make_incident, make_sealed

#: Minutes to acknowledge, for the first update, the next ones, to contain and to resolve.
ACKNOWLEDGE, FIRST_UPDATE, EVERY, CONTAIN, RESOLVE = 1, 2, 2, 4, 6
#: The oldest case was reported so long ago: everything up to the top of its ladder is due, or falls due soon.
SPREAD = dt.timedelta(minutes=4)
_CATEGORIES = ("CRM-06", "CRM-06", "CRM-02", "HAZ-03", "CRM-01")


def short_policy(now: dt.datetime, times: int = 1, *, polling: int = 0) -> Policy:
    """A published general policy with the usual steps and targets of some minutes, in force from a day ago.

    `times` as long; while people vote `polling` times as long, where that is given.
    """
    number = Policy.objects.filter(election=None).order_by("-number").values_list("number", flat=True)[0] + 1
    since = now - dt.timedelta(days=1)
    policy = Policy.objects.create(number=number, note="chaos", created_at=since)
    PolicyStep.objects.bulk_create(usual_steps(policy))
    ResponseTarget.objects.bulk_create(
        ResponseTarget(
            policy=policy,
            phase=phase,
            severity=severity,
            acknowledge_minutes=ACKNOWLEDGE * length,
            first_update_minutes=FIRST_UPDATE * length,
            update_every_minutes=EVERY * length if severity == Severity.CRITICAL else None,
            contain_minutes=CONTAIN * length,
            resolve_minutes=RESOLVE * length,
        )
        for phase in Phase
        for length in [polling if polling and phase == Phase.POLLING else times]
        for severity in SEVERITY_ORDER
        if severity != Severity.UNRATED
    )
    # Published last: from then on the database refuses any change of it.
    policy.published_at = since
    policy.save(update_fields=["published_at"])
    policies.forget()
    return policy


def seed(count: int, now: dt.datetime, *, number: int = 1, spread: dt.timedelta = SPREAD) -> list[UUID]:
    """`count` cases in three provinces, some critical, one in twelve sealed; the same ones for the same `number`."""
    draw, cast = random.Random(number), Cast()
    makers: Sequence[tuple[User, str]] = [
        *[(cast.officer, COMMUNE)] * 3,
        (cast.neighbour, _commune_in(NEIGHBOUR)),
        (cast.other_province, _commune_in(OTHER_PROVINCE)),
    ]
    made = []
    for place in range(count):
        at = now - spread * draw.random()
        if place % 12 == 11:
            made.append(make_sealed(now=at))
            continue
        by, commune = draw.choice(makers)
        made.append(make_incident(by=by, now=at, place=commune, category=draw.choice(_CATEGORIES)))
    return [case.pk for case in made]


def _commune_in(place: str) -> str:
    found = Jurisdiction.objects.filter(pcode__startswith=place, level=Level.COMMUNE).order_by("pcode")
    return found.values_list("pcode", flat=True)[0]


def untouched(keys: Sequence[UUID]) -> set[UUID]:
    """Those of the cases that nobody acted on after the report."""
    from incidents.models import Entry

    touched = Entry.objects.filter(incident__in=keys, by__isnull=False).exclude(act=Act.REPORT)
    return set(keys) - set(touched.values_list("incident", flat=True))
