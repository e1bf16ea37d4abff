"""How fast answers came, what went up, what was changed, whose conduct: exact as of the cut-off, for who may know."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import re
from itertools import pairwise
from typing import Any

import openpyxl
import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from commands.models import User
from elections.models import Election
from incidents import actions, severity
from incidents.choices import Act, ClockKind, State
from incidents.dashboards import handovers as ladder
from incidents.dashboards.response import Span, quantiles
from incidents.dashboards.waits import SMALLEST_BASE
from incidents.models import Clock, ConflictSubject, Escalation, EscalationKind, Incident, Outage
from incidents.reports import asked, tables, weekly
from incidents.reports.figures import Figure
from incidents.reports.week import Week
from incidents.tallies import rebuild
from incidents.timekeeping import pause_clocks
from tests.cast import DEMO_COMMUNE, NOW, Cast
from tests.incidents.plain_case import plain_case
from tests.incidents.test_weekly import DAY, HOUR, MONDAY, SUNDAY_NIGHT, URL, WEEK, blocks, body, change, summary

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
TUESDAY = MONDAY + DAY + 9 * HOUR


def answered(after: float | None, **fields: Any) -> Incident:
    """A case of Tuesday, acknowledged so many minutes after its report, with its first clock of an hour."""
    at = None if after is None else TUESDAY + after * MINUTE
    state = State.REPORTED if at is None else State.ACKNOWLEDGED
    case = plain_case(reported_at=TUESDAY, acknowledged_at=at, **{"severity": "high", "state": state, **fields})
    Clock.objects.create(
        incident=case, kind=ClockKind.ACKNOWLEDGE, anchor_at=TUESDAY, target_minutes=60, deadline_at=TUESDAY + HOUR,
        fires_at=TUESDAY + HOUR,
    )  # fmt: skip
    return case


def step(
    case: Incident, fired_at: dt.datetime, kind: str = "owner_moved", *, clock: str = "acknowledge", late: float = 0,
    sender: str = "duty_commander", target: str | None = "provincial", part: int = 0,
) -> None:  # fmt: skip
    cast = Cast()
    Escalation.objects.create(
        incident=case, clock=clock, episode=case.escalations.count() + 1, step=0, part=part, kind=kind,
        from_command=cast.command(sender), to_command=cast.command(target) if target else None,
        due_at=fired_at - late * MINUTE, fired_at=fired_at,
    )  # fmt: skip


def api(cast: Cast, name: str, url: str = URL) -> dict[str, Any]:
    from tests.incidents.api.clients import client

    cache.clear()
    with time_machine.travel(NOW, tick=False):
        answer = client(getattr(cast, name)).get("/api/v1/reports/weekly" + url)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def rows_of(made: weekly.Weekly, name: str) -> list[list[Any]]:
    found = {table.name: table for table in tables.tables(made.sections, "now", "before")}
    return [[tables.number(cell) for cell in row.cells] for row in found[name].rows]


# ---- Response ----


def test_half_and_nine_of_ten_with_the_cases_they_rest_on(cast: Cast) -> None:
    for after in (10, 20, 30, 40, 50, 60, 70, 80, 90, 100):
        answered(after)
    (high, _all) = [w for w in api(cast, "ministry")["response"] if w["awaited"] == "acknowledge"]
    assert high["severity"] == "high"
    assert (high["cases"], high["waiting"], high["half_minutes"], high["nine_of_ten_minutes"]) == (10, 0, 50, 90)


def test_one_that_waits_counts_for_as_long_as_it_has_waited(cast: Cast) -> None:
    for after in (10, 20, 30, None, None):
        answered(after)
    (row, _all) = [r for r in rows_of(summary(cast.ministry), "response") if r[0] == "Until acknowledged"]
    assert row[2:6] == [5, 2, 30, "not yet"], "half of the five were answered after thirty minutes, four in ten not"
    # Reported at the very end of the week, a case has hardly waited and says nothing of how long it takes.
    for _number in range(5):
        plain_case(reported_at=SUNDAY_NIGHT - MINUTE, severity="high")
    (row, _all) = [r for r in rows_of(summary(cast.ministry), "response") if r[0] == "Until acknowledged"]
    assert row[2:6] == [10, 7, 30, "not yet"]


def test_of_fewer_than_five_nothing_is_said(cast: Cast) -> None:
    for after in (10, 20, 30, 40):
        answered(after)
    row = rows_of(summary(cast.ministry), "response")[0]
    assert row[1:6] == ["High", 4, 0, "too few", "too few"]
    found = api(cast, "ministry")["response"][0]
    assert (found["cases"], found["half_minutes"], found["nine_of_ten_minutes"]) == (4, None, None)


def test_the_share_in_time_is_of_those_whose_time_was_used_or_over(cast: Cast) -> None:
    for after in (*range(1, SMALLEST_BASE - 2), 61, None, None):
        answered(after)
    row = rows_of(summary(cast.ministry), "response")[0]
    assert row[-1] == 85, "seventeen of twenty"


def test_to_contain_a_case_is_news_of_it(cast: Cast) -> None:
    for after in (10, 20, 30, 40, 50):
        case = answered(5, contained_at=TUESDAY + after * MINUTE, state=State.CONTAINED)
        if after == 50:
            Incident.objects.filter(pk=case.pk).update(first_update_at=TUESDAY + 45 * MINUTE)
    rows = {row[0]: row for row in rows_of(summary(cast.ministry), "response") if row[1] == "High"}
    assert rows["Until contained"][4:6] == [30, 50]
    assert rows["Until the first update"][4:6] == [30, 45]


def test_response_is_what_was_known_at_the_cut_off(cast: Cast) -> None:
    for after in (10, 20, 30, 40):
        answered(after)
    late = answered(None)
    before = rows_of(summary(cast.ministry), "response")
    # On Monday it is acknowledged, rated anew, and another one found not to be an incident.
    at = SUNDAY_NIGHT + HOUR
    Incident.objects.filter(pk=late.pk).update(acknowledged_at=at, severity="low", state=State.ACKNOWLEDGED)
    change(late, at, acknowledged_at=(None, at.isoformat()), state=("reported", "acknowledged"))
    change(late, at, severity=("high", "low"))
    gone = Incident.objects.exclude(pk=late.pk)[0]
    Incident.objects.filter(pk=gone.pk).update(state=State.NOT_AN_INCIDENT, next_due_at=None)
    change(gone, at, state=("acknowledged", "not_an_incident"))
    assert rows_of(summary(cast.ministry), "response") == before
    assert before[0][1:5] == ["High", 5, 1, 30]


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), min_size=1, max_size=40))
def test_quantiles_rise_and_are_durations_that_were_seen(spans: list[tuple[int, bool]]) -> None:
    found = quantiles([Span(seconds * 60, done) for seconds, done in spans], 0.25, 0.5, 0.9)
    said = [minutes for minutes in found if minutes is not None]
    assert found[: len(said)] == said, "once it cannot be said, no larger share can"
    assert all(first <= second for first, second in pairwise(said))
    assert set(said) <= {float(seconds) for seconds, done in spans if done}
    if all(done for _seconds, done in spans):
        ordered = sorted(seconds for seconds, _done in spans)
        assert found[1] == ordered[-(-len(ordered) // 2) - 1], "without anybody waiting it is the plain median"


# ---- Ladder ----


def test_hand_overs_by_reason_rung_and_where_the_time_ran_out(cast: Cast) -> None:
    case = plain_case(reported_at=TUESDAY - 20 * DAY)
    step(case, TUESDAY)
    step(case, TUESDAY + HOUR, clock="accept", sender="provincial", target="psc")
    step(case, TUESDAY + 2 * HOUR, EscalationKind.MANUAL, clock="")
    step(case, TUESDAY + 3 * HOUR, clock="")
    step(case, TUESDAY + 4 * HOUR, EscalationKind.NEXT_TOLD, clock="update")
    step(case, TUESDAY + 5 * HOUR, EscalationKind.EXHAUSTED, clock="contain", target=None)
    step(case, TUESDAY + 6 * HOUR, EscalationKind.HAND_BACK, clock="", sender="psc")
    # What a command was not told, because the case only passed it, moved nothing.
    step(case, TUESDAY + 7 * HOUR, EscalationKind.PASSED, target=None)
    # A first rating hands a case to the ladder that nobody of the ladder had: no stand-down.
    step(case, TUESDAY + 8 * HOUR, EscalationKind.HAND_BACK, clock="", sender="nec", target="duty_commander")
    # One step that found two commands empty is one.
    step(case, TUESDAY + 9 * HOUR, EscalationKind.VACANT, part=1)
    step(case, TUESDAY + 9 * HOUR, EscalationKind.VACANT, part=2)
    # Of the week before, and of the week after.
    step(case, MONDAY - MINUTE)
    step(case, SUNDAY_NIGHT)
    made = summary(cast.ministry)
    assert rows_of(made, "handovers") == [
        ["Not acknowledged in time", "District", 1, 0, 1, 1, 0],
        ["By hand", "District", 1, 0, 1, 0, 1],
        ["At once, it became critical", "District", 1, 0, 1, 0, 1],
        ["Hand-over not accepted in time", "Province", 0, 1, 1, 0, 1],
        ["All reasons", "", 3, 1, 4, 1, 3],
    ]
    counts = {row[0]: row[1] for row in rows_of(made, "ladder")}
    assert list(counts.values())[:6] == [4, 1, 1, 1, 1, 5]
    found = api(cast, "ministry")["escalation"]
    assert found["handed_over"] == {"value": 4, "before": 1, "change": 3}
    assert {"reason": "accept", "rung": 2, "reached": {"3": 1}, "value": 1, "before": 0, "change": 1} in found[
        "handovers"
    ]


def test_after_an_outage_the_time_ran_out_where_it_ran_out(cast: Cast, make_incident: Any) -> None:
    """The case passes the province in one tick: the district let its time run out, and the province had none."""
    from incidents.escalation.engine import tick

    make_incident(severity="low", now=TUESDAY)
    tick(TUESDAY + MINUTE)
    tick(TUESDAY + 2 * DAY)
    made = summary(cast.ministry)
    (district, province, _all) = rows_of(made, "handovers")
    assert district[:4] == ["Not acknowledged in time", "District", 1, 0]
    assert province[:4] == ["Not acknowledged in time", "Province", 0, 1]
    note = next(t.note for t in tables.tables(made.sections, "now", "before") if t.name == "handovers")
    assert "only passed while automatic escalation was down" in note


def test_steps_that_fired_late_and_the_outage_that_explains_them(cast: Cast) -> None:
    case = plain_case(reported_at=TUESDAY - HOUR)
    Outage.objects.create(started_at=TUESDAY, ended_at=TUESDAY + 30 * MINUTE, cases=99, steps=99)
    Outage.objects.create(started_at=SUNDAY_NIGHT - MINUTE, ended_at=SUNDAY_NIGHT + HOUR, cases=1, steps=1)
    step(case, TUESDAY + 30 * MINUTE, late=25)
    step(case, TUESDAY + 31 * MINUTE, "warning", late=3, target=None)
    step(case, TUESDAY + 2 * HOUR, late=1.5)
    step(case, TUESDAY + 3 * HOUR, late=40)
    found = api(cast, "ministry")["escalation"]
    assert (found["fired"]["value"], found["late"]["value"], found["latest_minutes"]["value"]) == (4, 3, 40)
    assert (found["outage_count"]["value"], found["outage_minutes"]["value"]) == (1, 30), "the other one ended later"
    (away,) = found["outages"]
    assert (away["minutes"], away["late_steps"]) == (30, 2), "those in view, whatever else it moved"
    (row,) = rows_of(summary(cast.ministry), "outages")
    assert row == [TUESDAY, TUESDAY + 30 * MINUTE, 30, 2]
    # Who sees other cases is told of the outage, and of no step of these.
    (away,) = api(cast, "demo_provincial")["escalation"]["outages"]
    assert away["late_steps"] == 0


def test_the_tick_itself_is_in_time_and_an_hour_later_is_not(cast: Cast, make_incident: Any) -> None:
    from incidents.escalation.engine import tick

    now = TUESDAY
    make_incident(category="INT-01", now=now)
    for minute in range(120):
        tick(now + minute * MINUTE)
    late = api(cast, "ministry")["escalation"]
    assert late["fired"]["value"] and not late["late"]["value"] and not late["outage_count"]["value"]
    tick(now + 5 * HOUR)
    late = api(cast, "ministry")["escalation"]
    (away,) = late["outages"]
    assert away["late_steps"] == late["late"]["value"] > 0
    assert away["minutes"] == 300 - 119


def test_the_lengths_of_the_outages_add_up_to_their_sum(cast: Cast, signed_in: Any) -> None:
    for hours, seconds in ((1, 12 * 60 + 40), (3, 2 * 60 + 35), (5, 90)):
        start = TUESDAY + hours * HOUR
        Outage.objects.create(started_at=start, ended_at=start + dt.timedelta(seconds=seconds))
    lengths = [row[2] for row in rows_of(summary(cast.ministry), "outages")]
    assert lengths == [12, 2, 1]
    found = api(cast, "ministry")["escalation"]
    assert found["outage_minutes"]["value"] == sum(lengths) == sum(away["minutes"] for away in found["outages"])


def test_an_outage_alone_is_shown_in_a_week_without_reports(cast: Cast, signed_in: Any) -> None:
    Outage.objects.create(started_at=TUESDAY, ended_at=TUESDAY + HOUR)
    with time_machine.travel(NOW, tick=False):
        page = signed_in(cast.ministry).get(reverse("reports:weekly") + URL).content.decode()
    assert "When automatic escalation was down" in page and "18 May 2027, 09:00" in page
    assert "No report in this week" not in page


# ---- Changes ----


def test_nothing_is_a_number_and_what_cannot_be_said_is_none() -> None:
    """Late: 0 is good news; a dash says that nobody can tell."""

    def shown(cell: tables.Cell) -> str:
        return re.sub(r"<[^>]+>", "", render_to_string("reports/_cell.html", {"cell": cell})).strip()

    assert [shown(cell) for cell in (None, 0, 0.0, tables.Minutes(0), tables.Minutes(90), "too few", "")] == [
        "–", "0", "0.0", "0 s", "1 h 30 min", "too few", "",
    ]  # fmt: skip


@time_machine.travel(NOW, tick=False)
def test_a_week_that_another_version_remembered_is_counted_anew(cast: Cast, signed_in: Any) -> None:
    """After an update the cache holds what the version before it knew: its fields are not this one's."""

    @dataclasses.dataclass
    class Before:
        totals: dict[str, int]
        read: list[tables.Row]

    assert weekly.form_of(Before) == "Before(totals,read) Row(cells,is_all)"
    form = weekly.form_of(weekly._Numbers)
    assert "_Numbers(totals,kinds,places,read)" in form
    assert all(f.name in form for f in dataclasses.fields(ladder.Handovers)), "those within it are part of the form"
    question = asked.Asked(cast.ministry, NOW, Election.objects.get(code="CC27"), WEEK).question
    for part in ("week", "week _Numbers(totals,kinds,places)"):
        cache.set(question.key(part, stamped=False), object())
    assert signed_in(cast.ministry).get(reverse("reports:weekly") + URL).status_code == 200


def test_first_severity_and_severity_at_the_cut_off(cast: Cast) -> None:
    raised = plain_case(reported_at=TUESDAY, initial_severity="medium", severity="critical")
    change(raised, TUESDAY + HOUR, severity=("medium", "high"))
    change(raised, SUNDAY_NIGHT, severity=("high", "critical"))
    plain_case(reported_at=TUESDAY, initial_severity="low", severity="low")
    later = plain_case(reported_at=TUESDAY, initial_severity="low", severity="medium")
    change(later, SUNDAY_NIGHT + DAY, severity=("low", "medium"))
    assert rows_of(summary(cast.ministry), "severity_changes") == [["Medium", 1, 0, 1]]
    assert api(cast, "ministry")["severity_changes"] == [{"first": "medium", "at_cut_off": "high", "cases": 1}]


def test_corrections_to_earlier_weeks_by_field_and_never_what_stood_there(cast: Cast, signed_in: Any) -> None:
    old = [plain_case(reported_at=MONDAY - (n + 1) * DAY) for n in range(2)]
    for case in old:
        change(case, TUESDAY, injured=(3, 1), place_note=("Behind the pharmacy of somebody", "The market"))
    change(old[0], TUESDAY + HOUR, injured=(1, 0), title=("A name", "Another name"))
    change(plain_case(reported_at=MONDAY), TUESDAY, injured=(9, 0))
    change(old[1], SUNDAY_NIGHT, killed=(1, 0))
    rebuild()
    assert rows_of(summary(cast.ministry), "corrections") == [
        ["Injured", 2, 0, 2], ["Exact place", 2, 0, 2], ["Title", 1, 0, 1], ["Cases corrected", 2, 0, 2],
    ]  # fmt: skip
    found = api(cast, "ministry")["corrections"]
    assert found["cases"]["value"] == 2 and {f["name"] for f in found["by_field"]} == {"injured", "place_note", "title"}
    with time_machine.travel(NOW, tick=False):
        client = signed_in(cast.ministry)
        files = [body(client.get(reverse(f"reports:{name}") + URL)) for name in ("weekly", "weekly_csv")]
    for content in files:
        assert b"pharmacy" not in content and b"A name" not in content


def test_the_summary_of_a_week_is_the_same_whatever_is_done_to_its_cases_later(
    cast: Cast, make_incident: Any, signed_in: Any
) -> None:
    """Through the acts themselves, as people do them; the file is the same to the last byte."""
    how: dict[str, Any] = {"by": cast.duty_commander, "version": None}
    cases = [make_incident(category="INT-01", now=TUESDAY + n * MINUTE) for n in range(6)]
    for number, case in enumerate(cases[:4]):
        actions.acknowledge(case, now=TUESDAY + HOUR + number * MINUTE, **how)
    actions.contain(cases[0], now=TUESDAY + 3 * HOUR, **how)
    severity.raise_severity(cases[1], severity="critical", reason="Worse.", now=TUESDAY + 3 * HOUR, **how)

    def file(now: dt.datetime) -> bytes:
        cache.clear()
        with time_machine.travel(now, tick=False):
            return body(signed_in(cast.ministry).get(reverse("reports:weekly_csv") + URL))

    first = file(SUNDAY_NIGHT)
    at = SUNDAY_NIGHT + HOUR
    actions.correct(cases[0], fields={"injured": 7, "means": "blade"}, reason="Counted again.", now=at, **how)
    actions.correct(cases[2], fields={"category": "INT-03"}, reason="It was that.", now=at, **how)
    actions.flare_up(cases[0], reason="Again.", now=at, **how)
    actions.acknowledge(cases[4], now=at, **how)
    actions.update(cases[3], note="Nothing new.", now=at, **how)
    severity.raise_severity(cases[3], severity="critical", reason="Worse.", now=at, **how)
    actions.dismiss(cases[5], by=cast.nec, version=None, dismiss_reason="test", reason="A test.", now=at)
    assert file(SUNDAY_NIGHT + 2 * HOUR) == first
    after = summary(cast.ministry, NOW, WEEK.after)
    assert after.sections.corrected == {"category": Figure(1, 0), "injured": Figure(1, 0), "means": Figure(1, 0)}


# ---- Conduct ----


def sealed(actor: str, unit: str = "demo_provincial", at: dt.datetime = TUESDAY) -> Incident:
    cast = Cast()
    case = plain_case(
        reported_at=at, place_id=DEMO_COMMUNE, is_sealed=True, reporter=cast.liaison, category_id="NEU-01",
        actor_type=actor, severity="high",
    )  # fmt: skip
    ConflictSubject.objects.create(incident=case, command=cast.command(unit))
    return case


def test_conduct_is_counted_by_who_acted_for_the_roles_that_may_know(cast: Cast) -> None:
    sealed("police")
    sealed("police", at=MONDAY - DAY)
    changed = sealed("gendarmerie")
    change(changed, SUNDAY_NIGHT, actor_type=("armed_forces", "gendarmerie"))
    sealed("election_official")
    for name in ("ministry", "nec", "auditor"):
        found = api(cast, name)
        numbers = {row["who_acted"]: (row["value"], row["before"]) for row in found["conduct"]}
        assert numbers == {
            "police": (1, 1), "gendarmerie": (0, 0), "armed_forces": (1, 0), "civil_authority": (0, 0), "others": (1, 0)
        }  # fmt: skip
        total = next(t["value"] for t in found["totals"] if t["name"] == "sealed")
        assert sum(value for value, _before in numbers.values()) == total
        # Of the sealed cases nothing else is in the summary.
        assert found["response"] == [] and not any(p["reported"]["value"] for p in found["provinces"])
    for name in ("psc", "provincial", "demo_provincial", "duty_commander"):
        assert "conduct" not in api(cast, name), name


def test_the_unit_concerned_sees_the_same_bytes_as_before(cast: Cast, signed_in: Any) -> None:
    plain_case(reported_at=TUESDAY, place_id=DEMO_COMMUNE)
    rebuild()

    def seen(name: str) -> list[bytes]:
        cache.clear()
        with time_machine.travel(NOW, tick=False):
            client = signed_in(getattr(cast, name))
            return [body(client.get(reverse("reports:weekly_csv") + URL)), str(api(cast, name)).encode()]

    names = ("demo_provincial", "demo_duty", "psc")
    before = {name: seen(name) for name in names}
    case = sealed("police")
    step(case, TUESDAY + HOUR, late=30)
    change(sealed("police", at=MONDAY - DAY), TUESDAY, injured=(1, 0))
    change(case, TUESDAY + HOUR, severity=("medium", "high"))
    for name in names:
        assert seen(name) == before[name], name


def test_who_serves_at_the_unit_is_not_told_of_its_own_case_under_another_role(cast: Cast) -> None:
    from commands.models import Posting
    from tests.cast import POSTED_AT

    sealed("police")
    Posting.objects.create(
        user=cast.ministry, role="officer", command=cast.command("demo_duty"), starts_at=POSTED_AT,
        conduct_accepted_at=POSTED_AT,
    )  # fmt: skip
    sealed("police", "demo_duty")
    found = api(cast, "ministry")
    # Not a smaller number: beside that of the NEC it would say how many are about their own unit.
    assert "conduct" not in found
    (total,) = [total for total in found["totals"] if total["name"] == "sealed"]
    assert (total["value"], total["before"], total["change"]) == (None, None, None)
    made = summary(User.objects.get(pk=cast.ministry.pk))
    assert made.sections.conduct is None
    assert {row["who_acted"]: row["value"] for row in api(cast, "nec")["conduct"]}["police"] == 2


def test_conduct_does_not_move_while_somebody_looks(cast: Cast) -> None:
    """A number that grows within a minute tells when one case was reported, and by whom to look for it."""
    at = TUESDAY + 17 * MINUTE
    case = sealed("police", at=at)
    change(case, at + 2 * HOUR, actor_type=("armed_forces", "police"))
    midnight = MONDAY + 2 * DAY
    around = [*(at + n * MINUTE for n in (-1, 0, 1, 2)), at + 3 * HOUR, midnight - MINUTE]

    def read(now: dt.datetime, week: Week) -> tuple[dict[str, tuple[Any, Any]], tuple[Any, Any]]:
        cache.clear()
        made = summary(cast.ministry, now, week)
        (total,) = [total.figure for total in made.totals if total.measure.name == "sealed"]
        rows = {kind: (f.value, f.before) for kind, f in (made.sections.conduct or {}).items() if not f.is_nothing}
        return rows, (total.value, total.before)

    for now in around:
        assert read(now, WEEK) == ({}, (0, 0)), now
        assert read(now + 7 * DAY, WEEK.after) == ({}, (0, 0)), now
    assert read(midnight, WEEK) == ({"police": (1, 0)}, (1, 0))
    assert read(midnight + 7 * DAY, WEEK.after) == ({"police": (0, 1)}, (0, 1))
    assert read(NOW, WEEK) == ({"police": (1, 0)}, (1, 0)), "a week that is over is whole"


# ---- In every form ----


def test_page_csv_and_workbook_show_the_tables_of_the_api(cast: Cast, signed_in: Any) -> None:
    for after in (10, 20.5, 30, 40, 1500):
        answered(after, initial_severity="medium")
    case = plain_case(reported_at=MONDAY - DAY)
    step(case, TUESDAY, late=12.5)
    change(case, TUESDAY, injured=(1, 0))
    Outage.objects.create(started_at=TUESDAY - 11 * MINUTE, ended_at=TUESDAY)
    sealed("police")
    rebuild()
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        client = signed_in(cast.ministry)
        page = client.get(reverse("reports:weekly") + URL)
        found = blocks(body(client.get(reverse("reports:weekly_csv") + URL)))
        book = openpyxl.load_workbook(io.BytesIO(body(client.get(reverse("reports:weekly_xlsx") + URL))))
    shown: dict[str, tables.Table] = page.context["tables"]
    assert list(shown) == [
        "response", "ladder", "handovers", "outages", "severity_changes", "corrections", "conduct"
    ]  # fmt: skip
    files = {block[0][0]: block[1:] for block in found}
    sheets = [tuple(map(as_cell, row)) for sheet in book for row in sheet.iter_rows(values_only=True)]
    html = page.content.decode()
    for table in shown.values():
        assert table.rows, table.name
        header, *rows = files[table.title]
        assert header == table.with_units
        assert [[as_text(cell) for cell in row.cells] for row in table.rows] == rows
        lines: list[list[Any]] = [list(header), *(list(row.cells) for row in table.rows)]
        for line in lines:
            written = tuple(map(as_cell, line))
            assert any(sheet_row[: len(written)] == written for sheet_row in sheets), (table.name, written)
        assert f">{table.title}</h" in html
    assert "1 d 1 h" in html, "a page says a length of time in words"
    response = files["How fast answers came"][1]
    assert response[4:6] == ["30", "1500"]


def as_text(cell: Any) -> str:
    cell = as_cell(cell)
    if cell is None:
        return ""
    return f"{cell:%Y-%m-%d %H:%M}" if isinstance(cell, dt.datetime) else str(cell)


def as_cell(cell: Any) -> Any:
    if isinstance(cell, dt.datetime) and cell.tzinfo:
        return cell.astimezone(MONDAY.tzinfo).replace(tzinfo=None)
    cell = tables.number(cell)
    return None if cell == "" else cell


def test_words_of_the_tables_open_no_formula(cast: Cast, signed_in: Any) -> None:
    answered(None)
    with time_machine.travel(NOW, tick=False):
        content = body(signed_in(cast.ministry).get(reverse("reports:weekly_csv") + URL))
    cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]
    assert not [cell for cell in cells if cell[:1] in "=+@" and cell]


def test_the_numbers_of_queries_do_not_grow_with_cases_steps_and_outages(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            summary(cast.ministry)
        return len(captured)

    case = answered(10)
    step(case, TUESDAY, late=10)
    change(case, TUESDAY, injured=(1, 0))
    Outage.objects.create(started_at=TUESDAY - 11 * MINUTE, ended_at=TUESDAY)
    few = count()
    for number in range(12):
        more = answered(number)
        step(more, TUESDAY + number * HOUR, late=number)
        change(more, TUESDAY, injured=(1, 0), severity=("low", "high"))
        Outage.objects.create(started_at=TUESDAY + number * HOUR, ended_at=TUESDAY + number * HOUR + 5 * MINUTE)
    assert count() <= few
    assert len(summary(cast.ministry).sections.now.handovers.listed) == 13 <= ladder.LISTED


@pytest.mark.parametrize("hours", [1, 30, 60], ids=["not paused yet", "paused", "runs again"])
def test_a_pause_after_the_cut_off_forgives_nothing_of_the_week_before(
    cast: Cast, make_incident: Any, hours: int
) -> None:
    """A case that was late on Sunday is still late in the summary of that week while it stands paused and after.

    No late case is paused any more; the record holds some that were, so it is written here as it was then.
    """
    at = SUNDAY_NIGHT + 10 * HOUR
    thursday = TUESDAY + 2 * DAY
    case = make_incident(category="CRM-06", severity="low", now=thursday)
    actions.acknowledge(case, by=cast.duty_commander, version=None, now=thursday + HOUR)
    late = case.clocks.get(kind=ClockKind.FIRST_UPDATE)
    assert late.deadline_at < SUNDAY_NIGHT
    assert by_name(summary(cast.ministry))["late_at_end"] == 1
    case.refresh_from_db()
    pause_clocks(case, at + HOUR, at + 24 * HOUR)
    case.save()
    if hours > 40:
        actions.perform(Act.WAKE, case, by=cast.duty_commander, version=None, now=at + 20 * HOUR)
        late.refresh_from_db()
        assert late.paused_seconds == 19 * 3600 and late.deadline_at > SUNDAY_NIGHT
    cache.clear()
    assert by_name(summary(cast.ministry, SUNDAY_NIGHT + hours * HOUR))["late_at_end"] == 1


def by_name(made: weekly.Weekly) -> dict[str, Any]:
    return {total.measure.name: total.figure.value for total in made.totals}
