"""The page and the command that try a version: beside the one in force, and without sealed cases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from incidents.dashboards.charts import pairs
from incidents.models import Clock, Entry, Escalation
from tests.cast import Cast
from tests.incidents.policies.drafts import drafted, edited, faster, published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
SignIn = Callable[..., Client]


def ask(client: Client, **asked: str) -> tuple[int, str]:
    answer = client.get(reverse("escalation:simulation"), asked)
    return answer.status_code, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_before_anything_is_asked_it_says_what_it_will_show(cast: Cast, signed_in: SignIn) -> None:
    status, said = ask(signed_in(cast.nec))
    assert (status, "Nothing is played yet" in said) == (200, True)


def test_made_up_cases_are_played_beside_the_version_in_force_and_nothing_is_written(
    cast: Cast, signed_in: SignIn
) -> None:
    version = published(lambda content: content)
    draft = edited(drafted(version), faster(2))
    before = [model.objects.count() for model in (Entry, Escalation, Clock)]
    status, said = ask(signed_in(cast.psc), policy=f"CC27/{draft.number}", source="made_up", count="200", seed="4")
    assert (status, "200 cases played" in said) == (200, True)
    assert "Draft 2" in said
    found = re.search(r"Times a case moved (\d+) (\d+) (\d+) more", said)
    assert found
    assert int(found[1]) > int(found[2])
    assert "What arrives at the PSC" in said
    assert before == [model.objects.count() for model in (Entry, Escalation, Clock)]


def test_where_nothing_differs_it_says_why_and_what_to_try(cast: Cast, signed_in: SignIn) -> None:
    version = published(lambda content: content)
    alike, other = drafted(version), edited(drafted(version), faster(2))
    asked = {"source": "made_up", "count": "60", "seed": "4"}
    words = "Nothing differs: these cases meet none of the values"
    said = [ask(signed_in(cast.nec), policy=f"CC27/{draft.number}", **asked)[1] for draft in (alike, other)]
    assert [words in text for text in said] == [True, False]
    assert all("An alarm at the top comes again" in text for text in said)
    assert words not in ask(signed_in(cast.nec), policy=f"CC27/{version.number}", **asked)[1]


def test_past_cases_are_played_and_sealed_ones_are_not_counted(
    cast: Cast, signed_in: SignIn, make_incident: Callable[..., Any], make_sealed: Callable[..., Any]
) -> None:
    make_incident()
    asked = {"policy": "general/1", "source": "past", "election": "CC27", "first": "2027-05-20", "last": "2027-05-30"}
    before = ask(signed_in(cast.nec), **asked)
    make_sealed()
    assert "1 case played" in before[1]
    assert ask(signed_in(cast.nec), **asked) == before
    none = ask(signed_in(cast.nec), **asked | {"first": "2027-01-01", "last": "2027-01-02"})
    assert "There is nothing to play" in none[1]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"source": "past", "first": "2027-05-20", "last": "2027-05-01"}, "before the first one"),
        ({"source": "past", "first": "2026-01-01", "last": "2027-05-01"}, "At most 200 days"),
        ({"source": "past", "first": "soon"}, "year-month-day"),
        ({"source": "made_up", "count": "5001"}, "from 1 to 5000"),
        ({"source": "made_up", "hours": "73"}, "from 1 to 72"),
        ({"policy": "CC27/77"}, "Choose one from the list"),
    ],
)
def test_what_cannot_be_played_is_said_beside_its_field(
    cast: Cast, signed_in: SignIn, asked: dict[str, str], words: str
) -> None:
    status, said = ask(signed_in(cast.nec), **asked)
    assert (status, words in said) == (422, True), said


def test_columns_stand_on_one_scale() -> None:
    columns = pairs([10, 0], [5, 1], width=100, height=100)
    assert [(c.height, c.height2) for c in columns] == [(94, 47), (0, 9.4)]
    assert all(c.y + c.height == 100 and c.y2 + c.height2 == 100 for c in columns)
    assert columns[0].x < columns[0].x2 < columns[1].x
    assert pairs([], []) == []


# ---- The command ----


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("simulate_escalation", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_answers_the_same_for_the_same_seed(cast: Cast) -> None:
    published(faster(2))
    asked = ("--policy", "general/1", "--generated", "60", "--seed", "3", "--json")
    first = json.loads(said(*asked))
    assert first == json.loads(said(*asked))
    assert (first["cases"], first["tried"]["policy"], first["in_force"]["policy"]) == (60, "general/1", "CC27/1")
    assert first["in_force"]["cases_that_moved"] >= first["tried"]["cases_that_moved"]
    assert first["tried"]["busiest"][0]["count"] == first["tried"]["most_in_an_hour"]


def test_the_command_replays_the_days_asked_for(cast: Cast, make_incident: Callable[..., Any]) -> None:
    make_incident()
    assert said("--from", "2027-05-25", "--to", "2027-05-25").startswith("1 cases of CC27")
    assert said("--from", "2027-05-26").startswith("0 cases of CC27")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--policy", "CC27/9"), "CC27/2 or general/1"),
        (("--policy", "nonsense"), "no version"),
        (("--election", "XX"), "no election «XX»"),
        (("--generated", "0"), "From 1 to"),
        (("--generated", "5", "--share", "101"), "--share"),
    ],
)
def test_the_command_refuses_in_words(cast: Cast, asked: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        said(*asked)
