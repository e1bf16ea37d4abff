"""The start page: by role, and only what the person may see."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.choices import Severity
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


@pytest.mark.parametrize("name", ["duty_commander", "provincial", "psc"])
def test_a_command_sees_the_deadlines_of_its_own_cases_critical_ones_first(
    name: str, cast: Any, signed_in: Any
) -> None:
    now, minute = timezone.now(), dt.timedelta(minutes=1)
    others = {"duty_commander", "provincial", "psc", "neighbour"} - {name}
    for other in others:
        plain_case(owner=cast.command(other), next_due_at=now + minute, severity=Severity.CRITICAL)
    own = cast.command(name)
    soon = plain_case(owner=own, next_due_at=now + 10 * minute, severity=Severity.HIGH)
    late = plain_case(owner=own, next_due_at=now - 10 * minute, severity=Severity.LOW)
    critical = plain_case(owner=own, next_due_at=now + 90 * minute, severity=Severity.CRITICAL)
    page = signed_in(getattr(cast, name)).get(reverse("start")).content.decode()
    shown = re.findall(r'<span class="ref">([A-Z0-9-]+)</span>', page)
    assert shown == [critical.reference, late.reference, soon.reference]
    assert "<b>3 open</b>" in page and "<b>1 late</b>" in page


def test_the_card_offers_an_act_only_to_who_may_do_it(cast: Any, signed_in: Any) -> None:
    plain_case()
    page = signed_in(cast.duty_commander).get(reverse("start")).content.decode()
    assert "Acknowledge the case" in page
    page = signed_in(cast.officer).get(reverse("start")).content.decode()
    assert "Acknowledge the case" not in page and "Add an update" in page


def test_the_card_of_who_may_do_nothing_opens_the_case(cast: Any, signed_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("incidents.actions.first_allowed", lambda *_: None)
    plain_case()
    page = signed_in(cast.duty_commander).get(reverse("start")).content.decode()
    assert "Open the case" in page and "Acknowledge the case" not in page
