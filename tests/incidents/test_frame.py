"""The frame of every page: what it says, to whom, and what it costs."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commands.models import User
from elections.models import Election
from incidents import navigation
from incidents.context import Shell
from tests.cast import NOW


def frame(user: User, now: dt.datetime = NOW, **session: str) -> Shell:
    request = RequestFactory().get("/")
    request.user = user
    request.session = session  # type: ignore[assignment]
    return Shell(request, now)


def test_it_costs_three_queries_beside_the_postings(cast: Any) -> None:
    shell = frame(cast.duty_commander)
    assert (
        shell.posting and shell.engine is not False
    )  # the postings belong to every page; the pulse is kept some seconds
    frame(cast.duty_commander).election  # noqa: B018  which election is on is kept for a minute
    with CaptureQueriesContext(connection) as queries:
        assert shell.election and shell.window and shell.rail and shell.bottom is not None
        assert shell.unread == 0 and shell.track and shell.theme == ""
    assert len(queries) <= 3


def test_it_says_election_phase_day_and_days_to_polling(cast: Any) -> None:
    shell = frame(cast.officer)
    assert shell.election and shell.election.code == "CC27"
    assert shell.phase == "campaign"
    assert 1 <= shell.phase_day <= shell.phase_days
    assert shell.days_to_polling == (shell.election.polling_on - NOW.date()).days
    assert len(shell.track) == 8 and shell.track.count("is-now") == 1


def test_an_election_chosen_for_the_session_holds_and_an_unknown_one_is_ignored(cast: Any, signed_in: Any) -> None:
    other = Election.objects.exclude(code="CC27").first()
    assert other is not None
    client = signed_in(cast.officer)
    client.post(reverse("incidents:election"), {"election": other.code})
    assert client.session["election"] == other.code
    client.post(reverse("incidents:election"), {"election": "NONE00"})
    assert client.session["election"] == other.code
    assert frame(cast.officer, election="NONE00").election.code == "CC27"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "there", "not_there"),
    [
        ("officer", {"start", "inbox"}, {"queue", "classify", "week", "reference", "map"}),
        ("nec", {"classify", "map", "inbox"}, {"queue", "reference"}),
        ("ministry", {"map"}, {"log", "classify", "queue", "reference"}),
        ("administrator", {"start", "inbox", "reference"}, {"queue", "mine", "cases", "log", "map", "week"}),
    ],
)
def test_a_role_finds_only_what_it_can_use(name: str, there: set[str], not_there: set[str], cast: Any) -> None:
    roles = [p.role for p in getattr(cast, name).current_postings]
    keys = {i.key for i in navigation.rail(roles, {}, "/")}
    assert there <= keys and not keys & not_there


def test_the_notices_stand_above_the_fold_of_every_rail(cast: Any) -> None:
    for name in cast.names():
        keys = [i.key for i in navigation.rail([p.role for p in getattr(cast, name).current_postings], {}, "/")]
        assert keys[:2] == ["start", "inbox"], name


def test_the_page_looked_at_is_marked_once() -> None:
    items = navigation.rail([], {}, reverse("incidents:inbox"))
    assert [i.key for i in items if i.is_current] == ["inbox"]


def test_nobody_is_offered_more_than_four_links_at_the_foot(cast: Any) -> None:
    for name in cast.names():
        items = navigation.rail([p.role for p in getattr(cast, name).current_postings], {}, "/")
        assert len(navigation.bottom(items)) <= 4


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("nec", ["start", "classify", "map", "inbox"]),
        ("officer", ["start", "mine", "log", "inbox"]),
        ("duty_commander", ["start", "queue", "log", "inbox"]),
    ],
)
def test_the_foot_holds_what_the_role_uses_most(name: str, keys: list[str], cast: Any) -> None:
    items = navigation.rail([p.role for p in getattr(cast, name).current_postings], {}, "/")
    assert [i.key for i in navigation.bottom(items)] == keys


def test_a_late_engine_is_said_above_everything(cast: Any, signed_in: Any, monkeypatch: Any) -> None:
    late = SimpleNamespace(state="late", last_ok_at=NOW, overdue=3, oldest_due_at=NOW, reason="stale")
    monkeypatch.setattr(Shell, "engine", late)
    page = signed_in(cast.officer).get(reverse("start")).content.decode()
    assert 'class="engine-late" role="alert"' in page
    assert page.index("engine-late") < page.index('<header class="header">')


def test_a_missing_page_and_a_missing_posting_are_explained(cast: Any, signed_in: Any) -> None:
    missing = signed_in(cast.officer).get("/nothing/of/the/kind")
    assert missing.status_code == 404
    assert "There is no such page, or it is not yours to see" in missing.content.decode()
    relieved = signed_in(cast.relieved).get(reverse("start")).content.decode()
    assert "You have no posting now" in relieved


@pytest.mark.parametrize("template", ["400.html", "413.html", "429.html", "500.html", "403_csrf.html"])
def test_pages_of_faults_need_no_request_and_speak_both_languages(template: str) -> None:
    from django.template.loader import render_to_string

    page = render_to_string(template)
    assert 'lang="km"' in page and 'lang="en"' in page and 'href="/"' in page
    assert "<script" not in page and "style=" not in page
