"""The weekly summary: its numbers agree with each other, with the dashboard, and in every form they leave in."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from typing import Any

import openpyxl
import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse

from commands.models import User
from elections.models import Election
from incidents.choices import Act, Channel, ClockKind, Severity, State, Verification
from incidents.dashboards import breakdowns
from incidents.dashboards.measures import MEASURES
from incidents.dashboards.past import late_at
from incidents.dashboards.question import Period, Question
from incidents.filters import CaseFilter
from incidents.models import Clock, ClockState, Entry, Escalation, EscalationKind, Incident
from incidents.reports import asked, weekly
from incidents.reports.week import Week
from incidents.tallies import rebuild
from tests.cast import COMMUNE, DEMO_COMMUNE, NOW, PHNOM_PENH, Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db

WEEK = Week(2027, 20)
MONDAY = dt.datetime(2027, 5, 17, tzinfo=PHNOM_PENH)
SUNDAY_NIGHT = MONDAY + dt.timedelta(days=7)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
URL = f"?week={WEEK.code}&election=CC27"


@pytest.fixture
def api(db: None) -> Any:
    from tests.incidents.api.clients import client

    return client


def summary(user: User, now: dt.datetime = NOW, week: Week = WEEK) -> weekly.Weekly:
    cache.clear()
    return weekly.build(asked.Asked(user, now, Election.objects.get(code="CC27"), week))


def change(case: Incident, at: dt.datetime, **values: tuple[Any, Any]) -> None:
    """What the journal says of a change that was made through an act."""
    Entry.objects.create(
        incident=case,
        act=Act.CORRECT,
        at=at,
        channel=Channel.BROWSER,
        before={name: old for name, (old, _new) in values.items()},
        after={name: new for name, (_old, new) in values.items()},
    )


def a_record(seed: int = 4) -> None:
    """Cases of three weeks in two provinces, some changed, resolved or escalated since."""
    chance = random.Random(seed)
    cast = Cast()
    for _number in range(60):
        reported = MONDAY - 9 * DAY + chance.random() * 16 * DAY
        category = chance.choice(["CRM-06", "CRM-02", "INT-01", "HAZ-01"])
        case = plain_case(
            reported_at=reported,
            category_id=category,
            severity=chance.choice(["critical", "high", "medium", "low"]),
            place_id=chance.choice([COMMUNE, DEMO_COMMUNE, "KH210802"]) if _has("KH210802") else COMMUNE,
            killed=chance.choice([0, 0, 1]),
        )
        if chance.random() < 0.3:
            change(case, reported + chance.random() * 8 * DAY, severity=("medium", case.severity))
        if chance.random() < 0.3:
            Clock.objects.create(
                incident=case,
                kind=ClockKind.CONTAIN,
                anchor_at=reported,
                target_minutes=60,
                deadline_at=reported + HOUR,
                fires_at=reported + HOUR,
            )
        if chance.random() < 0.2:
            Escalation.objects.create(
                incident=case,
                clock="",
                episode=1,
                step=0,
                kind=EscalationKind.MANUAL,
                from_command=case.owner,
                to_command=cast.command("provincial"),
                due_at=reported + HOUR,
                fired_at=reported + HOUR,
            )
    rebuild()


def _has(pcode: str) -> bool:
    from elections.models import Jurisdiction

    return Jurisdiction.objects.filter(pk=pcode).exists()


# ---- The week ----


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (dt.datetime(2026, 11, 9, 0, 0, tzinfo=PHNOM_PENH), "2026-W46"),
        (dt.datetime(2026, 11, 8, 17, 0, tzinfo=dt.UTC), "2026-W46"),
        (dt.datetime(2026, 11, 8, 16, 59, tzinfo=dt.UTC), "2026-W45"),
        (dt.datetime(2027, 1, 1, 12, tzinfo=PHNOM_PENH), "2026-W53"),
        (dt.datetime(2024, 12, 30, tzinfo=PHNOM_PENH), "2025-W01"),
    ],
)
def test_a_week_runs_from_monday_midnight_by_the_countrys_clock(moment: dt.datetime, code: str) -> None:
    assert Week.of(moment).code == code
    assert Week.read(code, moment) == Week.of(moment)


def test_the_weeks_follow_each_other_over_a_long_year() -> None:
    assert Week(2026, 52).after == Week(2026, 53) and Week(2026, 53).after == Week(2027, 1)
    assert Week(2027, 1).before == Week(2026, 53)
    assert Week(2026, 53).monday == dt.date(2026, 12, 28)
    assert Week(2026, 53).period == Period(
        dt.datetime(2026, 12, 28, tzinfo=PHNOM_PENH), dt.datetime(2027, 1, 4, tzinfo=PHNOM_PENH)
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2027-W53", "The year 2027 has no week 53."),
        ("2027-W00", "The year 2027 has no week 0."),
        ("last week", "Write the week as the year, W and its number, like 2026-W46."),
        ("2027-W22", "Week 22 of 2027 has not begun. It begins on 31 May 2027."),
        ("1999-W01", "Nothing is recorded before the year 2000."),
        ("0000-W01", "The year 0 has no week 1."),
    ],
)
def test_a_week_that_cannot_be_says_why(text: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Week.read(text, NOW)
    assert refusal.value.messages == [sentence]


def test_the_cut_off_is_the_end_of_the_week_or_the_last_whole_minute() -> None:
    assert WEEK.cut_off(NOW) == SUNDAY_NIGHT and not WEEK.is_running(NOW)
    running, moment = WEEK.after, NOW + dt.timedelta(seconds=42)
    assert running.is_running(moment) and running.cut_off(moment) == NOW
    assert running.counted(moment) == Period(SUNDAY_NIGHT, NOW)
    assert running.compared(moment) == Period(MONDAY, NOW - 7 * DAY)


# ---- The numbers ----


def test_the_parts_add_up_to_the_whole_and_are_the_dashboards_numbers(cast: Cast) -> None:
    a_record()
    for user in (cast.ministry, cast.nec, cast.psc, cast.provincial, cast.duty_commander, cast.auditor):
        made = summary(user)
        totals = {t.measure.name: t.figure for t in made.totals}
        question = Question(user, NOW, CaseFilter(election="CC27"), WEEK.period)
        assert {n: f.value for n, f in totals.items()} == {n: MEASURES[n].query(question) for n in totals}
        earlier = question.over(WEEK.before.period)
        assert {n: f.before for n, f in totals.items()} == {n: MEASURES[n].query(earlier) for n in totals}
        # Category by severity.
        assert made.all_kinds.figure == totals["reported"]
        assert sum(made.all_kinds.severities.values()) == totals["reported"].value
        for group in made.groups:
            assert sum(group.severities.values()) == group.figure.value == sum(k.figure.value for k in group.categories)
        # Places.
        by_province = breakdowns.over_by_place(question, 4)
        for name in weekly.IN_PLACE:
            assert sum(p.figures[name].value for p in made.provinces) == totals[name].value, name
            assert sum(p.figures[name].before for p in made.provinces) == totals[name].before, name
            for province in made.provinces:
                found = by_province.get(province.pcode, breakdowns.InPlaceOver())
                assert province.figures[name].value == getattr(found, name)
                assert sum(d.figures[name].value for d in province.districts) == province.figures[name].value
    assert totals["reported"].value and totals["escalated"].value and totals["late_at_end"].value


def test_page_csv_workbook_and_api_say_the_same(cast: Cast, signed_in: Any, api: Any) -> None:
    a_record()
    with time_machine.travel(NOW, tick=False):
        client = signed_in(cast.ministry)
        page = client.get(reverse("reports:weekly") + URL)
        made: weekly.Weekly = page.context["weekly"]
        tables = blocks(body(client.get(reverse("reports:weekly_csv") + URL)))
        book = openpyxl.load_workbook(io.BytesIO(body(client.get(reverse("reports:weekly_xlsx") + URL))))
        answer = api(cast.ministry).get("/api/v1/reports/weekly" + URL).json()
    three = [[t.figure.value, t.figure.before, t.figure.change] for t in made.totals]
    assert [[number(c) for c in row[2:5]] for row in tables[1][1:]] == three
    assert [[t["value"], t["before"], t["change"]] for t in answer["totals"]] == three
    sheets = {s.title: [list(row) for row in s.iter_rows(values_only=True)] for s in book}
    names = [str(t.measure.title) for t in made.totals]
    assert [row[1:4] for row in sheets["Summary"] if row[0] in names] == three
    for total in made.totals:
        assert f">{total.figure.value}<" in page.content.decode()
    # Category by severity.
    kinds = [[k.code, *k.counts, k.figure.value, k.figure.before] for g in made.groups for k in g.categories]
    assert [[row[1], *map(number, row[3:-1])] for row in tables[2][2:-1]] == kinds
    assert [[row[1], *row[3:-1]] for row in sheets["Category by severity"][3:-1]] == kinds
    assert [[k["code"], *list(k["severities"].values())[:4], k["reported"]["value"], k["reported"]["before"]]
            for k in answer["categories"]] == kinds  # fmt: skip
    # Places.
    places = [[p.pcode, *[f.value for f in p.figures.values()]] for p in made.provinces]
    assert [[row[1], *map(number, row[2::3])] for row in tables[3][2:]] == places
    assert [[row[1], *row[2::3]] for row in sheets["Provinces"][3:]] == places
    assert [[p["pcode"], *[p[n]["value"] for n in weekly.IN_PLACE]] for p in answer["provinces"]] == places
    # Rows: one for each report received.
    assert len(sheets["Cases"]) - 3 == three[0][0]


def test_a_past_week_says_what_was_known_at_its_end(cast: Cast) -> None:
    tuesday = MONDAY + DAY
    raised = plain_case(reported_at=tuesday, severity="critical", killed=2, next_due_at=NOW)
    change(raised, SUNDAY_NIGHT + HOUR, severity=("high", "critical"), killed=(1, 2))
    change(raised, SUNDAY_NIGHT + 2 * HOUR, killed=(2, 2))
    joined = plain_case(reported_at=tuesday, state=State.MERGED, merged_into=raised)
    change(joined, SUNDAY_NIGHT + HOUR, state=("reported", "merged"))
    verified = plain_case(
        reported_at=tuesday, verification=Verification.VERIFIED, category_id="CRM-02", next_due_at=NOW
    )
    change(verified, SUNDAY_NIGHT, verification=("unverified", "verified"), category=("CRM-06", "CRM-02"))
    rebuild()
    made = summary(cast.ministry)
    totals = {t.measure.name: t.figure.value for t in made.totals}
    assert (totals["reported"], totals["incidents_at_end"], totals["confirmed_at_end"]) == (3, 3, 0)
    assert (totals["killed_at_end"], totals["open_at_end"]) == (1, 3)
    assert made.all_kinds.severities[Severity.HIGH] == 1 and not made.all_kinds.severities[Severity.CRITICAL]
    assert [k.code for g in made.groups for k in g.categories] == ["CRM-06"]
    # Asked before anything was changed, the same week gave the same numbers.
    running = summary(cast.ministry, SUNDAY_NIGHT, WEEK)
    assert [t.figure for t in running.totals] == [t.figure for t in made.totals]


def test_a_running_week_is_compared_with_as_much_of_the_last(cast: Cast) -> None:
    plain_case(reported_at=NOW - HOUR)
    plain_case(reported_at=NOW - 7 * DAY - HOUR)
    plain_case(reported_at=NOW - 7 * DAY + HOUR)
    rebuild()
    made = summary(cast.ministry, NOW, Week.of(NOW))
    assert made.is_running and made.totals[0].figure == weekly.Figure(1, 1)
    assert summary(cast.ministry).totals[0].figure.value == 2, "the whole last week is its own summary"


def test_late_at_a_moment_is_late_now_when_it_is_now(cast: Cast, make_incident: Any) -> None:
    """A clock that is said again at the top still waits; a deadline set later says nothing of the past."""
    from incidents import actions
    from incidents.escalation.engine import tick

    silent = make_incident(category="INT-01", now=NOW - 3 * DAY)
    for hours in range(0, 72, 2):
        tick(NOW - 3 * DAY + hours * HOUR)
    assert silent.clocks.filter(state=ClockState.RUNNING, deadline_at__lt=NOW - DAY, fires_at__gt=NOW - DAY).exists()
    question = Question(cast.psc, NOW)
    overdue = set(question.cases().overdue(NOW))
    assert silent in overdue and set(late_at(question.cases(), NOW)) == overdue
    slow = make_incident(now=NOW - 5 * HOUR)
    actions.raise_severity(slow, by=cast.duty_commander, severity="medium", version=None, now=NOW)
    assert slow in question.cases().overdue(NOW + 3 * HOUR)
    assert slow not in late_at(question.cases(), NOW - dt.timedelta(minutes=1)), "its deadline was twelve hours then"
    assert slow in late_at(question.cases(), NOW + 3 * HOUR)


# ---- What is asked ----


def test_the_last_whole_week_is_shown_unless_the_election_ended_before(cast: Cast) -> None:
    def week() -> Week:
        cache.clear()
        found = asked.read(QueryDict(), cast.ministry, NOW)
        assert found is not None
        return found.week

    assert week() == WEEK
    plain_case(reported_at=NOW - 60 * DAY)
    assert week() == Week.of(NOW - 60 * DAY)
    plain_case(reported_at=NOW)
    assert week() == WEEK


def test_what_is_not_known_is_refused_by_name(cast: Cast, signed_in: Any, api: Any) -> None:
    with time_machine.travel(NOW, tick=False):
        for query, name in (
            ("?weak=2027-W20", "weak"),
            ("?election=XX99", "election"),
            ("?week=2027-W22", "week"),
            ("?week=2027-W01&week=2027-W02", "week"),
        ):
            page = signed_in(cast.ministry).get(reverse("reports:weekly") + query)
            assert page.status_code == 400 and "Traceback" not in page.content.decode()
            problem = api(cast.ministry).get("/api/v1/reports/weekly" + query)
            assert problem.status_code == 400
            assert [e["parameter"] for e in problem.json()["errors"]] == [name]


def test_an_empty_week_teaches(cast: Cast, signed_in: Any) -> None:
    with time_machine.travel(NOW, tick=False):
        plain_case(reported_at=NOW - 60 * DAY, state=State.CLOSED, resolved_at=NOW - 59 * DAY)
        rebuild()
        text = signed_in(cast.ministry).get(reverse("reports:weekly") + URL).content.decode()
    assert "No report in this week" in text and "It does not say that nothing happened." in text
    assert f"week={Week.of(NOW - 60 * DAY).code}" in text


def test_the_page_needs_few_queries_however_many_cases(
    cast: Cast, signed_in: Any, django_assert_max_num_queries: Any
) -> None:
    a_record()
    with time_machine.travel(NOW, tick=False):
        client = signed_in(cast.ministry)
        with django_assert_max_num_queries(80):
            assert client.get(reverse("reports:weekly") + URL).status_code == 200


def body(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content) if response.streaming else response.content


def blocks(content: bytes) -> list[list[list[str]]]:
    """The tables of a summary file: runs of rows with nothing between them."""
    found: list[list[list[str]]] = [[]]
    for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
        if row:
            found[-1].append(row)
        else:
            found.append([])
    return found


def number(text: str) -> int | None:
    return int(text) if text else None
