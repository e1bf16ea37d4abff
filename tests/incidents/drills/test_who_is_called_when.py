"""The order of a drill: districts first, each level above when those below answered or had their time."""

from __future__ import annotations

import pytest

from commands.models import Posting
from incidents import drills
from incidents.escalation import rehearsal
from incidents.models import Drill, Entry, Notice
from tests.cast import Cast
from tests.incidents.drills.stage import MINUTES, at, call_of, called, hold, relieve

pytestmark = pytest.mark.django_db


def test_the_district_is_called_at_the_start_and_nobody_above_it(cast: Cast) -> None:
    drill = hold("KH2108")
    assert called(drill) == {"KH2108": at(0)}
    call = call_of(drill, "KH2108")
    assert (call.people, call.due_at) == (1, at(MINUTES))


def test_the_next_level_is_called_when_the_time_is_over_and_not_before(cast: Cast) -> None:
    drill = hold("KH2108")
    assert rehearsal.advance(at(MINUTES - 0.1)) == 0
    assert rehearsal.advance(at(MINUTES)) == 1
    assert called(drill) == {"KH2108": at(0), "KH21": at(MINUTES)}
    assert rehearsal.advance(at(2 * MINUTES)) == 1
    assert set(called(drill)) == {"KH2108", "KH21", "PSC"}


def test_an_answer_calls_the_next_level_at_once(cast: Cast) -> None:
    drill = hold("KH2108")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(3))
    assert called(drill)["KH21"] == at(3)
    drills.answer(call_of(drill, "KH21"), by=cast.provincial, now=at(4))
    drills.answer(call_of(drill, "PSC"), by=cast.psc, now=at(5))
    drill.refresh_from_db()
    assert drill.ended_at == at(5)


def test_a_province_waits_for_all_its_districts(cast: Cast) -> None:
    drill = hold("KH2108", "KH2109")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1))
    assert "KH21" not in called(drill)
    drills.answer(call_of(drill, "KH2109"), by=cast.neighbour, now=at(2))
    assert called(drill)["KH21"] == at(2)


def test_a_vacant_level_is_recorded_at_once_and_the_chain_goes_on(cast: Cast) -> None:
    relieve("KH2108")
    relieve("KH21")
    drill = hold("KH2108")
    assert called(drill) == {"KH2108": at(0), "KH21": at(0), "PSC": at(0)}
    assert [call_of(drill, code).people for code in ("KH2108", "KH21", "PSC")] == [0, 0, 1]
    vacant = Entry.objects.filter(act="drill", after__what="vacant")
    assert sorted(e.after["command"] for e in vacant) == ["KH21", "KH2108"]
    assert not Notice.objects.filter(entry__in=vacant).exists()


def test_a_drill_of_a_whole_province_calls_each_of_its_commands_once(cast: Cast) -> None:
    drill = hold("KH21", "KH2108")
    codes = [c.command.code for c in drill.calls.select_related("command")]
    assert len(codes) == len(set(codes)) and {"KH2108", "KH2109", "KH21", "PSC"} <= set(codes)
    assert not any(code.startswith("KH20") for code in codes)


def test_a_drill_of_the_country_calls_every_command_of_the_ladder_once(cast: Cast) -> None:
    drill = hold("PSC")
    expected = drills.choosable(cast.psc).count()
    assert drill.calls.count() == expected > 6
    assert drill.calls.exclude(called_at=None).filter(command__kind="district").count() == (
        drill.calls.filter(command__kind="district").count()
    )


def test_a_planned_drill_begins_at_its_time_with_who_is_there_then(cast: Cast) -> None:
    drill = hold("KH2108", starts_at=at(60))
    assert rehearsal.advance(at(59)) == 0 and called(drill) == {}
    relieve("KH2108")
    rehearsal.advance(at(61))
    assert call_of(drill, "KH2108").people == 0 and called(drill)["KH21"] == at(61)


def test_people_have_their_whole_time_where_the_step_comes_late(cast: Cast) -> None:
    drill = hold("KH2108", starts_at=at(60))
    rehearsal.advance(at(90))
    assert call_of(drill, "KH2108").due_at == at(90 + MINUTES)


def test_a_drill_that_nobody_answers_ends_by_itself_and_its_maker_reads_how_it_went(cast: Cast) -> None:
    drill = hold("KH2108")
    for minute in range(0, 4 * MINUTES):
        rehearsal.advance(at(minute))
    drill.refresh_from_db()
    assert drill.ended_at == at(3 * MINUTES)
    ended = Entry.objects.get(act="drill", after__what="ended")
    assert {k: ended.after[k] for k in ("commands", "answered", "unreachable", "vacant")} == {
        "commands": 3, "answered": 0, "unreachable": 3, "vacant": 0,
    }  # fmt: skip
    assert set(Notice.objects.filter(entry=ended).values_list("recipient", flat=True)) == {cast.psc.pk}


def test_how_often_the_step_runs_does_not_change_who_was_called(cast: Cast) -> None:
    often, once = hold("KH2108"), hold("KH9901")
    for second in range(0, 60 * MINUTES, 15):
        rehearsal.run(often.pk, at(second / 60))
    for drill in (often, once):
        rehearsal.run(drill.pk, at(MINUTES))
    assert [called(d).get(c) for d, c in ((often, "KH21"), (once, "KH99"))] == [at(MINUTES), at(MINUTES)]


def test_the_step_twice_calls_nobody_twice(cast: Cast) -> None:
    drill = hold("KH2108")
    told = Notice.objects.filter(kind="drill").count()
    assert told > 0
    assert rehearsal.advance(at(0)) == 0 and rehearsal.advance(at(1)) == 0
    assert Notice.objects.filter(kind="drill").count() == told
    assert Entry.objects.filter(act="drill", after__drill=drill.pk, after__what="called").count() == 1


def test_a_clock_that_goes_back_changes_nothing(cast: Cast) -> None:
    drill = hold("KH2108")
    rehearsal.advance(at(MINUTES))
    before = called(drill)
    assert rehearsal.advance(at(-60)) == 0
    assert called(drill) == before


def test_without_a_drill_the_step_is_one_query(cast: Cast, django_assert_num_queries: object) -> None:
    hold("KH2108", starts_at=at(600))
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert rehearsal.advance(at(0)) == 0


def test_a_drill_that_fails_stops_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = hold("KH2108"), hold("KH9901")
    step = rehearsal.step

    def faulty(drill: Drill, *args: object) -> int:
        if drill.pk == broken.pk:
            raise RuntimeError("broken")
        return step(drill, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(rehearsal, "step", faulty)
    rehearsal.advance(at(MINUTES))
    assert "KH99" in called(sound) and "KH21" not in called(broken)


def test_a_large_drill_is_called_in_steps_that_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "AT_ONCE", 3)
    drill = hold("KH21")
    districts = drill.calls.filter(command__kind="district")
    assert districts.count() > 3 and not districts.filter(called_at=None).exists()


def test_who_joined_since_the_start_is_called_at_their_level(cast: Cast) -> None:
    drill = hold("KH2108")
    Posting.objects.create(
        user=cast.officer, role="provincial_command", command=cast.command("provincial"), starts_at=at(-1)
    )
    rehearsal.advance(at(MINUTES))
    assert call_of(drill, "KH21").people == 2
