"""Language, appearance and password of the person."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

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
