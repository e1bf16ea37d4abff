"""An empty system gets its first administrator once, from the environment."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from commands import actions
from commands.choices import Role
from commands.models import Posting, User

PASSWORD = "four quiet words here"


@pytest.fixture
def none_yet(db: None) -> None:
    Posting.objects.filter(role=Role.ADMINISTRATOR).delete()


def test_it_makes_account_and_posting_and_does_nothing_the_second_time(none_yet: None, monkeypatch: Any) -> None:
    monkeypatch.setenv("FIRST_ADMIN_USERNAME", "chief")
    monkeypatch.setenv("FIRST_ADMIN_PASSWORD", PASSWORD)
    call_command("first_administrator", stdout=StringIO())
    chief = User.objects.get(username="chief")
    assert chief.check_password(PASSWORD) and chief.is_staff
    assert [(p.role, p.command.code) for p in chief.current_postings] == [(Role.ADMINISTRATOR, "ADMIN")]
    out = StringIO()
    monkeypatch.setenv("FIRST_ADMIN_USERNAME", "second")
    call_command("first_administrator", stdout=out)
    assert "already" in out.getvalue() and not User.objects.filter(username="second").exists()


def test_a_weak_password_is_one_sentence_and_no_account(none_yet: None, monkeypatch: Any) -> None:
    monkeypatch.setenv("FIRST_ADMIN_USERNAME", "chief")
    monkeypatch.setenv("FIRST_ADMIN_PASSWORD", "short")
    with pytest.raises(CommandError):
        call_command("first_administrator", stdout=StringIO())
    assert not User.objects.filter(username="chief").exists()


def test_without_terminal_and_environment_it_says_what_to_set(none_yet: None, monkeypatch: Any) -> None:
    monkeypatch.delenv("FIRST_ADMIN_USERNAME", raising=False)
    monkeypatch.delenv("FIRST_ADMIN_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="FIRST_ADMIN_USERNAME"):
        call_command("first_administrator", stdout=StringIO())


def test_a_taken_name_is_refused(none_yet: None, cast: Any, now: dt.datetime) -> None:
    with pytest.raises(ValidationError):
        actions.make_first_administrator(cast.officer.username, PASSWORD, now=now)


def test_a_posting_is_made_once_and_ended_not_deleted(cast: Any, now: dt.datetime) -> None:
    command = cast.command("neighbour")
    first = actions.post(cast.officer, role=Role.OFFICER, command=command, now=now)
    assert actions.post(cast.officer, role=Role.OFFICER, command=command, now=now) == first
    actions.end_posting(first, now=now + dt.timedelta(days=1))
    assert Posting.objects.get(pk=first.pk).ends_at == now + dt.timedelta(days=1)
