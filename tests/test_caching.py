"""What may be kept of our answers: nothing of a page behind the door, unless its view says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["start", "incidents:list", "incidents:inbox", "dashboards:page", "nec:queue", "account:tokens"]
)
def test_a_page_behind_the_door_is_not_kept(cast: Any, signed_in: Any, address: str) -> None:
    """On a shared computer the back button would show it after signing out."""
    answer = signed_in(cast.nec).get(reverse(address))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_refusal_and_the_way_to_the_door_are_not_kept(cast: Any, signed_in: Any) -> None:
    assert signed_in(cast.officer).get("/nowhere/").headers["Cache-Control"] == "private, no-store"
    assert Client().get("/").headers["Cache-Control"] == "private, no-store"


def test_the_empty_report_form_is_there_again_without_a_signal(cast: Any, signed_in: Any) -> None:
    """It holds no case. Going back to it must not need the network: the draft lies on the telephone."""
    answer = signed_in(cast.officer).get(reverse("incidents:log"))
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_static_files_are_answered_before_and_say_themselves_how_long() -> None:
    order = settings.MIDDLEWARE
    assert order.index("whitenoise.middleware.WhiteNoiseMiddleware") < order.index("config.caching.private_unless_said")
