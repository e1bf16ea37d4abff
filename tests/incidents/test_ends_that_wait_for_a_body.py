"""A case ends as «Referred, pending» only where a body will be heard of again; and no referral keeps a case open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from commands.models import User
from incidents import actions
from incidents.choices import Act, Outcome
from incidents.models import Incident, LegalDeadline
from incidents.referrals import MOST_RUNNING
from incidents.views.sentences import title
from tests.cast import NOW, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def times_by_law(db: None) -> None:
    for body, minutes in (("cec", 2880), ("prosecutor", None), ("court", None)):
        LegalDeadline.objects.update_or_create(body=body, defaults={"minutes": minutes})


def do(act: Act, case: Incident, by: User, now: dt.datetime = NOW, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def referred(case: Incident, by: User, body: str = "cec", **data: Any) -> Incident:
    return do(Act.REFER, case, by, **{"body": body, "sent_at": NOW, **data})


def contained(case: Incident, cast: Cast) -> Incident:
    do(Act.ACKNOWLEDGE, case, cast.provincial)
    return do(Act.CONTAIN, case, cast.provincial)


def resolved(case: Incident, by: User, outcome: str = "referred_pending") -> Incident:
    return do(Act.RESOLVE, case, by, outcome=outcome, verification="verified")


# ---- Referred, pending ----


def test_without_a_running_referral_a_case_does_not_end_as_referred(cast: Cast, make_incident: Make) -> None:
    case = contained(make_incident(), cast)
    with pytest.raises(ValidationError, match="Record the referral first") as refused:
        resolved(case, cast.duty_commander)
    assert list(refused.value.message_dict) == ["outcome"]
    referred(case, cast.duty_commander)
    do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, referral=1, outcome="settled")
    with pytest.raises(ValidationError, match="Record the referral first"):
        resolved(case, cast.duty_commander)
    referred(case, cast.duty_commander)
    assert resolved(case, cast.duty_commander).state == "resolved"


def test_what_is_countersigned_is_asked_again(cast: Cast, make_incident: Make) -> None:
    """The referral that ran when it was asked for has ended meanwhile."""
    case = contained(referred(make_incident(severity="critical"), cast.provincial), cast)
    case = resolved(case, cast.psc)
    assert case.request_act == "resolve"
    do(Act.CONCLUDE_REFERRAL, case, cast.psc, referral=1, outcome="settled")
    with pytest.raises(ValidationError, match="decline what was asked"):
        do(Act.COUNTERSIGN, case, cast.nec)
    referred(case, cast.psc)
    assert do(Act.COUNTERSIGN, case, cast.nec).outcome == "referred_pending"


def test_where_the_law_sets_no_time_the_number_of_the_document_is_needed(cast: Cast, make_incident: Make) -> None:
    """Nothing would ever remind anybody of it, and nobody could ask the body for it."""
    case = contained(referred(make_incident(), cast.duty_commander, "prosecutor"), cast)
    with pytest.raises(ValidationError, match=r"no time for: Prosecutor\. Refer it there again with the number"):
        resolved(case, cast.duty_commander)
    referred(case, cast.duty_commander, "cec")
    with pytest.raises(ValidationError, match="no time for: Prosecutor"):
        resolved(case, cast.duty_commander)
    referred(case, cast.duty_commander, "court", document="31/27")
    assert resolved(case, cast.duty_commander).state == "resolved"


def test_a_body_with_a_time_by_law_needs_no_number(cast: Cast, make_incident: Make) -> None:
    case = contained(referred(make_incident(), cast.duty_commander, "cec"), cast)
    assert resolved(case, cast.duty_commander).state == "resolved"


def test_a_case_that_says_it_waits_for_a_body_is_not_closed(cast: Cast, make_incident: Make) -> None:
    """It can stand so only in old records. Whoever closes it records the referral and how it ended."""
    case = resolved(contained(make_incident(), cast), cast.duty_commander, "settled")
    Incident.objects.filter(pk=case.pk).update(outcome=Outcome.REFERRED_PENDING)
    with pytest.raises(ValidationError, match="how the referral ended"):
        do(Act.CLOSE, case, cast.provincial)
    referred(case, cast.provincial)
    case = do(Act.CONCLUDE_REFERRAL, case, cast.provincial, referral=1, outcome="settled")
    assert case.outcome == "referred_concluded"
    assert do(Act.CLOSE, case, cast.provincial).state == "closed"


# ---- Once resolved ----


def test_who_resolved_a_case_does_not_keep_it_from_closing(cast: Cast, make_incident: Make) -> None:
    case = resolved(contained(make_incident(), cast), cast.duty_commander, "settled")
    assert Act.REFER not in actions.allowed(case, cast.duty_commander)
    with pytest.raises(PermissionDenied, match=r"This case is resolved\. Only somebody else, who may close it"):
        referred(case, cast.duty_commander)
    assert do(Act.CLOSE, case, cast.provincial).state == "closed"


def test_a_province_that_resolved_a_case_refers_it_no_further(cast: Cast, make_incident: Make) -> None:
    """It may close the cases of its districts, and not those that it resolved itself."""
    case = resolved(contained(make_incident(), cast), cast.provincial, "settled")
    assert Act.REFER not in actions.allowed(case, cast.provincial)
    with pytest.raises(PermissionDenied):
        referred(case, cast.provincial)


@pytest.mark.parametrize("name", ["provincial", "psc", "nec"])
def test_who_may_close_a_resolved_case_or_the_nec_refers_it(cast: Cast, make_incident: Make, name: str) -> None:
    case = resolved(contained(make_incident(), cast), cast.duty_commander, "settled")
    person = getattr(cast, name)
    assert Act.REFER in actions.allowed(case, person)
    assert referred(case, person).referrals.count() == 1


def test_a_case_of_the_nec_is_referred_by_the_nec_alone_once_resolved(cast: Cast, make_incident: Make) -> None:
    case = resolved(contained(make_incident(category="PRC-04"), cast), cast.provincial, "settled")
    for name in ("duty_commander", "provincial", "psc"):
        with pytest.raises(PermissionDenied, match="NEC secretariat"):
            referred(case, getattr(cast, name))
    referred(case, cast.nec)


# ---- How many ----


def test_no_more_than_ten_referrals_of_a_case_run_at_once(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    for _number in range(MOST_RUNNING):
        referred(case, cast.duty_commander)
    with pytest.raises(ValidationError, match=r"10 referrals of this case run already\. Record how one"):
        referred(case, cast.duty_commander)
    assert case.referrals.count() == case.clocks.filter(kind="legal").count() == MOST_RUNNING
    do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, referral=3, outcome="settled")
    referred(case, cast.duty_commander)


# ---- A number that comes later, a referral that never was ----


def test_the_number_of_the_document_is_added_to_the_referral_that_runs(cast: Cast, make_incident: Make) -> None:
    case = contained(make_incident(), cast)
    referred(case, cast.duty_commander, "prosecutor")
    with pytest.raises(ValidationError, match="with the number of the document"):
        resolved(case, cast.duty_commander)
    later = NOW + dt.timedelta(hours=3)
    do(Act.REFER, case, cast.duty_commander, later, body="prosecutor", sent_at=later, document="214/26")
    (row,) = case.referrals.all()
    assert (row.document, row.sent_at) == ("214/26", NOW)
    entry = case.entries.filter(act=Act.REFER).latest("pk")
    assert (entry.after["referral"], entry.after["document"]) == (1, "214/26")
    assert title(entry, {}) == "The number of the document for: Prosecutor"
    assert resolved(case, cast.duty_commander).state == "resolved"
    referred(case, cast.provincial, "court", document="3/26")
    assert case.referrals.count() == 2, "of another body it is another referral"


def test_who_adds_the_number_is_not_taken_for_who_referred(cast: Cast, make_incident: Make) -> None:
    case = contained(make_incident(), cast)
    referred(case, cast.duty_commander, "prosecutor")
    referred(case, cast.provincial, "prosecutor", document="214/26")
    assert case.referrals.count() == 1
    do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, referral=1, outcome="settled")
    # And nobody below adds one to what was referred above them: theirs is another paper.
    referred(case, cast.provincial, "prosecutor")
    referred(case, cast.duty_commander, "prosecutor", document="9/26")
    assert list(case.referrals.order_by("pk").values_list("document", flat=True)) == ["214/26", "", "9/26"]


def test_a_referral_recorded_by_mistake_is_ended_as_that_and_decides_nothing(cast: Cast, make_incident: Make) -> None:
    case = contained(make_incident(), cast)
    referred(case, cast.duty_commander)
    case = resolved(case, cast.duty_commander)
    case = do(Act.CONCLUDE_REFERRAL, case, cast.duty_commander, referral=1, outcome="mistake")
    assert case.outcome == Outcome.REFERRED_PENDING
    assert title(case.entries.latest("pk"), {}).endswith("It was recorded by mistake")
    with pytest.raises(ValidationError, match="how the referral ended"):
        do(Act.CLOSE, case, cast.provincial)
    referred(case, cast.provincial, "cec")
    case = do(Act.CONCLUDE_REFERRAL, case, cast.provincial, referral=2, outcome="settled")
    assert case.outcome == Outcome.REFERRED_CONCLUDED
