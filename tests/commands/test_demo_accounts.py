"""What `make run` prints: one account a role, and nothing on a real system."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from commands.choices import Role
from commands.demo import PASSWORD, PREFIX
from commands.models import Posting, User
from tests.cast import POSTED_AT


@pytest.fixture
def demonstration(cast: Any, settings: Any) -> None:
    settings.DEMO = True
    User.objects.filter(username__startswith=PREFIX).delete()
    for name, role in [("b", Role.OFFICER), ("a", Role.OFFICER), ("c", Role.AUDITOR)]:
        user = User.objects.create(username=PREFIX + name)
        body = "auditor" if role == Role.AUDITOR else "officer"
        Posting.objects.create(user=user, role=role, command=cast.command(body), starts_at=POSTED_AT)


def printed() -> str:
    out = StringIO()
    call_command("demo_accounts", stdout=out)
    return out.getvalue()


def test_the_first_made_of_each_role_is_shown_and_the_others_are_counted(demonstration: None) -> None:
    lines = printed().strip().splitlines()
    assert PASSWORD in lines[0]
    assert [line.split()[0] for line in lines[1:3]] == ["demo-b", "demo-c"]
    assert lines[3].strip() == "and 1 more, which the sign-in page lists" and len(lines) == 4


def test_a_real_system_has_none(demonstration: None, settings: Any) -> None:
    settings.DEMO = False
    assert printed() == ""
