"""Rosters and delegations: changed by who may, journaled, told to those concerned; bad input leaves nothing behind."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from commands.choices import Role
from commands.duty_actions import MOST_COVERS, MOST_SHIFTS
from commands.models import Cover, Delegation, Posting, Roster, Shift, Swap, SwapState, User
from commands.rosters import plan_of
from incidents import duty
from incidents.choices import Act
from incidents.models import Entry, Notice
from incidents.routing import people_at
from tests.cast import NOW, PHNOM_PENH, POSTED_AT

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
#: A Tuesday, 08:00.
TODAY = NOW.date()


def at(day: int, hour: int) -> dt.datetime:
    return dt.datetime.combine(TODAY + day * DAY, dt.time(hour), PHNOM_PENH)


@pytest.fixture
def second(cast: Any) -> User:
    """A second duty commander of the district."""
    person = User.objects.create(username="second-duty", language="en")
    Posting.objects.create(
        user=person, role=Role.DUTY_COMMANDER, command=cast.command("duty_commander"), starts_at=POSTED_AT
    )
    return person


def shifts(cast: Any, person: User, by: User | None = None, **more: Any) -> list[Shift]:
    """Every day from 10:00 for eight hours, from today on."""
    values: dict[str, Any] = {
        "weekdays": range(7), "starts": dt.time(10), "minutes": 480, "first": TODAY, "last": None,
    }  # fmt: skip
    command = cast.command("duty_commander")
    return duty.add_shifts(command, person=person, by=by or cast.duty_commander, now=NOW, **(values | more))


def refusal(call: Any, *args: Any, **more: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        call(*args, **more)
    error = caught.value
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}


def whats() -> list[str]:
    return [e.after["what"] for e in Entry.objects.filter(act=Act.DUTY).order_by("pk")]


# ---- Shifts ----


def test_a_shift_is_written_journaled_and_told(cast: Any, second: User) -> None:
    made = shifts(cast, second)
    assert len(made) == 7 and Roster.objects.get().is_on is False
    entry = Entry.objects.get(act=Act.DUTY)
    assert (entry.by, entry.posting, entry.command) == (
        cast.duty_commander, cast.duty_commander.current_postings[0], cast.command("duty_commander"),
    )  # fmt: skip
    assert entry.after["what"] == "shift_made" and entry.after["person"] == "second-duty"
    assert list(Notice.objects.filter(entry=entry, channel="inbox").values_list("recipient", flat=True)) == [second.pk]


@pytest.mark.parametrize("who", ["officer", "neighbour", "other_province", "nec", "nec_integrity", "ministry"])
def test_who_does_not_command_there_changes_nothing(cast: Any, second: User, who: str) -> None:
    with pytest.raises(PermissionDenied):
        shifts(cast, second, by=getattr(cast, who))
    assert not Shift.objects.exists() and not Roster.objects.exists()


@pytest.mark.parametrize("who", ["duty_commander", "provincial", "psc"])
def test_the_commander_and_those_above_keep_the_roster(cast: Any, second: User, who: str) -> None:
    assert shifts(cast, second, by=getattr(cast, who))


def test_the_nec_and_integrity_desks_keep_their_own_and_no_commander_does(cast: Any) -> None:
    values: dict[str, Any] = {
        "weekdays": [0], "starts": dt.time(8), "minutes": 480, "first": TODAY, "last": None, "now": NOW,
    }  # fmt: skip
    for owner, stranger in [("nec", "psc"), ("demo_integrity", "demo_provincial"), ("nec_integrity", "nec")]:
        command, person = cast.command(owner), getattr(cast, owner)
        with pytest.raises(PermissionDenied):
            duty.add_shifts(command, person=person, by=getattr(cast, stranger), **values)
        assert duty.add_shifts(command, person=person, by=person, **values)


@pytest.mark.parametrize(
    ("wrong", "beside"),
    [
        ({"weekdays": []}, "weekdays"),
        ({"minutes": 0}, "until"),
        ({"minutes": 1441}, "until"),
        ({"first": TODAY - DAY}, "first_on"),
        ({"first": TODAY + 800 * DAY}, "first_on"),
        ({"last": TODAY - DAY}, "last_on"),
    ],
)
def test_a_shift_that_cannot_be_is_refused_beside_its_field(
    cast: Any, second: User, wrong: dict[str, Any], beside: str
) -> None:
    assert list(refusal(shifts, cast, second, **wrong)) == [beside]
    assert not Shift.objects.exists() and not Entry.objects.exists()


@pytest.mark.parametrize("who", ["officer", "neighbour", "relieved"])
def test_only_who_answers_there_is_put_on_duty(cast: Any, who: str) -> None:
    assert list(refusal(shifts, cast, getattr(cast, who))) == ["person"]


def test_the_shifts_of_a_person_do_not_overlap(cast: Any, second: User) -> None:
    shifts(cast, second)
    again = refusal(shifts, cast, second, weekdays=[2], starts=dt.time(17), minutes=120)
    assert list(again) == ["starts"] and "26 May, 17:00" in again["starts"][0]
    assert Shift.objects.count() == 7
    assert shifts(cast, second, weekdays=[2], starts=dt.time(18), minutes=120), "one ends where the other begins"
    assert shifts(cast, cast.duty_commander), "two people may be on duty at once"
    long = refusal(shifts, cast, cast.duty_commander, weekdays=[0, 1], starts=dt.time(20), minutes=1440)
    assert list(long) == ["starts"], "the new ones overlap each other"


def test_an_ended_shift_keeps_what_was_served(cast: Any, second: User) -> None:
    shift = shifts(cast, second, weekdays=[TODAY.weekday()])[0]
    duty.end_shift(shift, last=TODAY, by=cast.duty_commander, now=at(0, 11))
    assert Shift.objects.get().valid_to == TODAY
    assert list(refusal(duty.end_shift, shift, last=TODAY - DAY, by=cast.duty_commander, now=at(0, 11))) == ["last_on"]
    assert whats() == ["shift_made", "shift_ended"]


def test_a_shift_that_never_held_is_taken_away(cast: Any, second: User) -> None:
    shift = shifts(cast, second, weekdays=[TODAY.weekday()])[0]
    duty.end_shift(shift, last=TODAY - DAY, by=cast.duty_commander, now=NOW)
    assert not Shift.objects.exists()
    assert "Somebody else took this shift away" in str(
        refusal(duty.end_shift, shift, last=TODAY, by=cast.duty_commander, now=NOW)
    )


def test_a_changed_shift_changes_from_a_day_on(cast: Any, second: User) -> None:
    shift = shifts(cast, second, weekdays=[2])[0]
    tomorrow = TODAY + DAY
    values: dict[str, Any] = {
        "person": cast.duty_commander, "starts": dt.time(12), "minutes": 60, "last": None, "by": cast.duty_commander,
    }  # fmt: skip
    duty.change_shift(shift, first=tomorrow + 7 * DAY, now=NOW, **values)
    old, new = Shift.objects.order_by("valid_from")
    assert (old.valid_to, new.valid_from) == (tomorrow + 6 * DAY, tomorrow + 7 * DAY)
    assert (new.person, new.weekday) == (cast.duty_commander, 2)
    late = refusal(duty.change_shift, old, first=TODAY, now=at(1, 11), **values)
    assert list(late) == ["first_on"] and Shift.objects.count() == 2
    told = Notice.objects.filter(entry__after__what="shift_changed", channel="inbox")
    assert [n.recipient for n in told] == [second]


def test_a_roster_has_room_for_so_many_shifts(cast: Any, second: User) -> None:
    made = shifts(cast, second)[0]
    over = {"last": TODAY + DAY}
    other = {"roster": made.roster, "person": cast.duty_commander, "weekday": 0, "starts": dt.time(20), "minutes": 60}
    Shift.objects.bulk_create(
        [Shift(**other, valid_from=TODAY + 30 * DAY) for _number in range(MOST_SHIFTS - 8)]
        + [Shift(**other, valid_from=TODAY - 9 * DAY, valid_to=TODAY - DAY) for _number in range(50)]
    )
    late: dict[str, Any] = {"starts": dt.time(20), "minutes": 60, **over}
    assert "at most 1000 shifts" in refusal(shifts, cast, second, weekdays=[0, 1], **late)[""][0]
    assert shifts(cast, second, weekdays=[1], **late), "those that are over do not count"
    assert "End some" in refusal(shifts, cast, second, weekdays=[2], **late)[""][0]
    assert Shift.objects.count() == MOST_SHIFTS + 50 and whats() == ["shift_made"] * 2


# ---- In use or not ----


def test_in_use_it_decides_who_is_told_and_out_of_use_everybody_is(cast: Any, second: User) -> None:
    here = cast.command("duty_commander")
    shifts(cast, second)
    assert people_at([here], at(0, 11))[here.pk] == [cast.duty_commander, second]
    duty.switch(here, True, by=cast.duty_commander, now=NOW)
    assert people_at([here], at(0, 11))[here.pk] == [second]
    assert people_at([here], NOW)[here.pk] == []
    duty.switch(here, False, by=cast.provincial, now=NOW)
    assert people_at([here], NOW)[here.pk] == [cast.duty_commander, second]
    assert whats()[1:] == ["roster_on", "roster_off"]
    assert {n.recipient for n in Notice.objects.filter(entry__after__what="roster_off", channel="inbox")} == {
        cast.duty_commander, second,
    }  # fmt: skip


def test_a_roster_with_nobody_on_it_is_not_taken_into_use(cast: Any) -> None:
    here = cast.command("duty_commander")
    assert "Add shifts first" in refusal(duty.switch, here, True, by=cast.duty_commander, now=NOW)[""][0]
    assert "is not in use" in refusal(duty.switch, here, False, by=cast.duty_commander, now=NOW)[""][0]
    assert not Roster.objects.exists() and not Entry.objects.exists()


# ---- Covers ----


def cover(cast: Any, person: User | None, replaces: User | None, start: dt.datetime, end: dt.datetime) -> Cover:
    return duty.add_cover(
        cast.command("duty_commander"), person=person, replaces=replaces, starts_at=start, ends_at=end, reason="Ill",
        by=cast.provincial, now=NOW,
    )  # fmt: skip


def test_a_cover_is_in_force_and_told_to_both(cast: Any, second: User) -> None:
    shifts(cast, second)
    cover(cast, cast.duty_commander, second, at(0, 10), at(1, 18))
    plan = plan_of(cast.command("duty_commander"), NOW, at(3, 0))
    assert [plan.on_duty(at(day, 12)) for day in (0, 1, 2)] == [[cast.duty_commander], [cast.duty_commander], [second]]
    told = Notice.objects.filter(entry__after__what="cover_made", channel="inbox")
    assert {n.recipient for n in told} == {cast.duty_commander, second}


@pytest.mark.parametrize(
    ("person", "replaces", "start", "end", "beside"),
    [
        (None, None, at(0, 10), at(0, 12), "person"),
        ("second", "second", at(0, 10), at(0, 12), "person"),
        ("duty_commander", "second", at(0, 12), at(0, 10), "ends_at"),
        ("duty_commander", "second", at(-1, 10), at(-1, 12), "ends_at"),
        ("duty_commander", "second", at(-1, 10), at(0, 12), "starts_at"),
        ("duty_commander", "second", at(0, 10), at(40, 12), "ends_at"),
        ("duty_commander", "second", at(0, 18), at(0, 20), "replaces"),
        ("second", "duty_commander", at(0, 10), at(0, 12), "replaces"),
        ("neighbour", "second", at(0, 10), at(0, 12), "person"),
        ("second", None, at(0, 10), at(0, 12), "person"),
    ],
)
def test_a_cover_that_cannot_be_is_refused_beside_its_field(
    cast: Any, second: User, person: str | None, replaces: str | None, start: dt.datetime, end: dt.datetime, beside: str
) -> None:
    shifts(cast, second)
    people = {"second": second, None: None}
    found = [people[name] if name in people else getattr(cast, str(name)) for name in (person, replaces)]
    assert list(refusal(cover, cast, *found, start, end)) == [beside]
    assert not Cover.objects.exists() and whats() == ["shift_made"]


def test_whoever_is_on_duty_already_does_not_stand_in_for_another(cast: Any, second: User) -> None:
    shifts(cast, second)
    shifts(cast, cast.duty_commander)
    assert list(refusal(cover, cast, cast.duty_commander, second, at(0, 10), at(0, 12))) == ["person"]


def fill_with_covers(cast: Any, roster: Roster, count: int, start: dt.datetime) -> None:
    Cover.objects.bulk_create(
        Cover(
            roster=roster, person=cast.duty_commander, starts_at=start + n * MINUTE, ends_at=start + n * MINUTE + HOUR,
            made_by=cast.provincial, made_at=NOW,
        )
        for n in range(count)
    )  # fmt: skip


def test_a_roster_has_room_for_so_many_covers(cast: Any, second: User) -> None:
    roster = shifts(cast, second)[0].roster
    fill_with_covers(cast, roster, 40, start=at(-2, 0))
    fill_with_covers(cast, roster, MOST_COVERS - 1, start=at(10, 0))
    made = cover(cast, cast.duty_commander, second, at(1, 10), at(1, 18))
    again = refusal(cover, cast, cast.duty_commander, second, at(2, 10), at(2, 18))
    assert "at most 100 covers" in again[""][0] and "change the shifts" in again[""][0]
    duty.end_cover(made, by=cast.duty_commander, now=NOW)
    assert cover(cast, cast.duty_commander, second, at(2, 10), at(2, 18)), "room again, and what is over takes none"


def test_a_swap_needs_room_too_and_waits_for_it(cast: Any, second: User) -> None:
    roster = shifts(cast, second)[0].roster
    shifts(cast, cast.duty_commander, starts=dt.time(20), minutes=120)
    swap = ask(cast, second, cast.duty_commander, back=2)
    fill_with_covers(cast, roster, MOST_COVERS - 1, start=at(10, 0))
    full = refusal(duty.answer_swap, swap, "agreed", by=cast.duty_commander, now=NOW)[""][0]
    assert full.startswith("This swap is not possible any more. One roster has at most 100 covers")
    assert Swap.objects.get().state == SwapState.ASKED and Cover.objects.count() == MOST_COVERS - 1
    assert duty.answer_swap(ask(cast, second, cast.duty_commander, day=3), "agreed", by=cast.duty_commander, now=NOW)


def test_a_cover_ends_early_or_is_taken_away(cast: Any, second: User) -> None:
    shifts(cast, second)
    made = cover(cast, cast.duty_commander, second, at(0, 10), at(1, 18))
    duty.end_cover(made, by=cast.duty_commander, now=at(0, 12))
    assert Cover.objects.get().ends_at == at(0, 12)
    assert "over already" in refusal(duty.end_cover, made, by=cast.duty_commander, now=at(0, 13))[""][0]
    ahead = cover(cast, cast.duty_commander, second, at(2, 10), at(2, 18))
    duty.end_cover(ahead, by=cast.duty_commander, now=at(0, 12))
    assert Cover.objects.count() == 1


# ---- Swaps ----


def ask(cast: Any, by: User, of: User, day: int = 1, back: int | None = None) -> Swap:
    return duty.ask_swap(
        cast.command("duty_commander"), asked_of=of, hours=(at(day, 10), at(day, 18)),
        back=(at(back, 20), at(back, 22)) if back is not None else None, by=by, now=NOW,
    )  # fmt: skip


def test_a_swap_changes_nothing_until_it_is_agreed_and_then_both_ways(cast: Any, second: User) -> None:
    shifts(cast, second)
    shifts(cast, cast.duty_commander, starts=dt.time(20), minutes=120)
    swap = ask(cast, second, cast.duty_commander, back=2)
    here = cast.command("duty_commander")

    def on(moment: dt.datetime) -> list[User]:
        return plan_of(here, NOW, at(5, 0)).on_duty(moment)

    assert on(at(1, 12)) == [second]
    duty.answer_swap(swap, "agreed", by=cast.duty_commander, now=NOW)
    assert (on(at(1, 12)), on(at(2, 21))) == ([cast.duty_commander], [second])
    assert (on(at(2, 12)), on(at(1, 21))) == ([second], [cast.duty_commander])
    assert whats()[2:] == ["swap_asked", "swap_agreed"]
    assert "already" in refusal(duty.answer_swap, swap, "declined", by=cast.duty_commander, now=NOW)[""][0]


@pytest.mark.parametrize(("answer", "who"), [("declined", "of"), ("withdrawn", "by")])
def test_a_swap_declined_or_withdrawn_leaves_the_roster(cast: Any, second: User, answer: str, who: str) -> None:
    shifts(cast, second)
    swap = ask(cast, second, cast.duty_commander)
    stranger = second if who == "of" else cast.duty_commander
    with pytest.raises(PermissionDenied):
        duty.answer_swap(swap, answer, by=stranger, now=NOW)
    duty.answer_swap(swap, answer, by=cast.duty_commander if who == "of" else second, now=NOW)
    assert Swap.objects.get().state == answer and not Cover.objects.exists()


def test_nobody_else_agrees_for_the_colleague(cast: Any, second: User) -> None:
    shifts(cast, second)
    swap = ask(cast, second, cast.duty_commander)
    for stranger in (second, cast.provincial, cast.psc):
        with pytest.raises(PermissionDenied):
            duty.answer_swap(swap, "agreed", by=stranger, now=NOW)
    assert Swap.objects.get().state == SwapState.ASKED


def test_hours_one_does_not_have_are_not_swapped(cast: Any, second: User) -> None:
    shifts(cast, second)
    assert list(refusal(ask, cast, cast.duty_commander, second)) == ["mine"], "not the asker's hours"
    assert list(refusal(ask, cast, second, cast.neighbour)) == ["colleague"], "answers elsewhere"
    assert list(refusal(ask, cast, second, second)) == ["colleague"]
    assert list(refusal(ask, cast, second, cast.duty_commander, back=2)) == ["back"], "not the colleague's hours"
    assert list(refusal(ask, cast, second, cast.duty_commander, day=-1)) == ["mine"], "over"
    ask(cast, second, cast.duty_commander)
    assert list(refusal(ask, cast, second, cast.duty_commander)) == ["mine"], "asked already"
    assert Swap.objects.count() == 1


def test_a_swap_the_roster_overtook_is_not_agreed(cast: Any, second: User) -> None:
    shifts(cast, second)
    swap = ask(cast, second, cast.duty_commander)
    cover(cast, None, second, at(1, 9), at(1, 12))
    said = refusal(duty.answer_swap, swap, "agreed", by=cast.duty_commander, now=NOW)[""][0]
    assert said.startswith("This swap is not possible any more.")
    late = refusal(duty.answer_swap, ask(cast, second, cast.duty_commander, day=2), "agreed",
                   by=cast.duty_commander, now=at(2, 11))  # fmt: skip
    assert "have begun" in late[""][0]
    assert set(Swap.objects.values_list("state", flat=True)) == {SwapState.ASKED}


# ---- Delegations ----


def delegate(cast: Any, command: str, acting: str, by: str, start: dt.datetime = NOW, days: int = 7) -> Delegation:
    return duty.delegate(
        cast.command(command), cast.command(acting), starts_at=start, ends_at=start + days * DAY, reason="Flood",
        by=getattr(cast, by), now=NOW,
    )  # fmt: skip


def test_a_delegation_is_journaled_told_to_both_and_ended(cast: Any) -> None:
    made = delegate(cast, "duty_commander", "neighbour", "provincial")
    told = {n.recipient for n in Notice.objects.filter(entry__after__what="delegated", channel="inbox")}
    assert told == {cast.duty_commander, cast.neighbour}
    duty.end_delegation(made, by=cast.duty_commander, now=NOW + HOUR)
    assert Delegation.objects.get().ends_at == NOW + HOUR
    assert "over already" in refusal(duty.end_delegation, made, by=cast.provincial, now=NOW + HOUR)[""][0]
    ahead = delegate(cast, "duty_commander", "provincial", "provincial", start=NOW + 3 * DAY)
    duty.end_delegation(ahead, by=cast.provincial, now=NOW + HOUR)
    assert Delegation.objects.count() == 1
    assert whats() == ["delegated", "delegation_ended"] * 2


@pytest.mark.parametrize(
    ("command", "acting", "by", "start", "days", "beside"),
    [
        ("duty_commander", "duty_commander", "provincial", NOW, 7, "acting"),
        ("provincial", "duty_commander", "psc", NOW, 7, "acting"),
        ("demo_integrity", "demo_provincial", "demo_integrity", NOW, 7, "acting"),
        ("demo_provincial", "demo_integrity", "psc", NOW, 7, "acting"),
        ("nec_integrity", "demo_integrity", "nec_integrity", NOW, 7, "acting"),
        ("nec", "psc", "nec", NOW, 7, "acting"),
        ("duty_commander", "neighbour", "provincial", NOW, -1, "ends_at"),
        ("duty_commander", "neighbour", "provincial", NOW, 0, "ends_at"),
        ("duty_commander", "neighbour", "provincial", NOW, 100, "ends_at"),
        ("duty_commander", "neighbour", "provincial", NOW - DAY, 7, "starts_at"),
    ],
)
def test_a_delegation_that_cannot_be_is_refused_beside_its_field(
    cast: Any, command: str, acting: str, by: str, start: dt.datetime, days: int, beside: str
) -> None:
    assert list(refusal(delegate, cast, command, acting, by, start, days)) == [beside]
    assert not Delegation.objects.exists() and not Entry.objects.exists()


def test_two_do_not_act_for_each_other_nor_in_a_circle(cast: Any) -> None:
    delegate(cast, "duty_commander", "neighbour", "psc")
    assert list(refusal(delegate, cast, "neighbour", "duty_commander", "psc")) == ["acting"]
    delegate(cast, "neighbour", "demo_duty", "psc")
    assert list(refusal(delegate, cast, "demo_duty", "duty_commander", "psc")) == ["acting"]
    assert delegate(cast, "demo_duty", "duty_commander", "psc", start=NOW + 8 * DAY), "at another time they may"


def test_one_command_at_a_time_acts_for_another(cast: Any) -> None:
    delegate(cast, "duty_commander", "neighbour", "provincial")
    again = refusal(delegate, cast, "duty_commander", "provincial", "provincial", NOW + 6 * DAY)
    assert "until 1 June, 08:00" in again["acting"][0]
    assert delegate(cast, "duty_commander", "provincial", "provincial", start=NOW + 7 * DAY)


def test_a_command_with_nobody_posted_acts_for_no_other(cast: Any) -> None:
    Posting.objects.filter(user=cast.neighbour).update(ends_at=NOW)
    assert list(refusal(delegate, cast, "duty_commander", "neighbour", "provincial")) == ["acting"]


def test_a_delegation_says_why(cast: Any) -> None:
    values: dict[str, Any] = {"starts_at": NOW, "ends_at": NOW + DAY, "by": cast.provincial, "now": NOW}
    here, there = cast.command("duty_commander"), cast.command("neighbour")
    assert list(refusal(duty.delegate, here, there, reason="  ", **values)) == ["reason"]


def test_who_only_acts_for_a_command_does_not_hand_it_on(cast: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    delegate(cast, "duty_commander", "neighbour", "provincial")
    acting = User.objects.get(pk=cast.neighbour.pk)
    here = cast.command("duty_commander")
    duty.add_shifts(here, person=acting, weekdays=[0], starts=dt.time(8), minutes=60, first=TODAY, last=None,
                    by=acting, now=NOW)  # fmt: skip
    with pytest.raises(PermissionDenied):
        duty.end_delegation(Delegation.objects.get(), by=acting, now=NOW)
