"""After a small form a person is back where they were, whatever its field for that says; never elsewhere or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Cast

pytestmark = pytest.mark.django_db

#: Address of each form, and where it leads when nothing says where it came from.
FORMS = {
    "account:language": "start",
    "account:theme": "start",
    "incidents:election": "incidents:more",
    "escalation:tick": "start",
    "nec:take_back": "nec:queue",
}


@pytest.fixture(params=FORMS)
def form(request: Any, cast: Cast, signed_in: Callable[..., Client]) -> tuple[Client, str, str]:
    return signed_in(cast.nec), reverse(request.param), reverse(FORMS[request.param])


@pytest.mark.parametrize("there", ["/incidents/?severity=high&page=2", "/incidents/?place=ភ្នំ"])
def test_a_path_of_ours_is_gone_back_to(form: tuple[Client, str, str], there: str) -> None:
    client, address, _otherwise = form
    answer = client.post(address, {"next": there})
    assert answer.status_code == 302 and answer.headers["Location"].startswith(there[:18])


@pytest.mark.parametrize(
    "there",
    [
        "", "abc", "start", "duty:roster", "a\nb", "\0", "?page=2", "//elsewhere.example/", "///elsewhere.example",
        "/\\elsewhere.example", "\\\\elsewhere.example", "https://elsewhere.example/", "http:///elsewhere.example",
        "javascript:alert(1)", "http://testserver/", "/" + "x" * 20_000, " /", "//[",
    ],
)  # fmt: skip
def test_anything_else_leads_to_the_usual_page(form: tuple[Client, str, str], there: str) -> None:
    client, address, otherwise = form
    answer = client.post(address, {"next": there})
    assert (answer.status_code, answer.headers["Location"]) == (302, otherwise)
