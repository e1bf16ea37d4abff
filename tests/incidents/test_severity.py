"""How serious a case is: who says so, what it changes, who hears of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from elections.models import PhaseWindow
from incidents import actions
from incidents.choices import Act, ClockKind
from incidents.models import ClockState, Incident, Notice
from tests.cast import NOW, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db


def told(case: Incident, kind: str) -> set[str]:
    return set(Notice.objects.filter(incident=case, kind=kind).values_list("recipient__username", flat=True))


def test_lowered_from_critical_the_nec_hears_that_it_was_lowered(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="critical")
    actions.perform(
        Act.LOWER_SEVERITY, case, by=cast.provincial, version=None, now=NOW, severity="high", reason="Nobody is hurt."
    )
    assert "cast-nec" in told(case, "lower_severity")
    assert not told(case, "raise_severity")


def test_lowered_otherwise_nobody_is_told_that_it_was_raised(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="high")
    actions.perform(
        Act.LOWER_SEVERITY, case, by=cast.provincial, version=None, now=NOW, severity="medium", reason="It is settled."
    )
    assert not told(case, "raise_severity")


def test_nothing_is_lowered_out_of_its_deadlines(cast: Cast, make_incident: Make) -> None:
    """Unrated is what waits for a worksheet, not the lowest level."""
    case = make_incident(severity="low")
    with pytest.raises(ValidationError, match="another level"):
        actions.perform(
            Act.LOWER_SEVERITY, case, by=cast.provincial, version=None, now=NOW, severity="unrated", reason="Small."
        )


@pytest.mark.parametrize(("category", "severity"), [("CRM-01", "unrated"), ("INF-01", "low")])
def test_a_report_neither_escapes_its_rating_nor_takes_it_early(
    cast: Cast, make_incident: Make, category: str, severity: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        make_incident(category=category, severity=severity)
    assert list(refused.value.message_dict) == ["severity"]


def test_incitement_once_rated_has_a_command_and_the_clocks_of_a_new_report(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="INF-01")
    assert case.owner == cast.command("nec")
    later = NOW + dt.timedelta(hours=40)
    case = actions.perform(
        Act.RAISE_SEVERITY, case, by=cast.nec, version=None, now=later, severity="high", reason="A crowd gathers."
    )
    assert case.owner == cast.command("duty_commander")
    running = case.clocks.filter(state=ClockState.RUNNING)
    assert {c.kind for c in running} == {ClockKind.ACKNOWLEDGE, ClockKind.FIRST_UPDATE, ClockKind.CONTAIN}
    assert {c.anchor_at for c in running} == {later}
    assert "cast-duty-commander" in told(case, "report")
    assert Act.ACKNOWLEDGE in actions.allowed(case, cast.duty_commander)


def test_what_is_usual_in_the_phase_holds_for_every_door(cast: Cast, make_incident: Make) -> None:
    """A failure of power while people vote is high, from the form and from a system that names no severity."""
    polling = PhaseWindow.objects.filter(phase="polling", election__code="CC27").first()
    assert polling is not None
    case = make_incident(category="HAZ-04", now=polling.starts_at + dt.timedelta(minutes=30), election="CC27")
    assert case.phase == "polling"
    assert case.severity == "high"
