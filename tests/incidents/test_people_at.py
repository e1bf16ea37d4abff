"""Who is told at a command: by posting, by roster where one is in use, and through a command that acts for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from commands.choices import Role
from commands.models import Cover, Delegation, Posting, Roster, SecurityCommand, Shift, User
from incidents.models import Incident
from incidents.routing import answering, people_at, posted_at
from tests.cast import NOW, POSTED_AT

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


def roster(command: SecurityCommand, *shifts: tuple[User, dt.time, int], is_on: bool = True) -> Roster:
    """Every day from a time for some hours."""
    made = Roster.objects.create(command=command, is_on=is_on)
    for person, starts, length in shifts:
        for weekday in range(7):
            Shift.objects.create(
                roster=made, person=person, weekday=weekday, starts=starts, minutes=length * 60,
                valid_from=NOW.date() - dt.timedelta(days=30),
            )  # fmt: skip
    return made


def delegate(command: SecurityCommand, acting: SecurityCommand, by: User) -> Delegation:
    return Delegation.objects.create(
        command=command, acting=acting, starts_at=NOW - HOUR, ends_at=NOW + HOUR, reason="Away", made_by=by, made_at=NOW
    )


@pytest.fixture
def second(cast: Any) -> User:
    """A second duty commander of the district."""
    person = User.objects.create(username="second-duty", language="en")
    Posting.objects.create(
        user=person, role=Role.DUTY_COMMANDER, command=cast.command("duty_commander"), starts_at=POSTED_AT
    )
    return person


def test_without_a_roster_everybody_who_answers_there(cast: Any, second: User) -> None:
    here = cast.command("duty_commander")
    assert people_at([here], NOW) == {here.pk: [cast.duty_commander, second]}


def test_a_roster_not_in_use_changes_nothing(cast: Any, second: User) -> None:
    here = cast.command("duty_commander")
    roster(here, is_on=False)
    assert people_at([here], NOW)[here.pk] == [cast.duty_commander, second]


def test_with_a_roster_those_on_duty_now(cast: Any, second: User) -> None:
    here = cast.command("duty_commander")
    roster(here, (cast.duty_commander, dt.time(18), 12), (second, dt.time(6), 12))
    assert people_at([here], NOW)[here.pk] == [second]
    assert people_at([here], NOW + 12 * HOUR)[here.pk] == [cast.duty_commander]
    assert people_at([here], NOW - 4 * HOUR)[here.pk] == [cast.duty_commander], "a night shift that began yesterday"
    assert posted_at([here], NOW)[here.pk] == [cast.duty_commander, second]


def test_a_roster_with_nobody_on_duty_is_an_empty_list_and_not_everybody(cast: Any, second: User) -> None:
    here = cast.command("duty_commander")
    roster(here, (second, dt.time(18), 6))
    found = answering([here], NOW)
    assert (found.on_duty[here.pk], found.posted[here.pk]) == ([], [cast.duty_commander, second])


def test_whose_posting_ended_is_not_told_though_the_roster_still_names_them(cast: Any) -> None:
    here = cast.command("duty_commander")
    roster(here, (cast.relieved, dt.time(0), 24))
    assert people_at([here], NOW)[here.pk] == []


def test_a_cover_counts_at_once(cast: Any, second: User) -> None:
    here = cast.command("duty_commander")
    made = roster(here, (cast.duty_commander, dt.time(6), 12))
    Cover.objects.create(
        roster=made, person=second, replaces=cast.duty_commander, starts_at=NOW - HOUR, ends_at=NOW + HOUR,
        made_by=cast.provincial, made_at=NOW,
    )  # fmt: skip
    assert people_at([here], NOW)[here.pk] == [second]
    assert people_at([here], NOW + HOUR)[here.pk] == [cast.duty_commander]


def test_a_command_that_acts_for_another_is_told_besides(cast: Any) -> None:
    here, there = cast.command("duty_commander"), cast.command("neighbour")
    delegate(here, there, cast.provincial)
    found = people_at([here, there], NOW)
    assert found == {here.pk: [cast.duty_commander, cast.neighbour], there.pk: [cast.neighbour]}
    assert people_at([here], NOW)[here.pk] == [cast.duty_commander, cast.neighbour]
    assert people_at([here], NOW + HOUR)[here.pk] == [cast.duty_commander]


def test_an_acting_command_answers_where_the_roster_has_nobody(cast: Any) -> None:
    here, there = cast.command("duty_commander"), cast.command("neighbour")
    roster(here, (cast.duty_commander, dt.time(18), 6))
    delegate(here, there, cast.provincial)
    assert people_at([here], NOW)[here.pk] == [cast.neighbour]


def test_the_roster_of_the_acting_command_says_who_of_it_answers(cast: Any) -> None:
    here, there = cast.command("duty_commander"), cast.command("neighbour")
    roster(there, (cast.neighbour, dt.time(18), 6))
    delegate(here, there, cast.provincial)
    assert people_at([here], NOW)[here.pk] == [cast.duty_commander]
    roster(here, (cast.neighbour, dt.time(6), 12))
    assert people_at([here], NOW)[here.pk] == [cast.neighbour], "named on the roster of the command acted for"


def test_acting_is_not_handed_on(cast: Any) -> None:
    here, there, third = cast.command("duty_commander"), cast.command("neighbour"), cast.command("other_province")
    delegate(here, there, cast.provincial)
    delegate(there, third, cast.psc)
    assert cast.other_province not in people_at([here], NOW)[here.pk]


def test_it_costs_two_queries_and_as_many_for_a_hundred(cast: Any, django_assert_num_queries: Any) -> None:
    commands = list(SecurityCommand.objects.rungs()[:100])
    with django_assert_num_queries(2):
        people_at(commands[:1], NOW)
    with django_assert_num_queries(2):
        found = people_at(commands, NOW)
    assert set(found) == {c.pk for c in commands}
    here = cast.command("duty_commander")
    roster(here, (cast.duty_commander, dt.time(6), 12))
    with django_assert_num_queries(4):
        people_at([here], NOW)
    with django_assert_num_queries(0):
        assert people_at([], NOW) == {}


# ---- Sealed cases ----


def test_acting_for_the_unit_concerned_shows_no_sealed_case_and_hides_it_from_who_answers_for_that_unit(
    cast: Any, make_sealed: Any, monkeypatch: Any
) -> None:
    """The second district acts for the first, which a sealed case is about: nobody of either learns of it."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    case = make_sealed()
    delegate(cast.command("demo_duty"), cast.command("demo_second_duty"), cast.demo_provincial)
    for name in ("demo_duty", "demo_second_duty", "demo_provincial"):
        person = User.objects.get(pk=getattr(cast, name).pk)
        assert not Incident.objects.visible_to(person).filter(pk=case.pk).exists(), name
    both = User.objects.get(pk=cast.demo_second_duty.pk)
    Posting.objects.create(user=both, role=Role.INTEGRITY, command=cast.command("demo_integrity"), starts_at=POSTED_AT)
    both = User.objects.get(pk=both.pk)
    assert not Incident.objects.visible_to(both).filter(pk=case.pk).exists(), "answers for the unit concerned meanwhile"
    Delegation.objects.update(ends_at=NOW)
    assert Incident.objects.visible_to(User.objects.get(pk=both.pk)).filter(pk=case.pk).exists()


def test_a_desk_that_acts_for_a_desk_sees_its_sealed_cases_and_keeps_its_own(
    cast: Any, make_sealed: Any, monkeypatch: Any
) -> None:
    """The NEC's desk acts for that of the province: what it holds about the province stays with it."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    lower = make_sealed()
    higher = make_sealed(
        concerned=(cast.command("demo_provincial").code,), narrative="The office told people how to vote."
    )
    delegate(cast.command("demo_integrity"), cast.command("nec_integrity"), cast.nec_integrity)
    desk = User.objects.get(pk=cast.nec_integrity.pk)
    assert set(Incident.objects.visible_to(desk)) == {lower, higher}
    assert not Incident.objects.visible_to(cast.demo_integrity).filter(pk=higher.pk).exists()
    assert people_at([cast.command("demo_integrity")], NOW) == {
        cast.command("demo_integrity").pk: [cast.demo_integrity, cast.nec_integrity]
    }
