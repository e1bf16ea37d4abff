"""A case moved up by the rule: who lost it and, of a critical one, the NEC read it; the record says who was told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail

from incidents.choices import ClockKind
from incidents.delivery.inbox import lines, notices_of
from incidents.delivery.outbox import deliver
from incidents.escalation import engine
from incidents.models import Incident, Notice
from incidents.views import timeline
from tests.cast import Cast
from tests.factories import make_incident, make_sealed

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def moved(case: Incident) -> dt.datetime:
    """Let the time to acknowledge pass; the moment at which the rule moved the case."""
    at = case.clocks.get(kind=ClockKind.ACKNOWLEDGE).deadline_at + MINUTE
    engine.tick(at)
    case.refresh_from_db()
    return at


def read_by(person: Any, kind: str = "moved_up") -> list[str]:
    return [line.text for line in lines(notices_of(person)) if line.notice.kind == kind]


def test_who_lost_the_case_and_for_a_critical_one_the_nec_are_told(cast: Cast) -> None:
    case = make_incident(severity="critical")
    province = case.owner
    moved(case)
    assert case.owner == cast.command("psc")
    said = f"{case.reference} moved up to {case.owner.name}, because it was not acknowledged by {province.name}."
    assert read_by(cast.provincial) == read_by(cast.nec) == read_by(cast.nec_second) == [said]
    assert read_by(cast.psc) == []
    assert len(read_by(cast.psc, "auto_escalate")) == 1


def test_less_than_critical_is_told_to_who_lost_it_only(cast: Cast) -> None:
    case = make_incident(severity="medium")
    moved(case)
    assert case.owner == cast.command("provincial")
    assert len(read_by(cast.duty_commander)) == 1
    assert read_by(cast.nec) == []


def test_the_mail_says_the_same(cast: Cast, settings: Any) -> None:
    settings.EMAIL_CONFIGURED = True
    case = make_incident(severity="critical")
    province = case.owner
    at = moved(case)
    deliver(at)
    subjects = [m.subject for m in mail.outbox if m.to == [cast.provincial.email]]
    assert any(s.endswith(f"not acknowledged by {province.name}.") for s in subjects)


@pytest.mark.parametrize("severity", ["high", "critical"])
def test_of_a_sealed_case_the_subject_and_the_secretariat_hear_nothing(cast: Cast, severity: str) -> None:
    case = make_sealed(severity=severity)
    desk = case.owner
    moved(case)
    assert case.owner != desk
    told = Notice.objects.filter(incident=case)
    for name in ("demo_duty", "demo_officer", "demo_provincial", "demo_second_duty", "psc", "nec", "nec_second"):
        assert not told.filter(recipient=getattr(cast, name)).exists(), name
    assert told.filter(recipient=cast.demo_integrity, kind="moved_up").exists()


def test_the_record_names_the_posts_that_were_told_and_no_person(cast: Cast) -> None:
    case = make_incident(severity="critical")
    province = case.owner
    moved(case)
    move = next(i for i in timeline.of(case, detailed=True).items if i.entry.act == "auto_escalate")
    assert f"@ {province.name}" in move.told
    assert f"@ {cast.command('psc').name}" in move.told
    assert f"NEC secretariat @ {cast.command('nec').name} (2 people)" in move.told
    assert "cast-" not in move.told
