"""What a drill showed: standings, provinces, the comparison, the file, and who reads which part."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents import drill_results, drills
from incidents.drill_results import Standing
from incidents.escalation import rehearsal
from incidents.models import Drill, Entry
from tests.cast import ROLES, Cast
from tests.incidents.drills.stage import MINUTES, at, call_of, hold, relieve

pytestmark = pytest.mark.django_db
SEE_ALL = {"psc", "nec", "nec_second", "auditor"}


def result(drill: Drill, minute: float, by: Any = None) -> drill_results.Result:
    drill.refresh_from_db()
    return drill_results.result(drill, drills.calls_of(drill, by or Cast().psc), at(minute))


def standings(drill: Drill, minute: float) -> dict[str, Standing]:
    return {cell.command.code: cell.standing for cell in result(drill, minute).cells}


def test_each_standing_at_its_time(cast: Cast) -> None:
    relieve("KH21")
    drill = hold("KH2108", "KH2109")
    assert standings(drill, 1) == {
        "KH2108": Standing.CALLED, "KH2109": Standing.CALLED, "KH21": Standing.WAITING, "PSC": Standing.WAITING,
    }  # fmt: skip
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(MINUTES))
    rehearsal.advance(at(MINUTES))
    drills.answer(call_of(drill, "KH2109"), by=cast.neighbour, now=at(MINUTES + 1))
    assert standings(drill, MINUTES + 1) == {
        "KH2108": Standing.ANSWERED, "KH2109": Standing.LATE, "KH21": Standing.VACANT, "PSC": Standing.CALLED,
    }  # fmt: skip
    rehearsal.advance(at(3 * MINUTES))
    assert standings(drill, 3 * MINUTES)["PSC"] == Standing.UNREACHABLE


def test_what_a_cancelled_drill_did_not_reach_has_not_failed(cast: Cast) -> None:
    drill = hold("KH2108")
    drills.cancel(drill, by=cast.psc, now=at(1))
    shown = result(drill, 60)
    assert {cell.standing for cell in shown.cells} == {Standing.STOPPED}
    assert shown.is_cancelled and shown.share is None and not shown.failing


def test_a_province_shows_the_worst_of_its_levels(cast: Cast) -> None:
    drill = hold("KH2108", "KH2109")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1))
    rehearsal.advance(at(MINUTES))
    drills.answer(call_of(drill, "KH21"), by=cast.provincial, now=at(MINUTES + 2))
    drills.answer(call_of(drill, "PSC"), by=cast.psc, now=at(MINUTES + 5))
    shown = result(drill, MINUTES + 5)
    (row,) = shown.rows
    assert (row.code, row.worst) == ("KH21", Standing.UNREACHABLE)
    assert row.counts == [(Standing.UNREACHABLE, 1), (Standing.ANSWERED, 1)]
    assert [row.code for row in shown.failing] == ["KH21"]
    assert (shown.share, shown.median, shown.in_time) == (75, dt.timedelta(minutes=2), 3)


def test_beside_the_drill_before_only_what_both_called_is_compared(cast: Cast) -> None:
    first = hold("KH2108", "KH2109")
    drills.answer(call_of(first, "KH2108"), by=cast.duty_commander, now=at(1))
    for minute in (MINUTES, 2 * MINUTES, 3 * MINUTES):
        rehearsal.advance(at(minute))
    day = 24 * 60
    second = hold("KH2109", "KH2108", "KH2107", now=at(day))
    drills.answer(call_of(second, "KH2109"), by=cast.neighbour, now=at(day + 1))
    for minute in (MINUTES, 2 * MINUTES, 3 * MINUTES):
        rehearsal.advance(at(day + minute))
    second.refresh_from_db()
    assert drills.previous(second, cast.psc) == first and drills.previous(first, cast.psc) is None
    beside = drill_results.compare(result(second, day + 60), result(first, day + 60))
    assert [c.command.code for c in beside.better] == ["KH2109"]
    assert [c.command.code for c in beside.worse] == ["KH2108"]
    assert sorted(c.command.code for c in beside.still) == ["KH21", "PSC"]
    assert (beside.commands, beside.share, beside.share_before) == (4, 25, 25)


# ---- Who reads what ----


@pytest.mark.parametrize("person", ROLES)
def test_a_command_reads_its_own_part_and_what_stands_above_it(person: str, cast: Cast) -> None:
    drill = hold("PSC")
    user = getattr(cast, person)
    codes = {c.command.code for c in drills.calls_of(drill, user)} if drill in drills.visible_to(user) else set()
    whole = {c.command.code for c in drill.calls.select_related("command")}
    own = {
        "duty_commander": {"KH2108", "KH21", "PSC"},
        "neighbour": {"KH2109", "KH21", "PSC"},
        "provincial": {c for c in whole if c.startswith("KH21")} | {"PSC"},
        "other_province": {c for c in whole if c.startswith("KH20")} | {"PSC"},
        "demo_duty": {"KH9901", "KH99", "PSC"},
        "demo_second_duty": {"KH9902", "KH99", "PSC"},
        "demo_provincial": {c for c in whole if c.startswith("KH99")} | {"PSC"},
    }
    assert codes == (whole if person in SEE_ALL else own.get(person, set()))


def test_a_drill_of_others_is_not_there(cast: Cast, signed_in: Callable[..., Client]) -> None:
    drill = hold("KH9901")
    with time_machine.travel(at(1), tick=False):
        client = signed_in(cast.provincial)
        assert drill.name not in client.get(reverse("escalation:drills")).content.decode()
        for name in ("drill", "drill_live", "drill_csv"):
            assert client.get(reverse(f"escalation:{name}", args=[drill.pk])).status_code == 404
        for name in ("drill_answer", "drill_heard"):
            key = call_of(drill, "KH9901").pk
            assert client.post(reverse(f"escalation:{name}", args=[key])).status_code == 404


# ---- Pages and the file ----


@pytest.fixture
def client(cast: Cast, signed_in: Callable[..., Client]) -> Any:
    with time_machine.travel(at(2), tick=False):
        yield signed_in(cast.psc)


def test_the_file_has_a_row_a_command_and_nobody_in_it(client: Client, cast: Cast) -> None:
    drill = hold("KH2108", name="=Monday")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1.5))
    answer = client.get(reverse("escalation:drill_csv", args=[drill.pk]))
    text = answer.content.decode("utf-8-sig")
    header, *lines = list(csv.reader(io.StringIO(text)))
    assert [line[1] for line in lines] == ["PSC", "KH21", "KH2108"]
    row = dict(zip(header, lines[2], strict=True))
    assert (row["Standing"], row["Minutes to the answer"], row["People called"]) == ("answered in time", "1.5", "1")
    assert "cast-" not in text
    entry = Entry.objects.get(act="export")
    assert (entry.after["what"], entry.after["rows"]) == ("drill.csv", 3)
    assert {line[-1] for line in lines} == {entry.after["mark"]}


def test_the_live_part_is_sent_once_while_it_reads_the_same(client: Client, cast: Cast) -> None:
    drill = hold("KH2108")
    url = reverse("escalation:drill_live", args=[drill.pk])
    tag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1))
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_a_page_of_the_whole_country_costs_as_many_queries_as_one_of_a_district(client: Client, cast: Cast) -> None:
    drills.cancel(hold("KH2108"), by=cast.psc, now=at(0))
    counts = []
    for codes in (["KH9901"], ["KH20", "KH21", "KH2109"]):
        drill = hold(*codes)
        url = reverse("escalation:drill", args=[drill.pk])
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1], counts
