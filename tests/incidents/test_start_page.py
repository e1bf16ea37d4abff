"""The start page: by role, and only what the person may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from tests.incidents.plain_case import plain_case

WORDS = {
    "officer": "What do you need to do?",
    "liaison": "What do you need to do?",
    "duty_commander": "Next deadlines of your command",
    "provincial": "Next deadlines of your command",
    "psc": "Next deadlines of your command",
    "nec": "waits for a classification",
    "demo_integrity": "Cases of the integrity desk",
    "ministry": "The week in figures",
    "auditor": "The week in figures",
    "administrator": "People, places and words",
    "relieved": "You have no posting now",
}


@pytest.mark.parametrize(("name", "words"), WORDS.items())
def test_each_role_has_its_own(name: str, words: str, cast: Any, signed_in: Any) -> None:
    page = signed_in(getattr(cast, name)).get(reverse("start")).content.decode()
    assert words in page


def test_an_open_case_is_shown_where_it_may_be_seen(cast: Any, signed_in: Any) -> None:
    case = plain_case()
    for name, seen in (("officer", True), ("duty_commander", True), ("neighbour", False), ("administrator", False)):
        assert (case.reference in signed_in(getattr(cast, name)).get(reverse("start")).content.decode()) is seen


def test_the_administrator_sees_no_count_of_cases(cast: Any, signed_in: Any) -> None:
    plain_case()
    page = signed_in(cast.administrator).get(reverse("start")).content.decode()
    assert reverse("start") in page and "incidents/?" not in page and "kpi" not in page


def test_it_has_one_primary_button(cast: Any, signed_in: Any) -> None:
    for name in WORDS:
        page = signed_in(getattr(cast, name)).get(reverse("start")).content.decode()
        assert page.count("btn--primary") <= 1, name
