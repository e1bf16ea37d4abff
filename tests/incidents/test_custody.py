"""Who holds a case, and since when: hand-overs, acceptance, and the command below."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from commands.models import SecurityCommand
from elections.models import Election
from incidents import actions
from incidents.choices import Act
from incidents.escalation import engine, watchdog
from incidents.models import Incident
from tests.cast import NOW, TAKEO, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def test_who_accepts_does_not_accept_for_the_command_that_let_the_time_pass(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    engine.tick(NOW + 2 * DAY)
    case.refresh_from_db()
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.psc, version=None, now=NOW + 2 * DAY)
    accepted = dict(case.custodies.values_list("command__code", "accepted_at"))
    assert accepted["PSC"] == NOW + 2 * DAY
    assert [code for code, at in accepted.items() if at is not None] == ["PSC"]


def test_what_nobody_acknowledged_is_not_accepted_and_its_clock_runs_on(cast: Cast, make_incident: Make) -> None:
    """To accept it would stop the clock, with the questions of the acknowledgement unanswered (domain 4.1)."""
    case = make_incident()
    actions.perform(Act.ESCALATE, case, by=cast.duty_commander, version=None, now=NOW, reason="Too large for us.")
    case.refresh_from_db()
    assert Act.ACCEPT not in actions.allowed(case, cast.provincial)
    with pytest.raises(ValidationError, match="Acknowledge the case first"):
        actions.perform(Act.ACCEPT, case, by=cast.provincial, version=None, now=NOW)
    clock = case.clocks.get(kind="acknowledge", state="running")
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.provincial, version=None, now=NOW + DAY / 24)
    case.refresh_from_db()
    clock.refresh_from_db()
    assert (case.is_accepted, clock.state) == (True, "met")


def test_handed_back_it_goes_to_the_joint_command_of_the_place(cast: Cast, make_incident: Make) -> None:
    joint = cast.command("provincial")
    SecurityCommand.objects.create(
        code="KH21-POL", kind="province", force="police", parent=joint.parent, path="PSC.KH21-POL.",
        jurisdiction_id=TAKEO, name_en="Takeo Police", name_km="នគរបាលតាកែវ",
    )  # fmt: skip
    case = make_incident()
    actions.perform(Act.ESCALATE, case, by=cast.duty_commander, version=None, now=NOW, to="PSC", reason="Too large.")
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.psc, version=None, now=NOW)
    case = actions.perform(Act.HAND_BACK, case, by=cast.psc, version=None, now=NOW + DAY, reason="It is yours.")
    assert case.owner == joint


def test_the_engine_leaves_a_closed_record_alone(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    Election.objects.filter(pk=case.election_id).update(is_locked=True)
    run = engine.tick(NOW + 2 * DAY)
    assert (run.claimed, run.fired) == (0, 0)
    case.refresh_from_db()
    assert case.version == 1
    assert watchdog.pulse(NOW + 2 * DAY).is_ok


def test_a_report_about_a_unit_is_sealed_also_where_the_place_has_no_district_command(
    cast: Cast, make_incident: Make
) -> None:
    district = cast.command("duty_commander")
    SecurityCommand.objects.filter(pk=district.pk).update(dissolved_on=NOW.date() - DAY)
    case = make_incident(by=cast.psc, category="NEU-01", narrative="Uniformed staff wore a party's shirts.")
    assert case.is_sealed
    assert [s.command.code for s in case.subjects.select_related("command")] == [cast.command("provincial").code]
    # The PSC's own integrity desk has nobody, and is left out with a trace.
    assert case.owner.code == "NEC-ID"
    assert [e.from_command.code for e in case.escalations.filter(kind="vacant")] == ["PSC-ID"]
