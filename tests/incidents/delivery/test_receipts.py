"""On the case: who was told through which channel and when, who read it and who answered. Posts, never names."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from incidents import actions, answers
from incidents.answers import Spoken
from incidents.delivery import codes, outbox
from incidents.delivery.inbox import mark_read
from incidents.models import Incident, Notice
from incidents.views import receipts
from tests.cast import NOW, Cast
from tests.incidents.delivery.sinks import MailSink

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def case(cast: Cast, make_incident: Any, only_mail_to: Any) -> Incident:
    only_mail_to(cast.duty_commander)
    incident: Incident = make_incident(severity="medium")
    return incident


def ways(case: Incident, who: str) -> dict[str, str]:
    [row] = [r for r in receipts.of(case, LATER) if who in r.who]
    return {way.label: way.text for way in row.ways}


def test_each_channel_says_what_became_of_it(case: Incident, mail_sink: MailSink, cast: Cast) -> None:
    assert ways(case, "Duty commander") == {"inbox": "not read yet", "e-mail": "on its way"}
    outbox.deliver(NOW)
    mark_read(cast.duty_commander, LATER)
    found = ways(case, "Duty commander")
    assert found["inbox"].startswith("read ")
    assert found["e-mail"].startswith("sent ")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"status": "dead"}, "could not be sent"),
        ({"status": "obsolete"}, "not needed any more"),
        ({"attempts": 2, "last_error": "OSError"}, "waiting, 2 tries"),
        ({"next_try_at": LATER + dt.timedelta(hours=8)}, "waits until"),
        ({"status": "digest", "sent_at": NOW}, "with others"),
    ],
)
def test_what_did_not_simply_go(case: Incident, fields: dict[str, Any], says: str) -> None:
    Notice.objects.filter(incident=case, channel="email").update(**fields)
    assert says in ways(case, "Duty commander")["e-mail"]


def test_an_answer_stands_beside_whose_it_is(case: Incident, cast: Cast) -> None:
    spoken = Spoken(code=codes.issue(case, cast.duty_commander, NOW), channel="radio", said_by="Kaev 1", at=NOW)
    answers.by_code(spoken, by=cast.provincial, now=NOW)
    [row] = [r for r in receipts.of(case, LATER) if r.answer]
    assert row.who.startswith("Duty commander @ ")
    assert row.answer.startswith("acknowledged ")
    assert row.answer.endswith(", radio")


def test_the_page_names_posts_to_who_reads_details_only(case: Incident, cast: Cast, signed_in: Any) -> None:
    actions.acknowledge(case, by=cast.duty_commander, version=None, now=NOW)
    url = case.get_absolute_url()
    page = signed_in(cast.psc).get(url).content.decode()
    assert "Who was told" in page
    assert "Duty commander @" in page
    assert cast.duty_commander.username not in page
    assert "Who was told" not in signed_in(cast.ministry).get(url).content.decode()


def test_many_people_cost_three_queries(case: Incident, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):
        receipts.of(case, LATER)
