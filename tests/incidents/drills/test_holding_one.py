"""Starting and cancelling a drill: by whom, of what, what is refused and what it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from commands.models import Posting, User
from elections.choices import Basis, Phase
from elections.models import Election, PhaseWindow
from incidents import drills
from incidents.delivery.drills import sentence
from incidents.escalation import rehearsal
from incidents.escalation.beginnings import MOST_AN_HOUR
from incidents.models import Drill, Entry, Notice
from tests.cast import PHNOM_PENH, ROLES, Cast
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
        # It stands behind the mark in mail and SMS, and must not end it and begin another message.
        ("name", {"name": "» is over. Real: call the watch «"}),
        ("name", {"name": "See https://example.org/login"}),
        ("name", {"name": "See www.example"}),
        ("name", {"name": "See example.org/login"}),
        ("name", {"name": "See example．org"}),
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


@pytest.mark.parametrize("person", ROLES)
def test_a_province_does_not_call_off_what_rehearses_it(person: str, cast: Cast) -> None:
    drill = hold("KH2108", by=cast.psc)
    if person in ANYWHERE:
        assert drills.cancel(drill, by=getattr(cast, person), now=at(1)).ended_at == at(1)
        return
    with pytest.raises(PermissionDenied):
        drills.cancel(drill, by=getattr(cast, person), now=at(1))


def successor_of(person: User, when: dt.datetime) -> User:
    """The person is relieved at that moment, and somebody new holds the same posting from then on."""
    was = Posting.objects.get(user=person)
    Posting.objects.filter(pk=was.pk).update(ends_at=when)
    new = User.objects.create(username="successor", language="en")
    Posting.objects.create(user=new, role=was.role, command=was.command, starts_at=when)
    return new


def test_a_successor_cancels_what_was_planned_before_them(cast: Cast, signed_in: Callable[..., Client]) -> None:
    drill = hold("KH2108", by=cast.provincial, starts_at=at(600))
    with time_machine.travel(at(30), tick=False):
        new = successor_of(cast.provincial, at(20))
        client = signed_in(new)
        assert "Cancel the drill" in client.get(reverse("escalation:drill", args=[drill.pk])).content.decode()
        client.post(reverse("escalation:drill_cancel", args=[drill.pk]))
        with pytest.raises(PermissionDenied):
            drills.cancel(drill, by=User.objects.get(pk=cast.provincial.pk), now=at(30))
    drill.refresh_from_db()
    assert drill.ended_at == at(30)
    entry = Entry.objects.get(act="drill", after__what="cancelled")
    assert entry.posting and (entry.by, entry.posting.command.code) == (new, "KH21")


def test_what_somebody_planned_who_was_relieved_does_not_begin_and_the_successor_is_told(cast: Cast) -> None:
    drill = hold("KH2108", by=cast.provincial, starts_at=at(600))
    new = successor_of(cast.provincial, at(20))
    assert rehearsal.advance(at(600)) == 0
    drill.refresh_from_db()
    assert drill.ended_at == at(600) and not drill.calls.exclude(called_at=None).exists()
    entry = Entry.objects.get(act="drill", after__what="cancelled")
    assert (entry.by, entry.channel, entry.after["why"]) == (None, "engine", "relieved")
    told = Notice.objects.filter(entry=entry, channel="inbox").values_list("recipient", flat=True)
    assert set(told) == {cast.provincial.pk, new.pk}
    assert "who planned it holds no posting" in sentence(entry) and cast.provincial.username not in sentence(entry)
    assert not Notice.objects.filter(kind="drill", recipient=cast.duty_commander).exists()


def test_with_nobody_in_their_place_the_psc_and_the_nec_are_told(cast: Cast) -> None:
    hold("KH2108", by=cast.provincial, starts_at=at(600))
    User.objects.filter(pk=cast.provincial.pk).update(is_active=False)
    assert rehearsal.advance(at(600)) == 0
    told = Notice.objects.filter(entry__after__what="cancelled", channel="inbox").values_list("recipient", flat=True)
    assert set(told) == {cast.psc.pk, cast.nec.pk, cast.nec_second.pk}


def test_a_maker_who_was_posted_elsewhere_holds_none_of_their_old_province(cast: Cast) -> None:
    drill = hold("KH2108", by=cast.provincial, starts_at=at(600))
    other = cast.command("other_province")
    Posting.objects.filter(user=cast.provincial).update(command=other)
    assert rehearsal.advance(at(600)) == 0
    drill.refresh_from_db()
    assert drill.ended_at == at(600)


def test_one_that_has_begun_goes_on_when_its_maker_is_relieved(cast: Cast) -> None:
    drill = hold("KH2108", by=cast.provincial)
    successor_of(cast.provincial, at(1))
    assert rehearsal.advance(at(MINUTES)) == 1
    drill.refresh_from_db()
    assert drill.ended_at is None


def test_who_was_called_and_has_not_answered_is_told_of_the_cancelling(cast: Cast) -> None:
    drill = hold("KH2108", "KH2109")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1))
    drills.cancel(drill, by=cast.psc, now=at(2))
    told = Notice.objects.filter(kind="drill", entry__after__what="cancelled").values_list("recipient", flat=True)
    assert cast.neighbour.pk in told and cast.duty_commander.pk not in told and cast.psc.pk not in told
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


def test_a_name_may_have_dots_and_numbers(cast: Cast) -> None:
    assert hold("KH2108", name="No. 3, 6.6.2027, ៦:០០ (Takeo)").name == "No. 3, 6.6.2027, ៦:០០ (Takeo)"


# ---- How many ----


def test_nobody_is_called_all_the_time(cast: Cast) -> None:
    for _again in range(MOST_AN_HOUR):
        drills.cancel(hold("KH2108", by=cast.provincial), by=cast.provincial, now=at(0))
    with pytest.raises(ValidationError, match="5 drills in that hour"):
        hold("KH21", by=cast.psc)
    assert hold("KH20") and hold("KH2108", now=at(61))


def test_drills_planned_days_apart_for_one_hour_are_counted_in_that_hour(cast: Cast) -> None:
    day = 12 * 24 * 60
    for number in range(MOST_AN_HOUR):
        hold("KH2108", minutes=1, now=at(number * 24 * 60), starts_at=at(day + 6 * number))
    for start in (-30, 30, 59):
        with pytest.raises(ValidationError, match="5 drills in that hour"):
            hold("KH2108", minutes=1, now=at(7 * 24 * 60), starts_at=at(day + start))
    assert hold("KH2108", minutes=1, now=at(7 * 24 * 60), starts_at=at(day + 60))


def test_drills_planned_in_one_hour_for_several_days_are_not_too_many(cast: Cast) -> None:
    for day in range(1, MOST_AN_HOUR + 3):
        assert hold("KH2108", starts_at=at(day * 24 * 60))


def test_one_that_was_cancelled_before_it_began_called_nobody_and_does_not_count(cast: Cast) -> None:
    for number in range(MOST_AN_HOUR + 2):
        drills.cancel(hold("KH2108", minutes=1, starts_at=at(60 + number)), by=cast.psc, now=at(1))
    assert hold("KH2108", starts_at=at(60))


# ---- While people vote ----

#: The silence day of the cast's election is 5 June, the vote 6 June; the count ends with 7 June.
EVENING = dt.datetime(2027, 6, 5, 18, 0, tzinfo=PHNOM_PENH)
END = dt.datetime(2027, 6, 8, 0, 0, tzinfo=PHNOM_PENH)
MINUTE = dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("start", "is_held"),
    [
        (EVENING - 3 * MINUTES * MINUTE, True),
        (EVENING - 3 * MINUTES * MINUTE + MINUTE, False),
        (EVENING, False),
        (EVENING + dt.timedelta(hours=14), False),
        (END - MINUTE, False),
        (END, True),
    ],
)
def test_a_province_holds_none_from_the_evening_before_the_vote_to_the_end_of_the_count(
    start: dt.datetime, is_held: bool, cast: Cast
) -> None:
    if is_held:
        assert hold("KH2108", by=cast.provincial, starts_at=start)
        return
    with pytest.raises(ValidationError) as refused:
        hold("KH2108", by=cast.provincial, starts_at=start)
    assert "ask the PSC or the NEC to hold it" in refused.value.message_dict["starts_at"][0]
    with pytest.raises(ValidationError):
        drills.preview(["KH2108"], minutes=MINUTES, starts_at=start, by=cast.provincial, now=at(0))


def test_nor_one_that_begins_at_once(cast: Cast) -> None:
    with pytest.raises(ValidationError) as refused:
        hold("KH2108", by=cast.provincial, now=EVENING)
    assert set(refused.value.message_dict) == {"starts_at"}
    assert not Drill.objects.exists()


@pytest.mark.parametrize("person", ["psc", "nec"])
def test_the_psc_and_the_nec_may_hold_one_even_then(person: str, cast: Cast) -> None:
    by = getattr(cast, person)
    assert drills.preview(["KH2108"], minutes=MINUTES, starts_at=EVENING, by=by, now=EVENING)
    drill = hold("KH2108", by=by, starts_at=EVENING)
    rehearsal.advance(EVENING)
    assert call_of(drill, "KH2108").called_at == EVENING


@pytest.mark.parametrize(("place", "is_held"), [("KH210801", False), ("KH21", False), ("KH20", True)])
def test_a_vote_of_one_place_counts_for_the_commands_that_it_lies_in(place: str, is_held: bool, cast: Cast) -> None:
    """A vote that is held again in one commune."""
    for phase, first in ((Phase.POLLING, 0), (Phase.COUNTING, 9)):
        PhaseWindow.objects.create(
            election=Election.objects.get(code="CC27"), phase=phase, jurisdiction_id=place, basis=Basis.ILLUSTRATIVE,
            starts_at=at(24 * 60 + first * 60), ends_at=at(24 * 60 + (first + 9) * 60),
        )  # fmt: skip
    asked = {"by": cast.provincial, "starts_at": at(24 * 60 + 10 * 60)}
    if is_held:
        assert hold("KH2108", **asked)
        return
    with pytest.raises(ValidationError):
        hold("KH2108", **asked)
    assert hold("KH2108", by=cast.provincial, starts_at=at(24 * 60 + 19 * 60))


def test_one_whose_time_became_that_of_a_vote_does_not_begin(cast: Cast) -> None:
    drill = hold("KH2108", by=cast.provincial, starts_at=at(600))
    PhaseWindow.objects.create(
        election=Election.objects.get(code="CC27"), phase=Phase.POLLING, basis=Basis.ILLUSTRATIVE,
        starts_at=at(500), ends_at=at(1000),
    )  # fmt: skip
    assert rehearsal.advance(at(600)) == 0
    drill.refresh_from_db()
    assert drill.ended_at == at(600) and not drill.calls.exclude(called_at=None).exists()
    entry = Entry.objects.get(act="drill", after__what="cancelled")
    assert entry.after["why"] == "vote" and "people vote" in sentence(entry)


def test_the_page_says_beside_the_field_why_not(cast: Cast, signed_in: Callable[..., Client]) -> None:
    with time_machine.travel(at(0), tick=False):
        client = signed_in(cast.provincial)
        for do in ("preview", "start"):
            asked = NEW | {"starts_at": "2027-06-06T09:00", "do": do}
            answer = client.post(reverse("escalation:drill_new"), asked)
            assert answer.status_code == 422 and "around the vote and the count" in answer.content.decode()
    assert not Drill.objects.exists()
