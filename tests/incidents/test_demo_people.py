"""The demonstration's people and places: one account a role, the ladder staffed, all of it only where DEMO is set."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from commands.choices import BodyKind, Role
from commands.demo import PASSWORD, PREFIX, accounts
from commands.models import Posting, SecurityCommand, User
from elections.models import Jurisdiction
from incidents.demo.people import ACCOUNTS, make_accounts, make_demo_province, staff_the_ladder


@pytest.fixture
def staffed(db: None, settings: Any) -> None:
    settings.DEMO = True
    make_demo_province()
    make_accounts()
    staff_the_ladder()


def test_it_refuses_where_no_demonstration_is_declared(db: None) -> None:
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("seed_demo", verbosity=0)
    assert not User.objects.filter(username__startswith=PREFIX).exists()


def test_there_is_an_account_for_every_role(staffed: None, now: Any) -> None:
    assert {p.role for p in accounts(now)} == set(Role.values)
    assert len(accounts(now)) == len(ACCOUNTS)
    assert User.objects.get(username="demo-duty-daunkeo").check_password(PASSWORD)


def test_only_demonstration_accounts_can_sign_in(staffed: None) -> None:
    others = User.objects.exclude(username__startswith=PREFIX)
    assert others.count() > 400
    assert not any(user.has_usable_password() for user in others)


def test_every_rung_and_desk_has_somebody(staffed: None) -> None:
    kinds = [BodyKind.PSC, BodyKind.PROVINCE, BodyKind.DISTRICT, BodyKind.POST, BodyKind.INTEGRITY_DESK]
    empty = SecurityCommand.objects.filter(kind__in=kinds).exclude(postings__in=Posting.objects.filter(ends_at=None))
    assert not empty.exists()
    districts = SecurityCommand.objects.filter(kind=BodyKind.DISTRICT, jurisdiction__is_fictional=False)
    assert not districts.exclude(postings__role=Role.OFFICER).exists()


def test_the_demo_province_is_fictional_and_has_no_outline(staffed: None) -> None:
    places = Jurisdiction.objects.under("KH99")
    assert places.filter(level="district").count() == 3
    assert not places.filter(is_fictional=False).exists() and not places.filter(has_outline=True).exists()
    assert Jurisdiction.objects.filter(is_fictional=True).count() == places.count()


def test_only_the_administrator_enters_the_admin(staffed: None) -> None:
    staff = User.objects.filter(username__startswith=PREFIX, is_staff=True)
    assert [u.username for u in staff] == ["demo-admin"]


def test_a_second_time_makes_nobody(staffed: None) -> None:
    people, postings = User.objects.count(), Posting.objects.count()
    make_demo_province()
    assert make_accounts() == [] and staff_the_ladder() == []
    assert (User.objects.count(), Posting.objects.count()) == (people, postings)
