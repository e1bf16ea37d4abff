"""Notices in the product: one's own, unread first, gone with the scope, read once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from commands.models import Posting
from incidents import actions
from incidents.choices import Act, Outcome
from incidents.delivery.inbox import lines, mark_read, notices_of
from incidents.models import Entry, Notice
from tests.factories import make_incident
from tests.incidents.plain_case import plain_case


@pytest.fixture
def notices(cast: Any, now: dt.datetime) -> list[Notice]:
    """Three notices of one case to the duty commander, the oldest first; nothing else in the box."""
    case = plain_case()
    made = []
    for minutes in (1, 2, 3):
        at = now + dt.timedelta(minutes=minutes)
        entry = Entry.objects.create(incident=case, act="update", at=at, channel="browser", version=minutes + 1)
        made.append(
            Notice.objects.create(
                entry=entry, incident=case, recipient=cast.duty_commander, channel="inbox", kind="warn", status="sent",
                created_at=at,
            )
        )  # fmt: skip
    return made


def test_unread_come_first_and_then_the_newest(notices: list[Notice], cast: Any, now: dt.datetime) -> None:
    mark_read(cast.duty_commander, now, pk=notices[2].pk)
    assert [n.pk for n in notices_of(cast.duty_commander)] == [notices[1].pk, notices[0].pk, notices[2].pk]


def test_opening_one_marks_it_and_leads_to_its_case(notices: list[Notice], cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.duty_commander)
    assert "a deadline is near" in client.get(reverse("incidents:inbox")).content.decode()
    response = client.post(reverse("incidents:open_notice", args=[notices[0].pk]))
    assert response["Location"] == notices[0].incident.get_absolute_url()  # type: ignore[union-attr]
    notices[0].refresh_from_db()
    assert notices[0].read_at is not None


def test_reading_all_leaves_those_of_others(notices: list[Notice], cast: Any, signed_in: Any) -> None:
    Notice.objects.filter(pk=notices[0].pk).update(recipient=cast.provincial)
    signed_in(cast.duty_commander).post(reverse("incidents:read_all"))
    assert Notice.objects.filter(recipient=cast.duty_commander, read_at=None).count() == 0
    assert Notice.objects.get(pk=notices[0].pk).read_at is None


def test_a_notice_of_somebody_else_is_not_there(notices: list[Notice], cast: Any, signed_in: Any) -> None:
    url = reverse("incidents:open_notice", args=[notices[0].pk])
    assert signed_in(cast.neighbour).post(url).status_code == 404


def test_a_notice_goes_with_the_posting(notices: list[Notice], cast: Any, signed_in: Any) -> None:
    Posting.objects.filter(user=cast.duty_commander).update(ends_at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    page = signed_in(cast.duty_commander).get(reverse("incidents:inbox")).content.decode()
    assert notices[0].incident.reference not in page  # type: ignore[union-attr]


def test_an_empty_box_says_what_comes_here(cast: Any, signed_in: Any) -> None:
    assert "No notices yet" in signed_in(cast.neighbour).get(reverse("incidents:inbox")).content.decode()


def test_a_notice_names_who_owned_the_case_then(cast: Any, signed_in: Any, now: dt.datetime) -> None:
    case = make_incident(now=now, severity="high")
    actions.perform("escalate", case, by=cast.duty_commander, version=None, now=now, to="", reason="Too big for us.")
    page = signed_in(cast.duty_commander).get(reverse("incidents:inbox")).content.decode()
    assert f"a new case for {cast.command('duty_commander').name}" in page
    assert f"a new case for {cast.command('provincial').name}" not in page


def test_the_reporter_reads_which_outcome_and_then_that_the_case_was_closed(cast: Any, now: dt.datetime) -> None:
    case = make_incident(now=now)
    acts: list[tuple[str, Any, dict[str, Any]]] = [
        ("acknowledge", cast.duty_commander, {}),
        ("update", cast.duty_commander, {"note": "On the way."}),
        ("contain", cast.duty_commander, {}),
        ("resolve", cast.duty_commander, {"outcome": "settled", "verification": "verified", "note": "Given back."}),
        ("classify", cast.nec, {"classification": "ordinary"}),
        ("close", cast.provincial, {}),
    ]
    for name, by, more in acts:
        actions.perform(name, case, by=by, version=None, now=now, **more)
    texts = [line.text for line in lines(notices_of(cast.officer))]
    outcome = Outcome("settled").label
    assert f"{case.reference}, which you reported, has an outcome: {outcome}." in texts
    assert f"{case.reference}, which you reported, was closed. Outcome: {outcome}." in texts


def test_who_acts_on_a_case_has_read_what_the_inbox_said_of_it(cast: Any, now: dt.datetime) -> None:
    """Else the officer reads that nobody has read it while the commander works on it, and no count ever falls."""
    case, other = make_incident(now=now), make_incident(now=now, narrative="A motorbike was taken at the market.")
    unread = Notice.objects.filter(recipient=cast.duty_commander, channel="inbox", read_at=None)
    assert set(unread.values_list("incident", flat=True)) == {case.pk, other.pk}
    later = now + dt.timedelta(minutes=3)
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.duty_commander, version=None, now=later)
    assert set(unread.values_list("incident", flat=True)) == {other.pk}
    read = Notice.objects.filter(incident=case, recipient=cast.duty_commander, channel="inbox")
    assert set(read.values_list("read_at", flat=True)) == {later}
