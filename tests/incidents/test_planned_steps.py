"""What a case says will happen if nobody acts is what the engine then does: the same commands, moments and reasons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from incidents import actions
from incidents.escalation import plan
from incidents.escalation.ahead import steps_ahead
from incidents.escalation.engine import tick
from incidents.models import Escalation, EscalationKind, Incident
from incidents.views import ladder
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db
A_YEAR = dt.timedelta(days=366)
TOLD_OR_MOVED = (EscalationKind.NEXT_TOLD, EscalationKind.OWNER_MOVED, EscalationKind.PASSED)


def of_case(case: Incident) -> list[plan.PlannedStep]:
    return steps_ahead(case, case.clocks.order_by("pk"), NOW + dt.timedelta(minutes=20))


def deeds(case: Incident, after: int = 0) -> list[tuple[Any, ...]]:
    found = Escalation.objects.filter(incident=case, kind__in=TOLD_OR_MOVED, pk__gt=after).order_by("pk")
    return [(e.due_at, e.clock, e.from_command_id, e.to_command_id) for e in found if e.to_command_id]


def moves(case: Incident, after: int) -> list[tuple[Any, ...]]:
    """Every hand-over, those that another followed at once among them."""
    found = Escalation.objects.filter(
        incident=case, kind__in=(EscalationKind.OWNER_MOVED, EscalationKind.PASSED), pk__gt=after
    )
    rows = found.filter(to_command__isnull=False).order_by("pk")
    return [(e.due_at, e.clock, e.from_command_id, e.to_command_id) for e in rows]


def as_deeds(steps: list[plan.PlannedStep]) -> list[tuple[Any, ...]]:
    return [(s.at, s.clock, s.owner.pk, s.command.pk) for s in steps]


def acknowledged(case: Incident, cast: Cast) -> None:
    actions.perform(
        "acknowledge", case, by=cast.provincial, version=None, now=NOW + dt.timedelta(minutes=4), not_concerned=True
    )


def updated(case: Incident, cast: Cast) -> None:
    acknowledged(case, cast)
    later = NOW + dt.timedelta(minutes=9)
    actions.perform("update", case, by=cast.provincial, version=None, now=later, note="A patrol is on its way.")


def contained(case: Incident, cast: Cast) -> None:
    updated(case, cast)
    later = NOW + dt.timedelta(minutes=20)
    actions.perform("contain", case, by=cast.provincial, version=None, now=later, note="It is over.")


def handed_up(case: Incident, cast: Cast) -> None:
    acknowledged(case, cast)
    later = NOW + dt.timedelta(minutes=20)
    actions.perform("escalate", case, by=cast.provincial, version=None, now=later, to="", reason="Too big for us.")


@pytest.mark.parametrize("done", [None, acknowledged, updated, contained, handed_up])
@pytest.mark.parametrize("severity", ["low", "medium", "high", "critical"])
@pytest.mark.parametrize("every", [dt.timedelta(minutes=7), A_YEAR], ids=["tick by tick", "after an outage"])
def test_the_engine_does_what_was_planned(
    cast: Cast,
    make_incident: Callable[..., Incident],
    severity: str,
    done: Callable[[Incident, Cast], None] | None,
    every: dt.timedelta,
) -> None:
    case = make_incident(severity=severity)
    if done:
        done(case, cast)
    case = Incident.objects.get(pk=case.pk)
    said = of_case(case)
    before = max(Escalation.objects.filter(incident=case).values_list("pk", flat=True), default=0)
    for at in moments(said, every):
        tick(at)
    if every == A_YEAR:
        # Of what a command only passed would have been told, nobody was.
        assert moves(case, before) == as_deeds([s for s in said if s.kind == EscalationKind.OWNER_MOVED])
    else:
        assert deeds(case, before) == as_deeds(said)


def moments(said: list[plan.PlannedStep], every: dt.timedelta) -> list[dt.datetime]:
    """Every planned moment and a little after it, or only once, long after all of them."""
    last = NOW + A_YEAR
    return (
        [*sorted({s.at + part for s in said for part in (dt.timedelta(0), every)}), last] if every < A_YEAR else [last]
    )


def test_what_has_been_told_is_no_longer_planned(cast: Cast, make_incident: Callable[..., Incident]) -> None:
    case = make_incident(severity="medium")
    acknowledged(case, cast)
    case = Incident.objects.get(pk=case.pk)
    first = ladder.planned(case, case.clocks.order_by("pk"))[0]
    assert first.is_told_only
    tick(first.at)
    case = Incident.objects.get(pk=case.pk)
    assert all(step.at > first.at for step in ladder.planned(case, case.clocks.order_by("pk")))


def test_a_closed_case_plans_nothing_and_the_top_has_nobody_above(
    cast: Cast, make_incident: Callable[..., Incident]
) -> None:
    case = make_incident(severity="critical")
    tick(NOW + A_YEAR)
    case = Incident.objects.get(pk=case.pk)
    assert case.owner == cast.command("psc")
    assert ladder.planned(case, case.clocks.order_by("pk")) == []
