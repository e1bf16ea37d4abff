"""API tokens: shown once, kept as a hash, ended by date or by hand, never another person's."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from commands import actions
from commands.models import ApiToken


def test_the_secret_is_in_one_answer_and_its_hash_in_the_database(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    response = client.post(reverse("account:create_token"), {"name": "Hotline", "expires_on": ""})
    token = ApiToken.objects.get(user=cast.officer)
    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert token.digest == ApiToken.digest_of(secret) and secret not in str(vars(token))
    assert secret not in client.get(reverse("account:tokens")).content.decode()


def test_the_last_day_is_a_whole_day_of_local_time(cast: Any, signed_in: Any) -> None:
    day = timezone.localdate() + dt.timedelta(days=5)
    signed_in(cast.officer).post(reverse("account:create_token"), {"name": "Hotline", "expires_on": day.isoformat()})
    expires = timezone.localtime(ApiToken.objects.get(user=cast.officer).expires_at)
    assert (expires.date(), expires.time()) == (day + dt.timedelta(days=1), dt.time())


@pytest.mark.parametrize("days", [-3, 3000])
def test_a_day_that_cannot_be_is_refused_and_what_was_typed_stays(days: int, cast: Any, signed_in: Any) -> None:
    day = timezone.localdate() + dt.timedelta(days=days)
    response = signed_in(cast.officer).post(
        reverse("account:create_token"), {"name": "Hotline", "expires_on": day.isoformat()}
    )
    assert response.status_code == 400
    assert "within two years" in response.content.decode() and 'value="Hotline"' in response.content.decode()
    assert not ApiToken.objects.exists()


def test_revoking_ends_it_and_keeps_the_first_moment(cast: Any, now: dt.datetime) -> None:
    token, _secret = actions.create_token(cast.officer, name="Hotline", now=now)
    assert token.is_live(now)
    actions.revoke_token(token, now=now)
    actions.revoke_token(token, now=now + dt.timedelta(hours=1))
    assert token.revoked_at == now and not token.is_live(now)


def test_a_token_of_somebody_else_is_not_there(cast: Any, signed_in: Any, now: dt.datetime) -> None:
    token, _secret = actions.create_token(cast.neighbour, name="Theirs", now=now)
    client = signed_in(cast.officer)
    assert client.post(reverse("account:revoke_token", args=[token.pk])).status_code == 404
    assert "Theirs" not in client.get(reverse("account:tokens")).content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None


def test_there_is_an_end_to_how_many(cast: Any, now: dt.datetime) -> None:
    for n in range(actions.TOKENS_AT_MOST):
        actions.create_token(cast.officer, name=f"Client {n}", now=now)
    with pytest.raises(ValidationError):
        actions.create_token(cast.officer, name="One more", now=now)


def test_a_name_of_nothing_is_refused(cast: Any, now: dt.datetime) -> None:
    with pytest.raises(ValidationError):
        actions.create_token(cast.officer, name=" \u202e\x00 ", now=now)


def test_the_command_prints_the_secret_alone(cast: Any) -> None:
    out = StringIO()
    call_command("create_token", cast.officer.username, "--name", "Import", "--days", "30", stdout=out)
    assert ApiToken.objects.get(user=cast.officer).digest == ApiToken.digest_of(out.getvalue().strip())


def test_the_command_says_who_is_missing(db: None) -> None:
    with pytest.raises(CommandError, match="no account named nobody"):
        call_command("create_token", "nobody", "--name", "Import")
