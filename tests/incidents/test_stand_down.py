"""A case goes back down when it has been quiet: by its owner, told to the NEC, accepted below, watched for a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from commands.models import User
from incidents import actions, stand_down
from incidents.choices import Act
from incidents.models import Incident, Notice
from tests.cast import NOW, PHNOM_PENH, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
REASON = "Quiet; the district can follow up."


def do(act: Act, case: Incident, by: User, now: dt.datetime, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def at_the_province(make: Make, cast: Cast, now: dt.datetime = NOW, **fields: Any) -> Incident:
    """A brawl that the province took over and contained five hours later."""
    case = make(now=now, **{"category": "CRM-02", "severity": "high", **fields})
    do(Act.ACKNOWLEDGE, case, cast.duty_commander, now)
    do(Act.ESCALATE, case, cast.duty_commander, now, reason="Too large for us.")
    do(Act.ACCEPT, case, cast.provincial, now)
    return do(Act.CONTAIN, case, cast.provincial, now + 5 * HOUR)


def told(case: Incident, kind: str) -> set[str]:
    return set(Notice.objects.filter(incident=case, kind=kind).values_list("recipient__username", flat=True))


def test_refused_before_twelve_quiet_hours_and_done_after_them(cast: Cast, make_incident: Make) -> None:
    case = at_the_province(make_incident, cast)
    last_moment = NOW + 17 * HOUR - dt.timedelta(minutes=1)
    with pytest.raises(ValidationError, match=r"after 12 quiet hours\. This one still needs 1 minute without news"):
        do(Act.HAND_BACK, case, cast.provincial, last_moment, reason=REASON)
    case = do(Act.HAND_BACK, case, cast.provincial, NOW + 17 * HOUR, reason=REASON)
    assert case.owner == cast.command("duty_commander")
    assert not case.is_accepted, "the receiving command must accept"
    assert "cast-nec" in told(case, "stood_down")
    assert "cast-duty-commander" in told(case, "hand_back")
    case = do(Act.ACCEPT, case, cast.duty_commander, NOW + 18 * HOUR)
    assert case.is_accepted


def test_two_hours_are_enough_while_people_vote(cast: Cast, make_incident: Make) -> None:
    polls = dt.datetime(2027, 6, 6, 7, 0, tzinfo=PHNOM_PENH)
    case = at_the_province(make_incident, cast, now=polls)
    with pytest.raises(ValidationError, match="after 2 quiet hours"):
        do(Act.HAND_BACK, case, cast.provincial, polls + 6 * HOUR, reason=REASON)
    assert do(Act.HAND_BACK, case, cast.provincial, polls + 7 * HOUR, reason=REASON).rung == 1


@pytest.mark.parametrize(
    ("act", "data", "breaks"),
    [
        (Act.UPDATE, {"note": "A second group gathers."}, True),
        (Act.UPDATE, {"note": "All is calm.", "is_quiet": True}, False),
        (Act.LOWER_SEVERITY, {"severity": "medium", "reason": "Nobody is hurt."}, True),
        (Act.VERIFY, {"verification": "verified"}, False),
        (Act.PROPOSE, {"classification": "ordinary"}, False),
    ],
)
def test_what_breaks_the_quiet(cast: Cast, make_incident: Make, act: Act, data: dict[str, Any], breaks: bool) -> None:
    case = at_the_province(make_incident, cast)
    do(act, case, cast.provincial, NOW + 10 * HOUR, **data)
    if breaks:
        with pytest.raises(ValidationError, match="still needs 5 hours"):
            do(Act.HAND_BACK, case, cast.provincial, NOW + 17 * HOUR, reason=REASON)
        do(Act.HAND_BACK, case, cast.provincial, NOW + 22 * HOUR, reason=REASON)
    else:
        do(Act.HAND_BACK, case, cast.provincial, NOW + 17 * HOUR, reason=REASON)


def test_not_while_critical_work_is_open(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="CRM-02", severity="critical")
    do(Act.ACKNOWLEDGE, case, cast.provincial, NOW)
    with pytest.raises(ValidationError, match="once it is contained"):
        do(Act.HAND_BACK, case, cast.provincial, NOW + 48 * HOUR, reason=REASON)


def test_only_the_command_that_took_it_over_hands_it_back(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    do(Act.ESCALATE, case, cast.duty_commander, NOW, reason="Too large for us.")
    with pytest.raises(ValidationError, match="Accept the case first"):
        do(Act.HAND_BACK, case, cast.provincial, NOW + 48 * HOUR, reason=REASON)
    for name in ("duty_commander", "neighbour", "other_province", "officer", "nec", "auditor", "administrator"):
        with pytest.raises((PermissionDenied, Incident.DoesNotExist)):
            do(Act.HAND_BACK, case, getattr(cast, name), NOW + 48 * HOUR, reason=REASON)


def test_not_without_a_second_look_at_the_severity_nor_without_a_reason(cast: Cast, make_incident: Make) -> None:
    case = at_the_province(make_incident, cast)
    with pytest.raises(ValidationError, match="Look at the severity again"):
        do(Act.HAND_BACK, case, cast.provincial, NOW + 20 * HOUR, reason=REASON, reassessed=False)
    with pytest.raises(ValidationError) as refused:
        do(Act.HAND_BACK, case, cast.provincial, NOW + 20 * HOUR, reason="")
    assert list(refused.value.message_dict) == ["reason"]


def test_from_the_top_it_goes_down_one_rung_at_a_time(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    do(Act.ESCALATE, case, cast.duty_commander, NOW, to="PSC", reason="Too large for us.")
    do(Act.ACKNOWLEDGE, case, cast.psc, NOW)
    case = do(Act.HAND_BACK, case, cast.psc, NOW + 12 * HOUR, reason=REASON)
    assert case.owner == cast.command("provincial")


def test_a_sealed_case_never_goes_down(cast: Cast, make_sealed: Make) -> None:
    case = make_sealed()
    do(Act.ACKNOWLEDGE, case, cast.demo_integrity, NOW)
    do(Act.ESCALATE, case, cast.demo_integrity, NOW, reason="It concerns more than a district.")
    for name in ("demo_integrity", "nec_integrity", "demo_provincial", "psc"):
        with pytest.raises((PermissionDenied, Incident.DoesNotExist)):
            do(Act.HAND_BACK, case, getattr(cast, name), NOW + 48 * HOUR, reason=REASON)


def test_for_a_day_it_is_watched_and_what_happens_is_told_to_the_command_that_gave_it_back(
    cast: Cast, make_incident: Make
) -> None:
    case = at_the_province(make_incident, cast)
    back = NOW + 17 * HOUR
    case = do(Act.HAND_BACK, case, cast.provincial, back, reason=REASON)
    watch = stand_down.watched_by(case, back + 23 * HOUR)
    assert watch is not None
    assert watch.from_command == cast.command("provincial")
    assert stand_down.watched_by(case, back + 24 * HOUR) is None
    do(Act.ACCEPT, case, cast.duty_commander, back)
    do(Act.FLARE_UP, case, cast.duty_commander, back + HOUR, reason="They came again.")
    assert told(case, "not_quiet") == {"cast-provincial"}


def test_after_a_day_nobody_watches(cast: Cast, make_incident: Make) -> None:
    case = at_the_province(make_incident, cast)
    do(Act.HAND_BACK, case, cast.provincial, NOW + 17 * HOUR, reason=REASON)
    do(Act.ACCEPT, case, cast.duty_commander, NOW + 18 * HOUR)
    do(Act.FLARE_UP, case, cast.duty_commander, NOW + 42 * HOUR, reason="They came again.")
    assert not told(case, "not_quiet")
