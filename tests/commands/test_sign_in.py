"""The door: who comes in, what a wrong password says, when it pauses, which language it speaks."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import reverse

from commands import actions, demo
from commands.models import User
from commands.sign_in_limits import client_address
from tests.cast import NOW

PASSWORD = "four quiet words here"


@pytest.fixture
def officer(cast: Any) -> User:
    cast.officer.set_password(PASSWORD)
    cast.officer.save()
    return cast.officer


def sign_in(client: Client, user: User, password: str = PASSWORD, **more: str) -> Any:
    return client.post(reverse("account:sign_in"), {"username": user.username, "password": password} | more)


def english() -> Client:
    return Client(headers={"accept-language": "en"})


def test_a_page_behind_the_door_leads_to_it_and_back(officer: User) -> None:
    client = english()
    response = client.get(reverse("account:tokens"))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account:sign_in"))
    assert sign_in(client, officer, next=reverse("account:tokens"))["Location"] == reverse("account:tokens")


def test_it_does_not_lead_to_a_stranger(officer: User) -> None:
    assert sign_in(english(), officer, next="https://elsewhere.example/")["Location"] == reverse("start")


def test_a_wrong_password_says_how_many_tries_are_left(officer: User) -> None:
    client = english()
    for left in (4, 3):
        page = sign_in(client, officer, "wrong").content.decode()
        assert f"That name and password do not match. {left} tries left, then a pause of 15 minutes." in page


def test_after_five_tries_it_pauses_even_for_the_right_password(officer: User) -> None:
    client = english()
    for _n in range(settings.AXES_FAILURE_LIMIT):
        response = sign_in(client, officer, "wrong")
    assert response.status_code == 429
    response = sign_in(client, officer)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 15 * 60
    assert "Sign-in is paused" in response.content.decode()


def test_the_pause_of_one_name_is_not_the_pause_of_another(officer: User, cast: Any) -> None:
    client = english()
    for _n in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, cast.neighbour, "wrong")
    assert sign_in(client, officer).status_code == 302


# ---- The two slow limits ----


def elsewhere(last: int) -> Client:
    return Client(headers={"accept-language": "en"}, REMOTE_ADDR=f"203.0.113.{last}")


def test_a_name_tried_from_many_addresses_pauses_for_strangers(officer: User, settings: Any) -> None:
    settings.SIGN_IN_NAME_TRIES = 12
    for last in range(12):
        assert sign_in(elsewhere(last), officer, "wrong").status_code == 200
    paused = sign_in(elsewhere(100), officer)
    assert paused.status_code == 429 and "this network" in paused.content.decode()
    assert 0 < int(paused["Retry-After"]) <= 900


def test_who_signed_in_from_there_or_on_this_device_before_is_not_paused(officer: User, settings: Any) -> None:
    """A stranger who tries a commander's name all day must not lock the commander out."""
    settings.SIGN_IN_NAME_TRIES = 12
    device = elsewhere(200)
    assert sign_in(device, officer).status_code == 302
    device.post(reverse("account:sign_out"))
    for last in range(12):
        sign_in(elsewhere(last), officer, "wrong")
    assert sign_in(elsewhere(200), officer).status_code == 302, "the address is known"
    device.defaults["REMOTE_ADDR"] = "203.0.113.201"
    assert sign_in(device, officer).status_code == 302, "the device is known wherever it is"
    assert sign_in(elsewhere(202), officer).status_code == 429


def test_the_device_is_known_for_the_name_that_signed_in_and_no_other(officer: User, cast: Any, settings: Any) -> None:
    settings.SIGN_IN_NAME_TRIES = 3
    device = elsewhere(200)
    sign_in(device, officer)
    device.post(reverse("account:sign_out"))
    for last in range(3):
        sign_in(elsewhere(last), cast.neighbour, "wrong")
    device.defaults["REMOTE_ADDR"] = "203.0.113.201"
    assert sign_in(device, cast.neighbour, "wrong").status_code == 429


def test_many_names_tried_from_one_address_pause_it(officer: User, cast: Any, settings: Any) -> None:
    settings.SIGN_IN_ADDRESS_TRIES = 12
    client = elsewhere(1)
    for number in range(12):
        client.post(reverse("account:sign_in"), {"username": f"guess-{number}", "password": "wrong"})
    assert sign_in(client, officer).status_code == 429
    assert sign_in(elsewhere(2), officer).status_code == 302


def test_a_slow_pause_ends_though_somebody_goes_on_trying(officer: User, settings: Any) -> None:
    settings.SIGN_IN_NAME_TRIES = 3
    with time_machine.travel(NOW, tick=False) as clock:
        for last in range(3):
            sign_in(elsewhere(last), officer, "wrong")
        clock.shift(600)
        assert sign_in(elsewhere(50), officer, "wrong").status_code == 429
        clock.shift(301)
        assert sign_in(elsewhere(51), officer).status_code == 302


def test_behind_a_proxy_the_address_is_the_one_the_proxy_appended(settings: Any) -> None:
    request = RequestFactory().get("/", headers={"x-forwarded-for": "198.51.100.9, 203.0.113.7"})
    assert client_address(request) == "127.0.0.1"
    settings.BEHIND_PROXY = True
    assert client_address(request) == "203.0.113.7"
    assert client_address(RequestFactory().get("/")) == "127.0.0.1"


def test_a_proxy_that_hides_addresses_does_not_make_one_of_the_country(officer: User, settings: Any) -> None:
    settings.BEHIND_PROXY, settings.SIGN_IN_ADDRESS_TRIES = True, 3
    for number in range(5):
        english().post(reverse("account:sign_in"), {"username": f"guess-{number}", "password": "wrong"})
    assert sign_in(english(), officer).status_code == 302


def test_the_browser_decides_the_language_before_signing_in() -> None:
    assert (
        '<html lang="km"' in Client(headers={"accept-language": "km"}).get(reverse("account:sign_in")).content.decode()
    )
    assert '<html lang="en"' in english().get(reverse("account:sign_in")).content.decode()


def test_pages_come_in_the_language_of_the_account(officer: User) -> None:
    actions.set_language(officer, "km")
    client = english()
    sign_in(client, officer)
    assert '<html lang="km"' in client.get(reverse("account:preferences")).content.decode()


def test_a_language_chosen_at_the_door_becomes_that_of_the_account(officer: User) -> None:
    client = english()
    client.post(reverse("account:language"), {"language": "km", "next": reverse("account:sign_in")})
    sign_in(client, officer)
    officer.refresh_from_db()
    assert officer.language == "km"
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "km"


def test_the_language_of_the_door_holds_for_the_next_who_signs_in_there(officer: User, cast: Any) -> None:
    client, second = english(), cast.duty_commander
    second.set_password(PASSWORD)
    second.save()
    actions.set_language(second, "km")
    client.post(reverse("account:language"), {"language": "en", "next": reverse("account:sign_in")})
    sign_in(client, officer)
    client.post(reverse("account:sign_out"))
    sign_in(client, second)
    assert '<html lang="en"' in client.get(reverse("account:preferences")).content.decode()
    second.refresh_from_db()
    assert second.language == "en"


def test_a_language_chosen_signed_in_is_not_taken_back_by_the_door(officer: User) -> None:
    client = english()
    client.post(reverse("account:language"), {"language": "en", "next": reverse("account:sign_in")})
    sign_in(client, officer)
    client.post(reverse("account:language"), {"language": "km", "next": reverse("start")})
    client.post(reverse("account:sign_out"))
    sign_in(client, officer)
    officer.refresh_from_db()
    assert officer.language == "km"


def test_signing_out_needs_a_post_and_ends_the_session(officer: User) -> None:
    client = english()
    sign_in(client, officer)
    assert client.get(reverse("account:sign_out")).status_code == 405
    assert client.post(reverse("account:sign_out")).status_code == 302
    assert client.get(reverse("account:tokens")).status_code == 302


def test_demonstration_accounts_are_listed_on_a_demonstration_system_only(cast: Any, settings: Any) -> None:
    cast.officer.username = demo.PREFIX + "officer"
    cast.officer.save()
    for is_demo in (True, False):
        settings.DEMO = is_demo
        page = english().get(reverse("account:sign_in")).content.decode()
        assert ("demo-officer" in page) is is_demo
        assert (demo.PASSWORD in page) is is_demo
