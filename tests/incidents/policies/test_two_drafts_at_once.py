"""Two people at one line of versions at the same moment: each draft has its own number, one of two comes into force.

Published side by side, neither would see the other: the earlier draft would come after the newer version, or the second
would take back what the first changed.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from django.core.exceptions import ValidationError

from commands.models import User
from incidents import policy_actions
from incidents.models import Policy
from incidents.policies import content_of
from tests.at_once import at_once
from tests.cast import NOW, Cast
from tests.incidents.policies.drafts import drafted, edited, election, faster, general, with_target

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_each_of_two_first_drafts_has_its_own_number(cast: Cast) -> None:
    assert not Policy.objects.filter(election=election()).exists()
    people = cast.psc, cast.nec
    # Read before, so that both come to the same place at the same time.
    assert all(person.current_postings for person in people)

    def make(person: User) -> int:
        return policy_actions.draft(general(), election=election(), by=person, now=NOW).number

    for _round in range(5):
        made = at_once(*[partial(make, person) for person in people])
        assert sorted(map(str, made)) == ["1", "2"], made
        Policy.objects.filter(election=election()).delete()


def test_of_two_drafts_published_at_once_one_comes_into_force(cast: Cast) -> None:
    people = cast.nec, cast.nec_second
    assert all(person.current_postings for person in people)

    def publish(draft: Policy, mark: str, person: User, now: dt.datetime) -> int:
        return policy_actions.publish(draft, mark=mark, by=person, now=now).number

    for number in range(5):
        written, now = NOW + dt.timedelta(hours=number), NOW + dt.timedelta(hours=number, minutes=30)
        drafts = [
            edited(drafted(now=written), faster(2), now=written),
            edited(drafted(now=written), with_target("campaign", "low", contain=9000), now=written),
        ]
        marks = [content_of(draft).mark() for draft in drafts]
        given = at_once(*[partial(publish, d, m, p, now) for d, m, p in zip(drafts, marks, people, strict=True)])
        assert Policy.objects.filter(published_at=now).count() == 1, given
        refused = [str(fault) for fault in given if isinstance(fault, ValidationError)]
        assert len(refused) == 1 and "was published meanwhile" in refused[0], given
