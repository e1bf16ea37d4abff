"""Workers that come at once, people who answer meanwhile: each command is called once, each answer counts once."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.exceptions import ValidationError

from incidents import drills
from incidents.escalation import rehearsal
from incidents.models import Drill, Entry, Notice
from tests.at_once import raised_at_once
from tests.cast import Cast
from tests.incidents.drills.stage import MINUTES, at, call_of, hold

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def each_once(drill: Drill) -> None:
    """Every command that was called has one entry of it and its people one notice."""
    entries = Entry.objects.filter(act="drill", after__drill=drill.pk, after__what__in=["called", "vacant"])
    said = Counter(entries.values_list("after__command", flat=True))
    called = {c.command.code for c in drill.calls.exclude(called_at=None).select_related("command")}
    assert said == dict.fromkeys(called, 1)
    told = Counter(Notice.objects.filter(entry__in=entries, channel="inbox").values_list("recipient", flat=True))
    assert set(told.values()) == {1}


def test_four_workers_call_every_command_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "AT_ONCE", 2)
    drill = hold("KH21", starts_at=at(5))
    assert raised_at_once(*[lambda: rehearsal.advance(at(5))] * 4) == []
    assert not drill.calls.filter(command__kind="district", called_at=None).exists()
    each_once(drill)
    assert raised_at_once(*[lambda: rehearsal.advance(at(5 + MINUTES))] * 4) == []
    each_once(drill)


def test_the_last_answers_of_two_districts_call_the_province_once() -> None:
    cast = Cast()
    drill = hold("KH2108", "KH2109")
    first, second = call_of(drill, "KH2108"), call_of(drill, "KH2109")
    people = cast.duty_commander, cast.neighbour
    raised = raised_at_once(
        lambda: drills.answer(first, by=people[0], now=at(1)),
        lambda: drills.answer(second, by=people[1], now=at(1)),
        lambda: rehearsal.advance(at(1)),
        lambda: rehearsal.advance(at(1)),
    )
    assert raised == []
    assert call_of(drill, "KH21").called_at == at(1)
    each_once(drill)


def test_two_presses_are_one_answer() -> None:
    cast = Cast()
    drill = hold("KH2108")
    call, person = call_of(drill, "KH2108"), cast.duty_commander
    raised = raised_at_once(*[lambda: drills.answer(call, by=person, now=at(1))] * 3)
    assert [type(fault) for fault in raised] == [ValidationError] * 2
    assert Entry.objects.filter(act="drill", after__what="answered").count() == 1


def test_of_two_drills_started_at_once_one_is_refused() -> None:
    cast = Cast()
    psc, nec = cast.psc, cast.nec
    raised = raised_at_once(lambda: hold("KH2108", by=psc), lambda: hold("KH21", by=nec))
    assert [type(fault) for fault in raised] == [ValidationError]
    assert Drill.objects.count() == 1
