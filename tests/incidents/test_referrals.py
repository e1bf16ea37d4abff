"""What is handed to a body that decides by law: its deadline, its outcome, and that the case waits for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from commands.models import User
from incidents import actions, referrals
from incidents.choices import Act, ClockKind, ReferralOutcome
from incidents.models import Clock, ClockState, Incident, LegalDeadline
from tests.cast import NOW, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def times_by_law(db: None) -> None:
    """The table is an administrator's to edit, so the tests say what they count on."""
    for body, minutes in (("cec", 2880), ("pec", 4320), ("nec", 2880), ("prosecutor", None), ("demining", None)):
        LegalDeadline.objects.update_or_create(body=body, defaults={"minutes": minutes})


def do(act: Act, case: Incident, by: User, now: dt.datetime = NOW, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def referred(case: Incident, by: User, body: str = "cec", now: dt.datetime = NOW, **data: Any) -> Incident:
    return do(Act.REFER, case, by, now, **{"body": body, "sent_at": now, **data})


def resolved(case: Incident, cast: Cast, **data: Any) -> Incident:
    do(Act.ACKNOWLEDGE, case, cast.duty_commander)
    do(Act.CONTAIN, case, cast.duty_commander)
    data = {"outcome": "settled", "verification": "verified", **data}
    return do(Act.RESOLVE, case, cast.duty_commander, **data)


def legal(case: Incident) -> list[Clock]:
    return list(case.clocks.filter(kind=ClockKind.LEGAL).order_by("about"))


@pytest.mark.parametrize(("body", "days"), [("cec", 2), ("pec", 3), ("nec", 2)])
def test_each_body_has_its_own_time_from_when_the_paper_was_sent(
    cast: Cast, make_incident: Make, body: str, days: int
) -> None:
    case = referred(make_incident(), cast.duty_commander, body, sent_at=NOW - DAY, document="12/27")
    row = case.referrals.get()
    assert (row.body, row.document, row.sent_at, row.due_at) == (body, "12/27", NOW - DAY, NOW + (days - 1) * DAY)
    [clock] = legal(case)
    assert (clock.about, clock.anchor_at, clock.deadline_at) == (row.pk, NOW - DAY, row.due_at)


def test_the_times_are_those_of_the_table_when_it_was_referred(cast: Cast, make_incident: Make) -> None:
    LegalDeadline.objects.filter(body="cec").update(minutes=60)
    case = referred(make_incident(), cast.duty_commander)
    LegalDeadline.objects.filter(body="cec").update(minutes=600)
    assert legal(case)[0].target_minutes == 60


def test_where_the_law_sets_no_time_no_clock_runs_and_the_case_waits_all_the_same(
    cast: Cast, make_incident: Make
) -> None:
    case = resolved(referred(make_incident(), cast.duty_commander, "prosecutor"), cast)
    assert case.referrals.get().due_at is None
    assert legal(case) == []
    with pytest.raises(ValidationError, match="waits for: Prosecutor"):
        do(Act.CLOSE, case, cast.provincial)


def test_several_referrals_run_beside_each_other(cast: Cast, make_incident: Make) -> None:
    case = referred(make_incident(), cast.duty_commander, document="first")
    case = referred(case, cast.duty_commander, "pec")
    case = referred(case, cast.duty_commander, "cec", document="second")
    assert [c.state for c in legal(case)] == [ClockState.RUNNING] * 3
    case = do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, referral=2, outcome="rejected")
    assert [c.state for c in legal(case)] == [ClockState.RUNNING, ClockState.MET, ClockState.RUNNING]
    assert [r.outcome for r in case.referrals.order_by("pk")] == ["", "rejected", ""]
    numbers = [entry.after["referral"] for entry in case.entries.exclude(act=Act.REPORT).order_by("pk")]
    assert numbers == [1, 2, 3, 2], "the journal calls them by their number in the case"


def test_a_case_does_not_close_while_a_referral_runs_and_does_after_it(cast: Cast, make_incident: Make) -> None:
    case = referred(make_incident(), cast.duty_commander, document="12/27")
    case = resolved(case, cast, outcome="referred_pending")
    with pytest.raises(ValidationError, match=r"waits for: Commune election commission \(12/27\)"):
        do(Act.CLOSE, case, cast.provincial)
    case = do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, NOW + DAY, referral=1, outcome="concluded")
    assert case.outcome == "referred_concluded"
    assert do(Act.CLOSE, case, cast.provincial, NOW + DAY).state == "closed"


def test_its_legal_deadline_runs_on_while_the_case_is_resolved_and_reopening_keeps_it(
    cast: Cast, make_incident: Make
) -> None:
    case = resolved(referred(make_incident(), cast.duty_commander), cast)
    assert [c.state for c in legal(case)] == [ClockState.RUNNING]
    assert case.next_due_at is None, "a resolved case is in no queue"
    case = do(Act.REOPEN, case, cast.provincial, NOW + dt.timedelta(hours=1), reason="A new witness.")
    assert [c.state for c in legal(case)] == [ClockState.RUNNING]
    assert case.clocks.filter(kind=ClockKind.CONTAIN, state=ClockState.RUNNING).exists()


@pytest.mark.parametrize("act", [Act.MERGE, Act.WITHDRAW, Act.DISMISS])
def test_no_other_end_loses_a_running_referral(cast: Cast, make_incident: Make, act: Act) -> None:
    case, other = make_incident(), make_incident()
    referred(case, cast.duty_commander)
    with pytest.raises(ValidationError, match="waits for"):
        match act:
            case Act.MERGE:
                do(act, case, cast.duty_commander, survivor=other.pk)
            case Act.WITHDRAW:
                do(act, case, cast.officer, reason="A mistake.")
            case _:
                do(act, case, cast.duty_commander, dismiss_reason="test", reason="A mistake.")
                do(Act.COUNTERSIGN, case, cast.provincial)
    case.refresh_from_db()
    assert case.is_open


def test_what_is_not_a_running_referral_of_the_case_is_refused(cast: Cast, make_incident: Make) -> None:
    case = referred(make_incident(), cast.duty_commander)
    elsewhere = referred(make_incident(), cast.duty_commander)
    key = elsewhere.referrals.get().pk
    for wrong in (0, 2, key + 1000, "x", "-1"):
        with pytest.raises(ValidationError) as refused:
            do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, referral=wrong, outcome="rejected")
        assert list(refused.value.message_dict) == ["referral"]
    do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, referral=1, outcome="rejected")
    with pytest.raises(ValidationError):
        do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, referral=1, outcome="upheld")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"body": "king"}, "body"),
        ({"body": ""}, "body"),
        ({"sent_at": NOW + dt.timedelta(minutes=1)}, "sent_at"),
        ({"sent_at": NOW - 400 * DAY}, "sent_at"),
        ({"document": "x" * 61}, "document"),
        ({"document": "12\u202e/27"}, "document"),
        ({"note": "\x00"}, "note"),
    ],
)
def test_each_wrong_value_is_named_and_nothing_is_kept(
    cast: Cast, make_incident: Make, data: dict[str, Any], field: str
) -> None:
    case = make_incident()
    with pytest.raises(ValidationError) as refused:
        referred(case, cast.duty_commander, **{"body": "cec", **data})
    assert list(refused.value.message_dict) == [field]
    assert not case.referrals.exists()
    assert case.entries.count() == 1


def test_no_outcome_says_that_somebody_is_guilty() -> None:
    said = " ".join(str(label).lower() for _value, label in ReferralOutcome.choices)
    assert not any(word in said for word in ("guilt", "convict", "offender", "criminal", "perpetrator"))


@pytest.mark.parametrize("name", ["duty_commander", "provincial", "psc", "nec"])
def test_who_may_refer_and_record_the_outcome(cast: Cast, make_incident: Make, name: str) -> None:
    person = getattr(cast, name)
    case = make_incident()
    assert Act.REFER in actions.allowed(case, person)
    assert Act.CONCLUDE_REFERRAL not in actions.allowed(case, person)
    case = referred(case, person)
    assert Act.CONCLUDE_REFERRAL in actions.allowed(case, person)
    assert do(Act.CONCLUDE_REFERRAL, case, person, referral=1, outcome="settled").referrals.get().outcome == "settled"


@pytest.mark.parametrize(
    "name",
    ["officer", "relieved", "neighbour", "other_province", "nec_integrity", "ministry", "liaison", "auditor",
     "administrator", "demo_integrity"],
)  # fmt: skip
def test_who_may_neither_refer_nor_record_the_outcome(cast: Cast, make_incident: Make, name: str) -> None:
    person = getattr(cast, name)
    case = make_incident()
    with pytest.raises((PermissionDenied, Incident.DoesNotExist)):
        referred(case, person)
    referred(case, cast.duty_commander)
    with pytest.raises((PermissionDenied, Incident.DoesNotExist)):
        do(Act.CONCLUDE_REFERRAL, case, person, referral=1, outcome="settled")


def test_of_a_sealed_case_its_desk_refers_and_the_unit_concerned_never_hears_of_it(
    cast: Cast, make_sealed: Make
) -> None:
    case = referred(make_sealed(), cast.demo_integrity, "inspectorate")
    assert case.referrals.exists()
    for name in ("demo_duty", "demo_provincial", "psc", "nec"):
        person = getattr(cast, name)
        with pytest.raises((PermissionDenied, Incident.DoesNotExist)):
            referred(case, person)
        assert not referrals.with_deadline(Incident.objects.visible_to(person)).exists()


def test_the_list_of_deadlines_is_soonest_first_and_holds_what_still_runs(cast: Cast, make_incident: Make) -> None:
    first = referred(make_incident(), cast.duty_commander, "pec")
    second = referred(make_incident(), cast.duty_commander, "cec")
    done = referred(make_incident(), cast.duty_commander)
    do(Act.CONCLUDE_REFERRAL, done, cast.duty_commander, referral=1, outcome="settled")
    referred(make_incident(), cast.duty_commander, "prosecutor")
    listed = referrals.with_deadline(Incident.objects.visible_to(cast.nec))
    assert [row.incident_id for row in listed] == [second.pk, first.pk]
    assert not referrals.with_deadline(Incident.objects.visible_to(cast.other_province)).exists()
