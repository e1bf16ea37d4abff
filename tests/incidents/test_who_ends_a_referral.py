"""What the NEC or a command above referred is not ended by the owner below, and whoever waits for it is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from commands.choices import Role
from commands.models import Delegation, Posting, User
from incidents import actions
from incidents.choices import Act
from incidents.models import Incident, LegalDeadline, Notice
from tests.cast import NOW, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def at_this_time(db: None) -> Any:
    """Pages and postings ask for the time themselves."""
    LegalDeadline.objects.update_or_create(body="pec", defaults={"minutes": 4320})
    with time_machine.travel(NOW, tick=False):
        yield


def do(act: Act, case: Incident, by: User, now: dt.datetime = NOW, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def referred(case: Incident, by: User, body: str = "pec", **data: Any) -> Incident:
    return do(Act.REFER, case, by, **{"body": body, "sent_at": NOW, **data})


def conclude(case: Incident, by: User, referral: int = 1) -> Incident:
    return do(Act.CONCLUDE_REFERRAL, case, by, referral=referral, outcome="rejected")


def told(case: Incident, kind: str) -> set[str]:
    found = Notice.objects.filter(incident=case, kind=kind, channel="inbox")
    return set(found.values_list("recipient__username", flat=True))


@pytest.mark.parametrize(
    ("maker", "allowed"),
    [
        ("duty_commander", {"duty_commander", "provincial", "psc", "nec_second"}),
        ("provincial", {"provincial", "psc", "nec_second"}),
        ("psc", {"psc", "nec_second"}),
        ("nec", {"nec", "nec_second"}),
    ],
)
def test_a_referral_is_ended_where_it_was_made_above_it_or_at_the_nec(
    cast: Cast, make_incident: Make, maker: str, allowed: set[str]
) -> None:
    for name in ("duty_commander", "provincial", "psc", "nec", "nec_second"):
        if name == "nec" and maker != "nec":
            continue
        case = referred(make_incident(), getattr(cast, maker))
        person = getattr(cast, name)
        assert (Act.CONCLUDE_REFERRAL in actions.allowed(case, person)) == (name in allowed), name
        if name in allowed:
            assert conclude(case, person).referrals.get().outcome == "rejected"
            continue
        with pytest.raises(PermissionDenied, match="made this referral") as refusal:
            conclude(case, person)
        assert cast.command(maker).name in str(refusal.value)
        row = case.referrals.get()
        assert row.outcome == "" and case.clocks.get(kind="legal").state == "running"


def test_a_case_that_came_down_keeps_what_the_command_above_referred(cast: Cast, make_incident: Make) -> None:
    """Who refers, not who owns the case when it ends, says who ends it."""
    case = referred(do(Act.ESCALATE, make_incident(), cast.duty_commander, reason="Too large."), cast.provincial)
    assert Act.CONCLUDE_REFERRAL not in actions.allowed(case, cast.duty_commander)
    Incident.objects.filter(pk=case.pk).update(owner=cast.command("duty_commander"))
    case.refresh_from_db()
    with pytest.raises(PermissionDenied, match="They, a command above them or the NEC record its outcome"):
        conclude(case, cast.duty_commander)
    conclude(case, cast.provincial)


def test_of_two_referrals_each_is_ended_by_its_own(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client]
) -> None:
    case = referred(referred(make_incident(), cast.nec), cast.duty_commander, document="12/27")
    page = signed_in(cast.duty_commander).get(case.get_absolute_url()).content.decode()
    assert "act=conclude_referral&amp;referral=2" in page
    assert "act=conclude_referral&amp;referral=1" not in page
    assert f"{cast.command('nec').name} made this referral" in page
    acts = reverse("incidents:acts", args=[case.pk])
    form = signed_in(cast.duty_commander).get(acts, {"act": "conclude_referral"}).content.decode()
    assert "(12/27)" in form and '<option value="1"' not in form
    with pytest.raises(PermissionDenied):
        conclude(case, cast.duty_commander, 1)
    conclude(case, cast.duty_commander, 2)


def test_whoever_acts_for_the_command_that_referred_ends_it(cast: Cast, make_incident: Make) -> None:
    case = referred(make_incident(), cast.provincial)
    Delegation.objects.create(
        command=cast.command("provincial"), acting=cast.command("duty_commander"), reason="At a meeting.",
        starts_at=NOW - DAY, ends_at=NOW + DAY, made_by=cast.provincial, made_at=NOW - DAY,
    )  # fmt: skip
    person = User.objects.get(pk=cast.duty_commander.pk)
    conclude(case, person)
    entry = case.entries.get(act=Act.CONCLUDE_REFERRAL)
    assert entry.command == cast.command("provincial"), "under that posting, not under their own"


def test_the_form_and_the_api_say_who_ends_it(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client]
) -> None:
    case, client = referred(make_incident(), cast.nec), signed_in(cast.duty_commander)
    acts = reverse("incidents:acts", args=[case.pk])
    shown = client.get(acts, {"act": "conclude_referral", "referral": "1"})
    assert shown.status_code == 403
    assert f"{cast.command('nec').name} made this referral" in shown.content.decode()
    address = f"/api/v1/incidents/{case.pk}/"
    assert "conclude_referral" not in client.get(address).json()["acts"]
    content = {"act": "conclude_referral", "referral": 1, "outcome": "rejected", "version": case.version}
    answer = client.post(f"{address}acts/", content, content_type="application/json")
    assert (answer.status_code, "made this referral" in answer.json()["detail"]) == (403, True)


def test_of_a_sealed_case_a_desk_below_does_not_end_what_the_desk_at_the_nec_referred(
    cast: Cast, make_sealed: Make
) -> None:
    case = referred(make_sealed(), cast.nec_integrity, "inspectorate")
    with pytest.raises(PermissionDenied, match="made this referral"):
        conclude(case, cast.demo_integrity)
    conclude(case, cast.nec_integrity)


# ---- Who is told ----


def test_a_conclusion_is_told_to_the_owner_to_who_referred_and_to_the_next_command(
    cast: Cast, make_incident: Make
) -> None:
    case = referred(make_incident(), cast.psc)
    conclude(case, cast.nec)
    assert told(case, "referral_concluded") >= {
        cast.duty_commander.username, cast.provincial.username, cast.psc.username
    }  # fmt: skip


def test_the_owner_ends_its_own_referral_and_the_next_command_hears_of_it(cast: Cast, make_incident: Make) -> None:
    case = referred(make_incident(), cast.duty_commander)
    conclude(case, cast.duty_commander)
    assert cast.provincial.username in told(case, "referral_concluded")


@pytest.mark.parametrize(
    ("category", "maker", "body", "hears"),
    [
        ("CRM-06", "duty_commander", "prosecutor", False),
        ("PRC-04", "duty_commander", "prosecutor", True),
        ("CRM-06", "nec", "prosecutor", True),
        ("CRM-06", "duty_commander", "nec", True),
    ],
)
def test_the_nec_hears_of_the_end_where_the_case_or_the_referral_is_its_own(
    cast: Cast, make_incident: Make, category: str, maker: str, body: str, hears: bool
) -> None:
    case = referred(make_incident(category=category), getattr(cast, maker), body)
    conclude(case, cast.nec_second if maker == "nec" else cast.provincial)
    assert (cast.nec.username in told(case, "referral_concluded")) == hears


def test_who_referred_and_holds_no_posting_any_more_is_not_told(cast: Cast, make_incident: Make) -> None:
    case = referred(make_incident(), cast.psc)
    Posting.objects.filter(user=cast.psc).update(ends_at=NOW)
    conclude(case, cast.nec)
    assert cast.psc.username not in told(case, "referral_concluded")


def test_of_a_sealed_case_only_desks_hear_of_it(cast: Cast, make_sealed: Make) -> None:
    case = referred(make_sealed(), cast.demo_integrity, "nec")
    assert told(case, "refer") == {cast.nec_integrity.username}
    conclude(case, cast.demo_integrity)
    desks = set(Posting.objects.filter(role=Role.INTEGRITY).values_list("user__username", flat=True))
    heard = told(case, "referral_concluded")
    assert cast.nec_integrity.username in heard and heard <= desks


def test_a_referral_to_the_nec_is_told_to_its_secretariat(cast: Cast, make_incident: Make) -> None:
    other = referred(make_incident(), cast.duty_commander, "pec")
    assert told(other, "refer") == set()
    case = referred(make_incident(), cast.duty_commander, "nec")
    assert told(case, "refer") == {cast.nec.username, cast.nec_second.username}
