"""How serious a case is: who says so, what it changes, who hears of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from elections.models import PhaseWindow
from incidents import actions
from incidents.choices import Act, ClockKind
from incidents.escalation import engine
from incidents.models import ClockState, Incident, Notice
from incidents.turn import targets_of
from tests.cast import NOW, PHNOM_PENH, Cast

Make = Callable[..., Incident]
HOUR = dt.timedelta(hours=1)
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


# ---- Raised to critical ----


def running(case: Incident) -> dict[str, dt.datetime]:
    return dict(case.clocks.filter(state=ClockState.RUNNING).values_list("kind", "deadline_at"))


def test_raised_to_critical_the_province_owns_it_and_every_rung_and_the_nec_hear_of_it_in_that_act(
    cast: Cast, make_incident: Make
) -> None:
    case = make_incident(severity="medium")
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.duty_commander, version=None, now=NOW)
    case = actions.perform(Act.RAISE_SEVERITY, case, by=cast.officer, version=None, now=NOW, severity="critical")
    assert case.owner == cast.command("provincial")
    act = case.entries.order_by("-pk")[0]
    assert act.act == Act.RAISE_SEVERITY
    heard = set(Notice.objects.filter(entry=act).values_list("recipient__username", flat=True))
    assert {"cast-duty-commander", "cast-provincial", "cast-psc", "cast-nec", "cast-nec-second"} <= heard


def test_raised_to_critical_after_an_update_the_next_one_is_due_in_the_interval_of_the_phase(
    cast: Cast, make_incident: Make
) -> None:
    silence = dt.datetime(2027, 6, 5, 9, 0, tzinfo=PHNOM_PENH)
    case = make_incident(severity="high", now=silence)
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.duty_commander, version=None, now=silence)
    actions.perform(Act.UPDATE, case, by=cast.duty_commander, version=None, now=silence + HOUR, note="We are there.")
    raised = silence + 2 * HOUR
    case = actions.perform(Act.RAISE_SEVERITY, case, by=cast.officer, version=None, now=raised, severity="critical")
    assert running(case)["update"] == raised + HOUR


def test_raised_late_its_shorter_times_count_from_then(cast: Cast, make_incident: Make) -> None:
    """By the first hour a high case would long be overdue: nobody above had a minute to act on it."""
    case = make_incident(severity="low")
    later = NOW + dt.timedelta(hours=5)
    case = actions.perform(
        Act.RAISE_SEVERITY, case, by=cast.duty_commander, version=None, now=later, severity="high", reason="A knife."
    )
    minutes = targets_of(case, later)
    assert running(case) == {
        "acknowledge": later + dt.timedelta(minutes=minutes.acknowledge),
        "first_update": later + dt.timedelta(minutes=minutes.first_update),
        # This one had not passed, and keeps the hour of the report.
        "contain": NOW + dt.timedelta(minutes=minutes.contain),
    }
    engine.tick(later + dt.timedelta(minutes=1))
    case.refresh_from_db()
    assert case.owner == cast.command("duty_commander")


def test_lowered_from_critical_no_further_updates_are_asked_for(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="critical")
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.provincial, version=None, now=NOW)
    case = actions.perform(Act.UPDATE, case, by=cast.provincial, version=None, now=NOW, note="We are there.")
    assert "update" in running(case)
    case = actions.perform(
        Act.LOWER_SEVERITY, case, by=cast.provincial, version=None, now=NOW, severity="high", reason="Nobody is hurt."
    )
    assert "update" not in running(case)


def test_raised_to_high_the_province_hears_of_it_and_the_district_keeps_it(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="medium")
    case = actions.perform(Act.RAISE_SEVERITY, case, by=cast.officer, version=None, now=NOW, severity="high")
    assert case.owner == cast.command("duty_commander")
    assert told(case, "raise_severity") == {"cast-provincial"}


def test_of_a_sealed_case_only_the_desks_hear_that_it_was_raised(cast: Cast, make_sealed: Make) -> None:
    case = make_sealed()
    actions.perform(Act.RAISE_SEVERITY, case, by=cast.demo_integrity, version=None, now=NOW, severity="critical")
    assert "cast-nec-integrity" in told(case, "raise_severity")
    assert not told(case, "raise_severity") & {"cast-demo-duty", "cast-demo-provincial", "cast-psc", "cast-nec"}


# ---- Updates of a critical case ----


@pytest.mark.parametrize(
    ("first", "second", "next_due"),
    [
        # In time: one interval after it was given.
        (15, None, 45),
        (10, None, 40),
        # Late: on the schedule of T15, T45, T75, whatever the delay.
        (17, None, 45),
        (44, None, 45),
        (46, None, 75),
        (15, 50, 75),
        (15, 80, 105),
    ],
)
def test_a_late_update_moves_no_later_one(
    cast: Cast, make_incident: Make, first: int, second: int | None, next_due: int
) -> None:
    """While people vote and votes are counted: the first update after 15 minutes, then every 30 (domain 9, S10)."""
    polls = dt.datetime(2027, 6, 6, 9, 0, tzinfo=PHNOM_PENH)
    case = make_incident(severity="critical", now=polls)
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.provincial, version=None, now=polls)
    for minutes in (first, second):
        if minutes is not None:
            at = polls + dt.timedelta(minutes=minutes)
            case = actions.perform(Act.UPDATE, case, by=cast.provincial, version=None, now=at, note="We are there.")
    assert running(case)["update"] == polls + dt.timedelta(minutes=next_due)


def test_past_a_rung_by_hand_the_rung_left_out_stays_informed(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    actions.perform(
        Act.ESCALATE, case, by=cast.duty_commander, version=None, now=NOW, to="PSC", reason="Two provinces."
    )
    assert told(case, "escalate") == {"cast-psc"}
    assert told(case, "informed") == {"cast-provincial"}
