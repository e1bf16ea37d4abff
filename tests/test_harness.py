"""The harness keeps its promises: the cast is posted, and a committing test leaves the baseline as it found it."""

import pytest

from commands.models import Posting, User
from elections.models import Jurisdiction
from tests.cast import DISTRICT, ROLES, Cast


def test_everybody_but_the_relieved_commander_is_posted(cast: Cast) -> None:
    for name, (role, _kind, place) in ROLES.items():
        postings = getattr(cast, name).current_postings
        if name == "relieved":
            assert postings == []
        else:
            assert [(p.role, p.command.jurisdiction_id) for p in postings] == [(role, place)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", [1, 2])
def test_what_a_test_commits_is_gone_in_the_next(time: int) -> None:
    assert not User.objects.filter(username="left-over").exists()
    assert Jurisdiction.objects.filter(pcode=DISTRICT).exists()
    User.objects.create(username="left-over")
    Posting.objects.filter(role="officer").delete()


def test_the_reference_data_is_there_after_a_committing_test(cast: Cast) -> None:
    assert cast.command("officer").jurisdiction_id == DISTRICT
