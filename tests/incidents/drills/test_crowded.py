"""How many drills a command has in an hour: its own count, of those that call it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from commands.models import Posting
from incidents import drills
from incidents.escalation import rehearsal
from tests.cast import Cast
from tests.incidents.drills.stage import MINUTES, at, hold

pytestmark = pytest.mark.django_db


def test_each_command_has_its_own_count(cast: Cast) -> None:
    """Drills of other provinces in the same hour do not keep the PSC from one of the country."""
    for code, by, number in (("KH2108", cast.provincial, 3), ("KH9901", cast.demo_provincial, 2)):
        for _number in range(number):
            drills.cancel(hold(code, by=by), by=by, now=at(0))
    drills.cancel(hold("KH2108", "KH9901", by=cast.psc), by=cast.psc, now=at(0))
    drills.cancel(hold("KH2108", by=cast.provincial), by=cast.provincial, now=at(0))
    with pytest.raises(ValidationError, match="One of these commands has 5 drills in that hour"):
        hold("KH2108", "KH9901", by=cast.psc)


def test_one_that_the_engine_called_off_when_it_was_to_begin_called_nobody(cast: Cast) -> None:
    planned = [
        hold("KH2108", by=cast.provincial, name=f"Tuesday {number}", starts_at=at(60 + 5 * number), minutes=1)
        for number in range(5)
    ]
    Posting.objects.filter(user=cast.provincial).update(ends_at=at(30))
    for number, drill in enumerate(planned):
        rehearsal.run(drill.pk, at(60 + 5 * number))
    hold("KH2108", starts_at=at(90), now=at(85), minutes=MINUTES)
