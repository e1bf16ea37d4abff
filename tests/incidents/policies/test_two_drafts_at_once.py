"""Two people begin the first draft of an election's policy at the same moment: each has one, under its own number."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from commands.models import User
from incidents import policy_actions
from incidents.models import Policy
from tests.cast import NOW, Cast
from tests.incidents.policies.drafts import election, general

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_each_of_two_first_drafts_has_its_own_number(cast: Cast) -> None:
    assert not Policy.objects.filter(election=election()).exists()
    people, barrier, made = [cast.psc, cast.nec], threading.Barrier(2), dict[str, object]()

    def make(person: User) -> None:
        try:
            for _posting in person.current_postings:
                barrier.wait(10)
                break
            made[person.username] = policy_actions.draft(general(), election=election(), by=person, now=NOW).number
        except Exception as fault:  # handed to the test, which a thread cannot fail
            made[person.username] = fault
        finally:
            connection.close()

    for _round in range(5):
        made.clear()
        threads = [threading.Thread(target=make, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(map(str, made.values())) == ["1", "2"], made
        Policy.objects.filter(election=election()).delete()
