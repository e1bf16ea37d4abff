"""What one report costs in queries: a rise is a decision, not an accident (docs/decisions/0009-speed.md)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.test import Client

from commands.models import ApiToken, User
from elections.models import Jurisdiction
from incidents import intake
from incidents.models import Clock, Entry, Incident, ReferenceCounter
from tests.cast import COMMUNE, DISTRICT, TAKEO

STORY = "A motorbike was taken from the market while its owner bought rice."
#: What every process reads once, the rules of a policy, comes on top in a first report.
ONCE = 2
#: The addresses of who is told, and the webhooks of commands.
OUTSIDE = 2
#: The answer of the API lists the case's referrals.
REFERRALS = 1
#: Measured 24 and 20 on PostgreSQL; SQLite asks for its session and savepoints besides.
BY_FORM, BY_API = 28 + ONCE + OUTSIDE, 24 + ONCE + OUTSIDE + REFERRALS


def test_by_the_form(cast: Any, signed_in: Any, django_assert_max_num_queries: Any) -> None:
    client = signed_in(cast.officer)
    typed = {
        "step": "send", "id": str(uuid.uuid4()), "category": "CRM-06", "when": "now",
        "province": TAKEO, "district": DISTRICT, "commune": COMMUNE, "narrative": STORY,
    }  # fmt: skip
    with django_assert_max_num_queries(BY_FORM):
        assert client.post("/incidents/new/", typed).status_code == 302


def test_through_the_api(cast: Any, now: dt.datetime, django_assert_max_num_queries: Any) -> None:
    secret = ApiToken.new_secret()
    ApiToken.objects.create(
        user=cast.officer, name="t", digest=ApiToken.digest_of(secret), hint=secret[:8], created_at=now
    )
    client = Client(headers={"authorization": f"Bearer {secret}"})
    occurred = dt.datetime.now(dt.UTC).isoformat()
    sent = {"category": "CRM-06", "occurred_at": occurred, "place": COMMUNE, "narrative": STORY}
    with django_assert_max_num_queries(BY_API):
        answer = client.post("/api/v1/incidents/", sent, content_type="application/json")
    assert answer.status_code == 201, answer.content


@pytest.mark.parametrize("level", [6, 8, 10])
def test_the_answer_is_the_case_as_it_is_read_afterwards(cast: Any, now: dt.datetime, level: int) -> None:
    """The answer is made of what was written, without reading it again."""
    secret = ApiToken.new_secret()
    ApiToken.objects.create(
        user=cast.officer, name="t", digest=ApiToken.digest_of(secret), hint=secret[:8], created_at=now
    )
    village = Jurisdiction.objects.filter(parent=COMMUNE).values_list("pcode", flat=True).first() or COMMUNE
    client = Client(headers={"authorization": f"Bearer {secret}"})
    sent = {
        "category": "CRM-06", "occurred_at": dt.datetime.now(dt.UTC).isoformat(), "place": village[:level],
        "narrative": f" {STORY} ", "title": " Taken ", "lat": 10.991234567, "lon": 104.785, "killed": 0, "injured": 1,
    }  # fmt: skip
    answer = client.post("/api/v1/incidents/", sent, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert client.get(answer.headers["Location"]).json() == answer.json()


def _report(by: User, now: dt.datetime, place: str = COMMUNE) -> Incident:
    data = intake.Report(category="CRM-06", severity="medium", occurred_at=now, place=place, narrative=STORY)
    return intake.report(data, by=by, now=now)


def test_what_is_written_at_once_is_whole(cast: Any, now: dt.datetime) -> None:
    """Version, deadline and clocks go in with the row; nothing reads them back and corrects them."""
    case = Incident.objects.get(pk=_report(cast.officer, now).pk)
    clocks = list(Clock.objects.filter(incident=case))
    first = min(clocks, key=lambda clock: clock.deadline_at)
    assert (case.next_due_at, case.next_due_kind, case.version) == (first.deadline_at, first.kind, 1)
    assert {clock.episode for clock in clocks} == {1} and all(clock.anchor_at == now for clock in clocks)
    entry = Entry.objects.get(incident=case)
    assert (entry.version, entry.before, entry.after["state"]) == (1, {}, "reported")


def test_numbers_follow_one_another(cast: Any, now: dt.datetime) -> None:
    references = [_report(cast.officer, now).reference for _ in range(3)]
    numbers = [int(reference.rsplit("-", 1)[1]) for reference in references]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert (
        ReferenceCounter.objects.get(election__code=references[0].rsplit("-", 2)[0], province="21").last == numbers[-1]
    )


@pytest.mark.parametrize("forged", ["\0", "KH99' OR 1=1", "ខេត្ត", "KH" * 40])
def test_what_cannot_be_a_code_never_reaches_the_database(cast: Any, signed_in: Any, forged: str) -> None:
    typed = {
        "step": "send", "category": "CRM-06", "when": "now", "narrative": STORY,
        "province": forged, "district": DISTRICT, "commune": COMMUNE,
    }  # fmt: skip
    answer = signed_in(cast.officer).post("/incidents/new/", typed)
    assert answer.status_code in (302, 422)
