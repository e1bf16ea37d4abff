"""Tallies move with cases and agree with them: any moves, any order, two writers at once; rebuilt, and checked."""

import datetime as dt
import random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from incidents import tallies
from incidents.choices import Classification, Severity, State
from incidents.models import Category, DayTally, Incident, Tally
from incidents.tallies import cell_of, differences, local_day, move, move_all
from tests.at_once import raised_at_once
from tests.cast import COMMUNE, DEMO_COMMUNE, NOW
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db
OPEN_STATES = (State.REPORTED, State.ACKNOWLEDGED, State.RESPONDING, State.CONTAINED)


def changed(case: Incident, **values: Any) -> None:
    """What an act does to a case and its tallies."""
    before = cell_of(case)
    for name, value in values.items():
        setattr(case, name, value)
    case.next_due_at = NOW if case.state in OPEN_STATES else None
    case.merged_into = survivor(case) if case.state == State.MERGED else None
    case.save()
    move(before, cell_of(case))


def survivor(case: Incident) -> Incident | None:
    return Incident._base_manager.exclude(pk=case.pk).first()


def test_a_new_report_is_counted_where_it_is_and_on_its_day() -> None:
    case = plain_case()
    move(None, cell_of(case))
    assert Tally.objects.get().count == 1
    day = DayTally.objects.get()
    assert (day.day, day.province_code, day.group_code, day.count, day.reports) == (
        dt.date(2027, 5, 25),
        "KH21",
        "CRM",
        1,
        1,
    )
    assert differences() == []


def test_the_day_is_the_countrys_not_that_of_greenwich() -> None:
    assert local_day(dt.datetime(2027, 5, 24, 17, 30, tzinfo=dt.UTC)) == dt.date(2027, 5, 25)


def test_a_merged_report_stays_a_report_and_is_no_incident_any_more() -> None:
    kept, joined = plain_case(), plain_case()
    move_all([(None, cell_of(kept)), (None, cell_of(joined))])
    changed(joined, state=State.MERGED)
    day = DayTally.objects.get()
    assert (day.count, day.reports) == (1, 2)
    assert differences() == []


def test_sealed_cases_are_in_no_cell() -> None:
    assert cell_of(plain_case(is_sealed=True)) is None
    assert differences() == []


def test_sealing_a_case_takes_it_out() -> None:
    case = plain_case()
    move(None, cell_of(case))
    changed(case, is_sealed=True)
    assert not Tally.objects.exclude(count=0).exists()
    assert differences() == []


@pytest.mark.parametrize("seed", range(4))
def test_after_any_acts_in_any_order_the_tallies_say_what_the_cases_say(seed: int) -> None:
    chance = random.Random(seed)
    categories = list(Category.objects.values_list("pk", flat=True)[:6])
    cases: list[Incident] = []
    for _ in range(60):
        if len(cases) < 3 or chance.random() < 0.3:
            case = plain_case(
                category_id=chance.choice(categories),
                place_id=chance.choice([COMMUNE, DEMO_COMMUNE]),
                reported_at=NOW - dt.timedelta(hours=chance.randrange(100)),
                is_sealed=chance.random() < 0.1,
            )
            move(None, cell_of(case))
            cases.append(case)
            continue
        change: dict[str, Any] = chance.choice(
            [
                {"state": chance.choice([*OPEN_STATES, State.RESOLVED, State.CLOSED, State.MERGED, State.WITHDRAWN])},
                {"severity": chance.choice(Severity.values)},
                {"classification": chance.choice(Classification.values)},
                {"category_id": chance.choice(categories)},
                {"place_id": chance.choice([COMMUNE, DEMO_COMMUNE])},
            ]
        )
        changed(chance.choice(cases), **change)
    assert differences() == []


def test_a_category_begins_with_the_code_of_its_group() -> None:
    assert all(code[:3] == group for code, group in Category.objects.values_list("code", "group_code"))


def test_one_act_costs_two_statements(django_assert_num_queries: Any) -> None:
    case = plain_case()
    with django_assert_num_queries(2):
        move(None, cell_of(case))
    before = cell_of(case)
    case.state = State.ACKNOWLEDGED
    with django_assert_num_queries(1):
        move(before, cell_of(case))
    with django_assert_num_queries(0):
        move(cell_of(case), cell_of(case))


def test_rebuilding_mends_and_checking_finds_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    plain_case()
    with pytest.raises(CommandError, match="2 cells differ"):
        call_command("rebuild_tallies", "--check")
    assert "tallied 0, counted 1" in capsys.readouterr().err
    call_command("rebuild_tallies")
    call_command("rebuild_tallies", "--check")
    Tally.objects.update(count=7)
    with pytest.raises(CommandError, match="1 cells differ"):
        call_command("rebuild_tallies", "--check")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_writers_of_the_same_cells_in_opposite_order_both_finish() -> None:
    one, two = plain_case(severity="low"), plain_case(severity="high")
    move_all([(None, cell_of(one)), (None, cell_of(two))])
    cells = [cell_of(one), cell_of(two)]

    def swing(order: int) -> None:
        for turn in range(40):
            first, second = cells[:: 1 if (turn + order) % 2 else -1]
            with transaction.atomic():
                move_all([(first, second), (second, first), (None, first), (second, None)])
            with transaction.atomic():
                move_all([(None, second), (first, None)])

    assert raised_at_once(lambda: swing(0), lambda: swing(1)) == []
    assert tallies.differences() == []
