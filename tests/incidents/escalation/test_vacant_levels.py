"""A command with nobody there is left out at once and by name; with nobody anywhere the top and the NEC hear of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from commands.models import Posting
from incidents import actions
from incidents.choices import Act, ClockKind
from incidents.escalation import engine
from incidents.escalation.ahead import steps_ahead
from incidents.models import Entry, Incident, Policy
from incidents.policies import rules_of
from incidents.turn import chain_above
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


def test_what_is_escalated_to_an_empty_command_goes_on_at_once_with_an_entry(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    """It would lie there until the warning; and the page says so before the act."""
    case = make_incident(severity="low")
    leave_empty(cast.command("provincial"))
    name, instead = cast.command("provincial").name_en, cast.command("psc").name_en
    with time_machine.travel(NOW, tick=False):
        form = signed_in(cast.duty_commander).get(reverse("incidents:acts", args=[case.pk]) + "?act=escalate")
    assert f"Nobody is there now at {name}: the case goes on at once to {instead}." in form.content.decode()
    case = actions.perform(
        Act.ESCALATE, case, by=cast.duty_commander, version=1, now=NOW, to="KH21", reason="They know the place."
    )
    assert (case.owner, case.version) == (cast.command("psc"), 3)
    district, province = cast.command("duty_commander").code, cast.command("provincial").code
    assert sorted(kept(case)) == [("manual", 0, district, "PSC"), ("vacant", 1, province, "PSC")]
    skip, act = case.entries.order_by("pk")[1:]
    assert (skip.act, skip.command, skip.channel) == ("skip", cast.command("provincial"), "engine")
    assert (act.act, act.version) == ("escalate", 3)
    assert [c.command.code for c in case.custodies.order_by("pk")] == [district, "PSC"]
    # What comes after has numbers of its own, and nothing is counted twice.
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.psc, version=3, now=NOW)
    run = engine.tick(NOW + 30 * DAY)
    assert (run.quarantined, run.error) == (0, "")


def test_to_where_nobody_is_at_all_nothing_is_escalated(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="low")
    leave_empty(cast.command("psc"))

    def escalate(**where: str) -> None:
        actions.perform(Act.ESCALATE, case, by=cast.duty_commander, version=1, now=NOW, reason="Too large.", **where)

    name = cast.command("provincial").name
    with pytest.raises(ValidationError, match=f"Choose {name}: somebody is there"):
        escalate(to="PSC")
    leave_empty(cast.command("provincial"))
    with pytest.raises(ValidationError, match="Nobody is there now at any command above"):
        escalate()
    case.refresh_from_db()
    assert (case.owner, case.version) == (cast.command("duty_commander"), 1)


def test_of_a_sealed_case_an_empty_desk_is_left_out_by_hand_too(cast: Cast, make_sealed: Make) -> None:
    case = make_sealed(severity="low")
    assert case.owner == cast.command("demo_integrity")
    chain = chain_above(case)
    assert chain[-1] == cast.command("nec_integrity") and len(chain) == 2
    case = actions.perform(Act.ESCALATE, case, by=cast.demo_integrity, version=None, now=NOW, reason="Too large.")
    assert case.owner == cast.command("nec_integrity")
    assert ("vacant", 1, chain[0].code, chain[1].code) in kept(case)


def test_raised_to_critical_it_passes_a_province_where_nobody_is(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    case = make_incident(severity="high")
    leave_empty(cast.command("provincial"))
    province, psc = cast.command("provincial"), cast.command("psc")
    with time_machine.travel(NOW, tick=False):
        form = signed_in(cast.duty_commander).get(reverse("incidents:acts", args=[case.pk]) + "?act=raise_severity")
    said = f"A critical case goes to {psc.name_en}: nobody is there now at {province.name_en}."
    assert said in form.content.decode()
    case = actions.perform(Act.RAISE_SEVERITY, case, by=cast.duty_commander, version=None, now=NOW, severity="critical")
    assert (case.owner, case.rung) == (psc, 3)
    assert ("vacant", 1, province.code, "PSC") in kept(case)
    assert case.entries.filter(act="skip", command=province).count() == 1
    assert told(case, cast.psc).count("escalate") == 1


def test_raised_to_critical_with_nobody_above_it_stays_with_who_is_there(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="high")
    leave_empty(cast.command("provincial"), cast.command("psc"))
    case = actions.perform(Act.RAISE_SEVERITY, case, by=cast.duty_commander, version=None, now=NOW, severity="critical")
    assert case.owner == cast.command("duty_commander")
    entry = case.entries.get(act="raise_severity")
    assert entry.after["left_out"] == [cast.command("provincial").pk, cast.command("psc").pk]
    assert "raise_severity" in told(case, cast.nec)


def test_to_where_nobody_is_nothing_is_handed_back(cast: Cast, make_incident: Make) -> None:
    case = make_incident(by=cast.provincial, severity="low")
    district, province = cast.command("duty_commander"), cast.command("provincial")
    actions.perform(Act.ESCALATE, case, by=cast.provincial, version=None, now=NOW, reason="Too large.")
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.provincial, version=None, now=NOW)
    held = list(Posting.objects.filter(command=district).values_list("pk", "ends_at"))
    leave_empty(district)
    given: dict[str, Any] = {"by": cast.provincial, "version": None, "now": NOW + DAY, "reason": "It is quiet."}
    with pytest.raises(ValidationError, match=f"Nobody is there now at {district.name}. Keep the case until"):
        actions.perform(Act.HAND_BACK, case, **given)
    case.refresh_from_db()
    assert (case.owner, case.is_accepted) == (province, True)
    assert not case.escalations.filter(kind="hand_back").exists()
    for key, ends_at in held:
        Posting.objects.filter(pk=key).update(ends_at=ends_at)
    assert actions.perform(Act.HAND_BACK, case, **given).owner == district


def test_a_worksheet_that_is_done_gives_its_case_to_who_is_there(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="INF-01")
    leave_empty(cast.command("duty_commander"))
    case = actions.perform(Act.RAISE_SEVERITY, case, by=cast.nec, version=None, now=NOW, severity="medium")
    assert case.owner == cast.command("provincial")
    assert ("vacant", 1, cast.command("duty_commander").code, case.owner.code) in kept(case)


def test_the_page_of_a_case_that_passed_an_empty_command_says_so(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    """By the engine, which names whom it left out together, and by hand."""
    moved = make_incident(severity="low")
    leave_empty(cast.command("provincial"))
    engine.tick(AFTER)
    raised = make_incident(severity="high")
    leave_empty(cast.command("psc"))
    actions.perform(Act.RAISE_SEVERITY, raised, by=cast.duty_commander, version=None, now=NOW, severity="critical")
    said = f"{cast.command('provincial').name_en} was left out: nobody was there"
    with time_machine.travel(NOW, tick=False):
        page = signed_in(cast.duty_commander).get(moved.get_absolute_url() + "?show=all").content.decode()
        assert said in page
        assert signed_in(cast.duty_commander).get(raised.get_absolute_url()).status_code == 200
