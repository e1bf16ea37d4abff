"""Starting and cancelling a drill: by whom, of what, what is refused and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from incidents import drills
from incidents.escalation import rehearsal
from incidents.models import Drill, Entry, Notice
from tests.cast import ROLES, Cast
from tests.incidents.drills.stage import MINUTES, at, call_of, hold, relieve

pytestmark = pytest.mark.django_db
ANYWHERE = {"psc", "nec", "nec_second"}


@pytest.mark.parametrize("person", ROLES)
def test_who_may_hold_a_drill_of_a_district_of_takeo(person: str, cast: Cast) -> None:
    if person in ANYWHERE | {"provincial"}:
        assert hold("KH2108", by=getattr(cast, person)).made_by == getattr(cast, person)
        return
    with pytest.raises(PermissionDenied):
        hold("KH2108", by=getattr(cast, person))
    assert not Drill.objects.exists()


def test_a_province_holds_one_of_its_own_commands_alone(cast: Cast) -> None:
    for codes in (["PSC"], ["KH20"], ["KH2108", "KH9901"]):
        with pytest.raises(PermissionDenied):
            hold(*codes, by=cast.provincial)
    assert {c.code[:4] for c in drills.choosable(cast.provincial)} == {"KH21"}
    assert not drills.choosable(cast.duty_commander).exists()


def test_the_start_is_in_the_journal_with_the_posting(cast: Cast) -> None:
    drill = hold("KH21", by=cast.provincial, name="  Takeo  ")
    entry = Entry.objects.get(act="drill", after__what="started")
    assert entry.posting and (entry.by, entry.posting.command.code) == (cast.provincial, "KH21")
    assert entry.after["drill"] == drill.pk and entry.after["chosen"] == ["KH21"] and drill.name == "Takeo"


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 81}),
        # A second line would be a forged header of a mail, and the rest reads other than it is written.
        ("name", {"name": "Monday\nBcc: somebody@example.org"}),
        ("name", {"name": "Monday\x00"}),
        ("name", {"name": "Monday \u202egninrom"}),
        ("minutes", {"minutes": 0}),
        ("minutes", {"minutes": 241}),
        ("starts_at", {"starts_at": at(-60)}),
        ("starts_at", {"starts_at": at(61 * 24 * 60)}),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(field: str, asked: dict[str, Any], cast: Cast) -> None:
    with pytest.raises(ValidationError) as refused:
        hold("KH2108", **asked)
    assert set(refused.value.message_dict) == {field}
    assert not Drill.objects.exists() and not Entry.objects.filter(act="drill").exists()


@pytest.mark.parametrize("codes", [["KH0000"], ["KH2108", "nothing"], ["NEC"], ["KH99-ID"]])
def test_a_body_that_is_no_rung_cannot_be_chosen(codes: list[str], cast: Cast) -> None:
    with pytest.raises(ValidationError) as refused:
        hold(*codes)
    assert set(refused.value.message_dict) == {"command"}


# ---- Two at a time ----


def test_a_command_is_in_one_drill_at_a_time_and_the_refusal_names_it(cast: Cast) -> None:
    hold("KH2108", name="First")
    with pytest.raises(ValidationError) as refused:
        hold("KH2109", name="Second", now=at(1))
    (said,) = refused.value.message_dict["command"]
    assert "«First»" in said and cast.command("provincial").name in said
    assert Drill.objects.count() == 1


def test_drills_of_two_provinces_run_beside_each_other(cast: Cast) -> None:
    hold("KH2108")
    assert hold("KH9901").calls.filter(command__code="PSC").exists()


def test_a_planned_drill_keeps_its_time_free_and_no_more(cast: Cast) -> None:
    hold("KH2108", starts_at=at(120))
    for start in (at(120 - 3 * MINUTES + 1), at(120), at(120 + 3 * MINUTES - 1)):
        with pytest.raises(ValidationError):
            hold("KH2108", starts_at=start)
    hold("KH2108", starts_at=at(120 - 3 * MINUTES))
    hold("KH2108", starts_at=at(120 + 3 * MINUTES))


def test_a_drill_that_should_be_over_and_is_not_still_stands_in_the_way(cast: Cast) -> None:
    hold("KH2108")
    with pytest.raises(ValidationError):
        hold("KH2108", now=at(0.5), starts_at=at(5))
    # The step did not run, so nobody ended it.
    with pytest.raises(ValidationError):
        hold("KH2108", now=at(500))
    for _level in range(3):
        rehearsal.advance(at(500))
    for minutes in (500, 500 + MINUTES, 500 + 2 * MINUTES):
        rehearsal.advance(at(minutes))
    hold("KH2108", now=at(500 + 2 * MINUTES))


# ---- On paper ----


def test_the_trial_counts_people_commands_and_vacant_levels_and_calls_nobody(cast: Cast) -> None:
    relieve("KH21")
    before = (Entry.objects.count(), Notice.objects.count(), Drill.objects.count())
    paper = drills.preview(["KH2108", "KH2109"], minutes=15, starts_at=at(0), by=cast.psc, now=at(0))
    assert [(level.rung, level.commands, level.people) for level in paper.levels] == [(1, 2, 2), (2, 1, 0), (3, 1, 1)]
    assert [c.code for c in paper.vacant] == ["KH21"]
    assert (paper.commands, paper.people, paper.latest_end) == (4, 3, at(45))
    assert (Entry.objects.count(), Notice.objects.count(), Drill.objects.count()) == before


def test_the_trial_is_what_happens(cast: Cast) -> None:
    relieve("KH2109")
    paper = drills.preview(["KH2108", "KH2109"], minutes=MINUTES, starts_at=at(0), by=cast.psc, now=at(0))
    drill = hold("KH2108", "KH2109")
    for minute in range(3 * MINUTES + 1):
        rehearsal.advance(at(minute))
    calls = list(drill.calls.select_related("command"))
    assert sum(c.people for c in calls) == paper.people
    assert {c.command.code for c in calls if c.people == 0} == {c.code for c in paper.vacant}


# ---- Cancelling ----


@pytest.mark.parametrize("person", ROLES)
def test_who_may_cancel_a_drill_of_a_province(person: str, cast: Cast) -> None:
    drill = hold("KH2108", by=cast.provincial)
    if person in ANYWHERE | {"provincial"}:
        assert drills.cancel(drill, by=getattr(cast, person), now=at(1)).ended_at == at(1)
        return
    with pytest.raises(PermissionDenied):
        drills.cancel(drill, by=getattr(cast, person), now=at(1))


def test_who_was_called_and_has_not_answered_is_told_of_the_cancelling(cast: Cast) -> None:
    drill = hold("KH2108", "KH2109")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1))
    drills.cancel(drill, by=cast.psc, now=at(2))
    told = Notice.objects.filter(kind="drill", entry__after__what="cancelled").values_list("recipient", flat=True)
    assert set(told) == {cast.neighbour.pk}
    assert rehearsal.advance(at(MINUTES)) == 0
    with pytest.raises(ValidationError, match="is over"):
        drills.cancel(drill, by=cast.psc, now=at(3))


# ---- The page ----


@pytest.fixture
def page(cast: Cast, signed_in: Callable[..., Client]) -> Any:
    with time_machine.travel(at(0), tick=False):
        yield signed_in(cast.psc)


NEW = {"name": "Monday", "minutes": "10", "starts_at": "", "command": ["KH2108"]}


def test_the_page_tries_first_and_starts_by_the_other_button(page: Client) -> None:
    tried = page.post(reverse("escalation:drill_new"), NEW | {"do": "preview"})
    assert "3 commands would be called" in tried.content.decode() and not Drill.objects.exists()
    started = page.post(reverse("escalation:drill_new"), NEW | {"do": "start"})
    drill = Drill.objects.get()
    assert started.headers["Location"] == reverse("escalation:drill", args=[drill.pk])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"minutes": "ten"}, "Write a whole number of minutes."),
        ({"command": []}, "Choose at least one command from the list."),
        ({"command": ["KH7777"]}, "Choose at least one command from the list."),
        ({"starts_at": "2027-01-01T08:00"}, "That is in the past."),
        ({"starts_at": "soon"}, "Write day and time"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_loses_nothing(page: Client, wrong: dict[str, Any], said: str) -> None:
    answer = page.post(reverse("escalation:drill_new"), NEW | wrong | {"do": "start"})
    text = answer.content.decode()
    assert answer.status_code == 422 and said in text and not Drill.objects.exists()
    if "name" not in wrong:
        assert 'value="Monday"' in text
    if "command" not in wrong:
        assert 'value="KH2108" checked' in text


def test_nobody_is_called_all_the_time(cast: Cast) -> None:
    for _again in range(drills.MOST_AN_HOUR):
        drills.cancel(hold("KH2108", by=cast.provincial), by=cast.provincial, now=at(0))
    with pytest.raises(ValidationError, match="several drills in this hour"):
        hold("KH21", by=cast.psc)
    assert hold("KH20") and hold("KH2108", now=at(61))
