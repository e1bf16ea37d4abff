"""What a case waits for, as its page, the queue and the NEC's list show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commands.models import User
from incidents import actions
from incidents.choices import Act
from incidents.models import Entry, Incident, LegalDeadline, Outage
from tests.cast import NOW, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_noon(db: None, time_machine: Any) -> None:
    """Four hours after the reports of these tests."""
    LegalDeadline.objects.update_or_create(body="cec", defaults={"minutes": 2880})
    time_machine.move_to(NOW + 4 * HOUR, tick=False)


def do(act: Act, case: Incident, by: User, now: dt.datetime, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def paused(make: Make, cast: Cast) -> Incident:
    case = do(Act.ACKNOWLEDGE, make(), cast.duty_commander, NOW)
    do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 24 * HOUR, reason="He is back on Thursday.")
    return do(Act.COUNTERSIGN, case, cast.provincial, NOW + HOUR)


def page(client: Client, case: Incident) -> str:
    answer = client.get(case.get_absolute_url())
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_paused_case_says_since_when_until_when_and_what_is_left(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client]
) -> None:
    case = paused(make_incident, cast)
    text = page(signed_in(cast.duty_commander), case)
    assert "Deadlines paused" in text
    assert "Since 09:00, until 26 May, 08:00." in text
    assert "paused, 1 d 23 h left" in text
    assert "act=wake" in text
    assert "deadlines paused until 26 May, 08:00" in text, "the timeline"
    assert "act=wake" not in page(signed_in(cast.nec), case)
    queue = signed_in(cast.provincial).get(reverse("incidents:list")).content.decode()
    assert "paused</span>" in queue
    assert "end of the pause" in queue


def test_a_request_for_a_pause_says_until_when(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client]
) -> None:
    case = do(Act.ACKNOWLEDGE, make_incident(), cast.duty_commander, NOW)
    do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 24 * HOUR, reason="He is back on Thursday.")
    text = page(signed_in(cast.provincial), case)
    assert "a pause of the deadlines</b> until 26 May, 08:00." in text
    assert "act=countersign" in text and "Decline the request" in text
    inbox = signed_in(cast.provincial).get(reverse("incidents:inbox")).content.decode()
    assert f"{case.reference}: a pause of its deadlines until 26 May, 08:00 is asked for. Please decide." in inbox
    assert f"{case.reference} waits for a countersignature" not in inbox
    mine = page(signed_in(cast.duty_commander), case)
    assert "Take the request back" in mine and "Decline the request" not in mine


def test_contained_after_a_pause_the_time_says_how_much_of_it_was_paused(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client]
) -> None:
    case = do(Act.CONTAIN, paused(make_incident, cast), cast.duty_commander, NOW + 3 * HOUR)
    assert "3 h (of which paused 2 h)" in page(signed_in(cast.duty_commander), case)


def test_referrals_stand_on_the_case_with_their_countdown(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client]
) -> None:
    case = make_incident()
    do(Act.REFER, case, cast.duty_commander, NOW, body="cec", document="12/27", sent_at=NOW)
    text = page(signed_in(cast.duty_commander), case)
    assert "Referred to legal bodies" in text
    assert "1 d 20 h" in text
    assert "act=conclude_referral&amp;referral=1" in text
    assert "Document 12/27" in text
    assert "The case cannot be closed before each outcome is recorded." in text
    assert "12/27" not in page(signed_in(cast.ministry), case), "a detail of the case"
    form = signed_in(cast.duty_commander).get(
        reverse("incidents:acts", args=[case.pk]), {"act": "conclude_referral", "referral": "1"}
    )
    assert "Commune election commission (12/27)" in form.content.decode()


def test_a_referral_is_made_and_ended_by_the_forms(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client]
) -> None:
    case, client = make_incident(), signed_in(cast.duty_commander)
    acts = reverse("incidents:acts", args=[case.pk])
    content = {"act": "refer", "version": 1, "body": "cec", "document": "", "sent_at": "2027-05-25T08:00", "note": ""}
    wrong = client.post(acts, content | {"sent_at": "2027-05-26T08:00"})
    assert wrong.status_code == 422
    assert "That is in the future." in wrong.content.decode()
    assert client.post(acts, content).status_code == 302
    row = case.referrals.get()
    assert row.sent_at == NOW, "the hour is that of the country"
    end = {"act": "conclude_referral", "version": 2, "referral": "1", "referral_outcome": "", "note": ""}
    assert client.post(acts, end).status_code == 422
    assert client.post(acts, end | {"referral_outcome": "rejected"}).status_code == 302
    row.refresh_from_db()
    assert row.outcome == "rejected"
    ended = page(client, case)
    assert "What is referred is alleged." in ended
    assert "cannot be closed before each outcome" not in ended, "nothing is waited for"


def test_a_pause_is_asked_for_by_the_form(cast: Cast, make_incident: Make, signed_in: Callable[..., Client]) -> None:
    case, client = do(Act.ACKNOWLEDGE, make_incident(), cast.duty_commander, NOW), signed_in(cast.duty_commander)
    acts = reverse("incidents:acts", args=[case.pk])
    content = {"act": "snooze", "version": case.version, "until": "2027-06-25T08:00", "reason": "He is away."}
    refused = client.post(acts, content)
    assert refused.status_code == 422
    assert "at most 72 hours" in refused.content.decode()
    assert "He is away." in refused.content.decode(), "nothing typed is lost"
    assert client.post(acts, content | {"until": "2027-05-26T08:00"}).status_code == 302
    case.refresh_from_db()
    assert case.request_data == {"until": "2027-05-26T08:00:00+07:00", "decided_by": "above"}


def test_the_nec_reads_which_legal_deadlines_run_and_how_much_time_is_left(
    cast: Cast, make_incident: Make, make_sealed: Make, signed_in: Callable[..., Client]
) -> None:
    empty = signed_in(cast.nec).get(reverse("nec:deadlines")).content.decode()
    assert "No legal deadline runs" in empty
    do(Act.REFER, make_incident(), cast.duty_commander, NOW, body="cec", sent_at=NOW)
    do(Act.REFER, make_incident(), cast.duty_commander, NOW, body="prosecutor", sent_at=NOW)
    hidden = do(Act.REFER, make_sealed(), cast.demo_integrity, NOW, body="cec", sent_at=NOW)
    text = signed_in(cast.nec).get(reverse("nec:deadlines")).content.decode()
    assert "1 d 20 h" in text
    assert "<b>1 referral</b> has a deadline by law" in text
    assert "1 more without a time by law" in text
    assert hidden.reference not in text
    assert hidden.reference in signed_in(cast.nec_integrity).get(reverse("nec:deadlines")).content.decode()


def test_the_nec_reads_case_by_case_what_waits_without_a_time_by_law(
    cast: Cast, make_incident: Make, make_sealed: Make, signed_in: Callable[..., Client]
) -> None:
    recent = do(Act.REFER, make_incident(), cast.duty_commander, NOW, body="court", sent_at=NOW, document="31/27")
    parked = do(Act.REFER, make_incident(), cast.duty_commander, NOW, body="prosecutor", sent_at=NOW - 1440 * HOUR)
    hidden = do(Act.REFER, make_sealed(), cast.demo_integrity, NOW, body="inspectorate", sent_at=NOW)
    text = signed_in(cast.nec).get(reverse("nec:deadlines")).content.decode()
    assert text.index(parked.reference) < text.index(recent.reference), "the longest waiting stands first"
    assert "60 d" in text
    assert text.count("No document number") == 1 and "For 1 the number is missing." in text
    assert hidden.reference not in text
    assert hidden.reference in signed_in(cast.nec_integrity).get(reverse("nec:deadlines")).content.decode()
    do(Act.CONCLUDE_REFERRAL, parked, cast.duty_commander, NOW, referral=1, outcome="settled")
    assert parked.reference not in signed_in(cast.nec).get(reverse("nec:deadlines")).content.decode()


def test_each_list_of_referrals_shows_a_hundred_and_says_that_there_are_more(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.views.nec_deadlines.MOST", 1)
    for body in ("prosecutor", "court", "cec", "cec"):
        do(Act.REFER, make_incident(), cast.duty_commander, NOW, body=body, sent_at=NOW)
    text = signed_in(cast.nec).get(reverse("nec:deadlines")).content.decode()
    assert text.count("#referrals") == 2
    assert "the hundred whose time ends first" in text and "the hundred that wait longest" in text


def test_a_late_step_says_how_late_and_why(cast: Cast, make_incident: Make, signed_in: Callable[..., Client]) -> None:
    case = make_incident()
    due = NOW + HOUR
    Outage.objects.create(started_at=due - dt.timedelta(minutes=10), ended_at=due + dt.timedelta(minutes=41))
    for act, after in (
        ("auto_escalate", {"clock": "acknowledge", "owner": cast.command("provincial").pk}),
        ("skip", {"clock": "acknowledge", "left_out": cast.command("duty_commander").pk}),
    ):
        Entry.objects.create(
            incident=case, act=act, at=due + dt.timedelta(minutes=41), channel="engine", before={},
            after={**after, "due_at": due.isoformat()}, command=cast.command("duty_commander"), version=2,
        )  # fmt: skip
    text = page(signed_in(cast.provincial), case)
    assert "41 min late: automatic escalation was down from 08:50 to 09:41." in text
    assert "was left out: nobody was there" in text
    in_time = Entry.objects.create(
        incident=case, act="warn", at=due, channel="engine", before={}, version=3,
        after={"clock": "contain", "due_at": due.isoformat()},
    )  # fmt: skip
    assert in_time.pk
    assert page(signed_in(cast.provincial), case).count("min late:") == 2


def test_an_acknowledgement_after_a_hand_over_says_by_whom_and_who_was_late_before(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client], time_machine: Any
) -> None:
    case = make_incident()
    due = case.clocks.get(kind="acknowledge").deadline_at
    moved = do(Act.ESCALATE, case, cast.duty_commander, due + HOUR, reason="It needs the province.")
    do(Act.ACKNOWLEDGE, moved, cast.provincial, due + HOUR + dt.timedelta(minutes=42))
    time_machine.move_to(due + 4 * HOUR, tick=False)
    text = page(signed_in(cast.provincial), case)
    province, district = (cast.command(name).name for name in ("provincial", "duty_commander"))
    assert f"by {province}, 42 min after it came · in time" in text
    assert f"{district} was late: due " in text


def test_an_acknowledgement_by_the_first_command_names_nobody(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Client]
) -> None:
    case = do(Act.ACKNOWLEDGE, make_incident(), cast.duty_commander, NOW + dt.timedelta(minutes=5))
    text = page(signed_in(cast.duty_commander), case)
    assert "5 min · in time" in text and "after it came" not in text and "was late: due" not in text
