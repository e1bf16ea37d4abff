"""A command with nobody there is left out at once and by name; with nobody anywhere the top and the NEC hear of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from incidents import actions
from incidents.choices import Act, ClockKind
from incidents.escalation import engine
from incidents.escalation.ahead import steps_ahead
from incidents.models import Entry, Incident, Policy
from incidents.policies import rules_of
from tests.cast import NOW, Cast
from tests.factories import make_sealed
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE, kept, leave_empty, running, told

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
AFTER = NOW + 12 * HOUR + MINUTE


def test_a_new_report_goes_past_a_district_with_nobody_there(cast: Cast, make_incident: Make) -> None:
    district, province = cast.command("duty_commander"), cast.command("provincial")
    leave_empty(district)
    case = make_incident(by=cast.provincial, severity="low")
    assert case.owner == province
    assert kept(case) == [("vacant", 1, district.code, province.code)]
    assert list(case.entries.order_by("pk").values_list("act", "command", "version")) == [
        ("report", province.pk, 1),
        ("skip", district.pk, 2),
    ]
    case.refresh_from_db()
    assert case.version == 2


def test_who_gets_it_reads_why_it_came_to_them(cast: Cast, make_incident: Make) -> None:
    leave_empty(cast.command("duty_commander"))
    case = make_incident(by=cast.psc, severity="low")
    assert told(case, cast.provincial) == ["skip"]


def test_a_missed_deadline_goes_past_a_province_with_nobody_there(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="low")
    district, province, psc = (cast.command(n) for n in ("duty_commander", "provincial", "psc"))
    leave_empty(province)
    engine.tick(AFTER)
    case.refresh_from_db()
    assert case.owner == psc
    assert kept(case) == [("vacant", 1, province.code, "PSC"), ("owner_moved", 0, district.code, "PSC")]
    acts = list(case.entries.order_by("pk").values_list("act", "version"))
    assert acts == [("report", 1), ("skip", 2), ("auto_escalate", 3)]
    assert Entry.objects.get(incident=case, act="auto_escalate").after["left_out"] == [province.pk]
    assert told(case, cast.psc) == ["skip"]


def test_the_plan_says_so_before(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="low")
    leave_empty(cast.command("provincial"))
    first = next(s for s in steps_ahead(case, case.clocks.order_by("pk"), NOW) if s.kind == "owner_moved")
    assert (first.command, first.left_out) == (cast.command("psc"), (cast.command("provincial"),))


def test_an_owner_with_nobody_left_loses_no_time_with_a_warning(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="low")
    leave_empty(cast.command("duty_commander"))
    engine.tick(NOW + 9 * HOUR)
    case.refresh_from_db()
    assert case.owner == cast.command("provincial")
    assert running(case, "acknowledge").anchor_at == NOW + 9 * HOUR


def test_with_nobody_anywhere_above_it_is_said_to_the_owner_and_the_nec_again_and_again(
    cast: Cast, make_incident: Make
) -> None:
    case = make_incident(severity="low")
    leave_empty(cast.command("provincial"), cast.command("psc"))
    engine.tick(AFTER)
    case.refresh_from_db()
    assert case.owner == cast.command("duty_commander")
    assert [row[0] for row in kept(case)] == ["vacant", "vacant", "exhausted"]
    assert told(case, cast.nec) == ["exhausted"]
    assert told(case, cast.duty_commander) == ["report", "exhausted"]
    again = running(case, "acknowledge")
    assert (again.fires_at, again.step) == (NOW + 13 * HOUR, 2)
    engine.tick(NOW + 13 * HOUR)
    assert told(case, cast.nec) == ["exhausted", "exhausted"]
    # Missed ones are said once, and the next one stays on the hour.
    engine.tick(NOW + 16 * HOUR + 20 * MINUTE)
    again.refresh_from_db()
    assert told(case, cast.nec) == ["exhausted"] * 3
    assert again.fires_at == NOW + 17 * HOUR


def test_as_soon_as_somebody_is_there_the_case_moves(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="low")
    province = cast.command("provincial")
    leave_empty(province, cast.command("psc"))
    engine.tick(AFTER)
    province.postings.update(ends_at=None)
    engine.tick(NOW + 13 * HOUR)
    case.refresh_from_db()
    assert case.owner == province


def test_at_the_top_it_is_repeated_until_somebody_acts(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="critical")
    engine.tick(NOW + HOUR)
    case.refresh_from_db()
    assert case.owner == cast.command("psc")
    before = told(case, cast.psc).count("exhausted")
    engine.tick(NOW + 2 * HOUR)
    assert told(case, cast.psc).count("exhausted") > before
    for act, said in (("acknowledge", {}), ("update", {"note": "A patrol is there."}), ("contain", {"note": "Done."})):
        actions.perform(act, case, by=cast.psc, version=None, now=NOW + 2 * HOUR + MINUTE, **said)
    until_then = told(case, cast.psc).count("exhausted")
    engine.tick(NOW + 4 * HOUR)
    assert told(case, cast.psc).count("exhausted") == until_then


def test_a_bodys_time_by_law_is_said_again_once_a_day() -> None:
    rules = rules_of(Policy.objects.get())
    assert rules.repeat_every(ClockKind.LEGAL) == 24 * 60
    assert rules.repeat_every(ClockKind.CONTAIN) == rules.repeat_minutes == 60


def test_who_serves_at_the_unit_concerned_counts_as_nobody_and_hears_nothing(cast: Cast) -> None:
    """The one integrity officer of the province serves at the district concerned as well."""
    cast.demo_integrity.postings.create(
        user=cast.demo_integrity, role="officer", command=cast.command("demo_duty"), starts_at=NOW - DAY
    )
    case = make_sealed(severity="low")
    assert case.owner.code == "NEC-ID"
    assert told(case, cast.demo_integrity) == []
    assert told(case, cast.nec_integrity) != []
    engine.tick(NOW + 30 * DAY)
    assert told(case, cast.demo_integrity) == []


def test_a_manual_act_may_still_name_the_command(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="low")
    leave_empty(cast.command("provincial"))
    case = actions.perform(
        Act.ESCALATE, case, by=cast.duty_commander, version=None, now=NOW, to="KH21", reason="They know the place."
    )
    assert case.owner == cast.command("provincial")
