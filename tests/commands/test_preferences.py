"""Language, appearance and password of the person."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from commands import actions

OLD, NEW = "four quiet words here", "another five quiet words"


def test_language_and_appearance_are_kept_and_hold_on_the_next_page(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    response = client.post(reverse("account:preferences"), {"language": "km", "theme": "dark"}, follow=True)
    assert '<html lang="km" data-theme="dark">' in response.content.decode()
    cast.officer.refresh_from_db()
    assert (cast.officer.language, cast.officer.theme) == ("km", "dark")


def test_the_switches_of_the_header_lead_back_to_their_page(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    response = client.post(reverse("account:language"), {"language": "km", "next": reverse("account:tokens")})
    assert response["Location"] == reverse("account:tokens")
    response = client.post(reverse("account:theme"), {"theme": "light", "next": "//elsewhere.example"})
    assert response["Location"] == reverse("start")
    cast.officer.refresh_from_db()
    assert (cast.officer.language, cast.officer.theme) == ("km", "light")


@pytest.mark.parametrize("name", ["language", "theme"])
def test_an_unknown_choice_changes_nothing(name: str, cast: Any, signed_in: Any) -> None:
    signed_in(cast.officer).post(reverse(f"account:{name}"), {name: "xx"})
    cast.officer.refresh_from_db()
    assert (cast.officer.language, cast.officer.theme) == ("en", "auto")


def test_the_actions_refuse_unknown_choices(cast: Any) -> None:
    with pytest.raises(ValidationError):
        actions.set_language(cast.officer, "fr")
    with pytest.raises(ValidationError):
        actions.set_theme(cast.officer, "pink")


def test_a_new_password_needs_the_old_one_and_keeps_this_session(cast: Any, signed_in: Any) -> None:
    actions.set_password(cast.officer, OLD)
    client, elsewhere = signed_in(cast.officer), signed_in(cast.officer)
    wrong = client.post(reverse("account:password"), {"old_password": "no", "new_password1": NEW, "new_password2": NEW})
    assert wrong.status_code == 400
    right = client.post(reverse("account:password"), {"old_password": OLD, "new_password1": NEW, "new_password2": NEW})
    assert right.status_code == 302
    cast.officer.refresh_from_db()
    assert cast.officer.check_password(NEW)
    assert client.get(reverse("account:tokens")).status_code == 200
    assert elsewhere.get(reverse("account:tokens")).status_code == 302


@pytest.mark.parametrize(("ticked", "said", "living"), [("", "2 API tokens still work", 2), ("on", "were revoked", 0)])
def test_api_tokens_outlive_the_password_unless_they_are_revoked_with_it(
    cast: Any, signed_in: Any, ticked: str, said: str, living: int
) -> None:
    actions.set_password(cast.officer, OLD)
    now = timezone.now()
    for name in ("hotline", "sheet"):
        actions.create_token(cast.officer, name=name, now=now)
    ended, _secret = actions.create_token(cast.officer, name="old", now=now)
    actions.revoke_token(ended, now=now)
    client = signed_in(cast.officer)
    page = client.get(reverse("account:preferences")).content.decode()
    assert "Revoke all 2 API tokens of this account too" in page and "go on acting in your name" in page
    form = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW, "revoke_tokens": ticked}
    assert said in client.post(reverse("account:password"), form, follow=True).content.decode()
    assert actions.living_tokens(cast.officer, timezone.now()) == living


def test_who_has_no_token_is_not_asked_about_tokens(cast: Any, signed_in: Any) -> None:
    page = signed_in(cast.officer).get(reverse("account:preferences")).content.decode()
    assert "API tokens of this account" not in page


def test_a_weak_password_is_refused(cast: Any, signed_in: Any) -> None:
    actions.set_password(cast.officer, OLD)
    response = signed_in(cast.officer).post(
        reverse("account:password"), {"old_password": OLD, "new_password1": "1234567890", "new_password2": "1234567890"}
    )
    assert response.status_code == 400
    assert OLD not in response.content.decode()


def test_a_session_does_not_find_out_the_password(cast: Any, signed_in: Any) -> None:
    """A device left signed in: after as many wrong tries as at the door it is signed out."""
    actions.set_password(cast.officer, OLD)
    client = signed_in(cast.officer)
    tries = [
        client.post(reverse("account:password"), {"old_password": word, "new_password1": NEW, "new_password2": NEW})
        for word in ("one", "two", "three", "four", "five")
    ]
    assert [t.status_code for t in tries] == [400, 400, 400, 400, 302]
    assert client.get(reverse("account:tokens")).status_code == 302
    cast.officer.refresh_from_db()
    assert cast.officer.check_password(OLD)
