"""Two people begin the first draft of an election's policy at the same moment: each has one, under its own number."""

from __future__ import annotations

from functools import partial

import pytest

from commands.models import User
from incidents import policy_actions
from incidents.models import Policy
from tests.at_once import at_once
from tests.cast import NOW, Cast
from tests.incidents.policies.drafts import election, general

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
