"""An empty system gets its first administrator once, from the environment."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from commands import actions
from commands.choices import Role
from commands.models import Posting, User
from tests.cast import POSTED_AT

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


def test_in_a_terminal_it_asks_again_until_the_password_will_do(none_yet: None, monkeypatch: Any) -> None:
    typed = iter(["short", "short", "four quiet words", "four noisy words", PASSWORD, PASSWORD])
    monkeypatch.setenv("FIRST_ADMIN_USERNAME", "chief")
    monkeypatch.delenv("FIRST_ADMIN_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    out = StringIO()
    call_command("first_administrator", stdout=out)
    assert "too short" in out.getvalue() and "differ. Once more" in out.getvalue()
    assert User.objects.get(username="chief").check_password(PASSWORD)


def test_they_open_every_list_of_the_reference_data_and_no_case(
    none_yet: None, signed_in: Any, make_incident: Any, make_sealed: Any
) -> None:
    cases = [make_incident(), make_sealed()]
    chief = actions.make_first_administrator("chief", PASSWORD, now=POSTED_AT)
    assert [p.role for p in User.objects.get(pk=chief.pk).current_postings] == [Role.ADMINISTRATOR]
    client = signed_in(chief)
    assert client.get("/admin/").status_code == 200
    for model in admin.site._registry:
        assert client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/").status_code == 200
    assert client.get("/admin/elections/election/add/").status_code == 200
    assert client.get("/admin/commands/user/add/").status_code == 200
    for case in cases:
        assert client.get(f"/incidents/{case.pk}/").status_code == 404
        assert client.get(f"/admin/incidents/incident/{case.pk}/change/").status_code == 404
        for page in ("/", "/incidents/", "/incidents/?state=all", "/incidents/more/", "/incidents/inbox/", "/admin/"):
            assert case.reference not in client.get(page, follow=True).content.decode()
    assert client.get("/dashboard/").status_code == 404


def test_a_taken_name_is_refused(none_yet: None, cast: Any, now: dt.datetime) -> None:
    with pytest.raises(ValidationError):
        actions.make_first_administrator(cast.officer.username, PASSWORD, now=now)


def test_a_posting_is_made_once_and_ended_not_deleted(cast: Any, now: dt.datetime) -> None:
    command = cast.command("neighbour")
    first = actions.post(cast.officer, role=Role.OFFICER, command=command, now=now)
    assert actions.post(cast.officer, role=Role.OFFICER, command=command, now=now) == first
    actions.end_posting(first, now=now + dt.timedelta(days=1))
    assert Posting.objects.get(pk=first.pk).ends_at == now + dt.timedelta(days=1)
