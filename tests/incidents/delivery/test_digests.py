"""In a storm one message tells several notices, and one case rings once in ten minutes; a critical one always rings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from commands.models import ContactPoint
from incidents.delivery import outbox
from incidents.delivery.digests import token_of
from incidents.delivery.validity import STORM
from incidents.models import Entry, Incident, Notice
from tests.cast import NOW, Cast
from tests.incidents.delivery.sinks import MailSink
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def tell(cast: Cast, case: Incident, at: dt.datetime = NOW, kind: str = "informed", **fields: Any) -> Notice:
    """A notice of `case` by e-mail to the provincial commander."""
    entry = Entry.objects.create(incident=case, act="update", at=at, channel="browser", version=case.version)
    contact = ContactPoint.objects.get(user=cast.provincial, channel="email")
    return Notice.objects.create(
        entry=entry, incident=case, recipient=cast.provincial, contact=contact, channel="email", kind=kind,
        created_at=at, next_try_at=at, **fields,
    )  # fmt: skip


def case(**fields: Any) -> Incident:
    return plain_case(**({"severity": "medium"} | fields))


def statuses(rows: list[Notice]) -> list[str]:
    return [Notice.objects.get(pk=n.pk).status for n in rows]


def test_five_that_wait_for_one_address_are_one_message(cast: Cast, mail_sink: MailSink) -> None:
    rows = [tell(cast, case()) for _number in range(5)]
    assert outbox.deliver(NOW).sent == 5
    [letter] = mail_sink.letters
    assert letter["Subject"] == "5 notices: 5 cases"
    text = letter.get_content()
    assert all(n.incident.reference in text for n in rows)  # type: ignore[union-attr]
    assert statuses(rows) == ["sent", *["digest"] * 4]
    assert set(Notice.objects.filter(status="digest").values_list("sent_with", flat=True)) == {rows[0].pk}


def test_four_are_four(cast: Cast, mail_sink: MailSink) -> None:
    for _number in range(4):
        tell(cast, case())
    outbox.deliver(NOW)
    assert len(mail_sink.letters) == 4


def test_a_digest_takes_all_that_waits_not_only_the_batch(
    cast: Cast, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    from incidents.delivery import sender

    monkeypatch.setattr(sender, "BATCH", 3)
    for _number in range(30):
        tell(cast, case())
    assert outbox.deliver(NOW).sent == 30
    assert len(mail_sink.letters) == 1


def test_a_digest_that_fails_comes_again_whole(cast: Cast, mail_sink: MailSink) -> None:
    rows = [tell(cast, case()) for _number in range(5)]
    mail_sink.fault, mail_sink.times = "451", 1
    assert outbox.deliver(NOW).failed == 5
    assert statuses(rows) == ["pending"] * 5
    assert outbox.deliver(NOW + MINUTE).sent == 5
    assert mail_sink.letters[0]["Message-ID"] == token_of(rows)


def test_its_id_changes_with_what_it_holds(cast: Cast) -> None:
    rows = [tell(cast, case()) for _number in range(6)]
    assert token_of(rows) == token_of(rows[::-1]) != token_of(rows[:5])


def test_a_case_rings_once_in_ten_minutes_and_then_tells_the_rest_together(cast: Cast, mail_sink: MailSink) -> None:
    one = case()
    tell(cast, one)
    outbox.deliver(NOW)
    rest = [tell(cast, one, NOW + n * MINUTE) for n in (1, 2, 3)]
    assert outbox.deliver(NOW + 4 * MINUTE).held == 3
    assert len(mail_sink.letters) == 1
    assert outbox.deliver(NOW + STORM + MINUTE).sent == 3
    assert statuses(rest) == ["sent", "digest", "digest"]
    assert mail_sink.letters[1].get_content().count(f"- {one.reference}") == 2


def test_another_case_is_not_held(cast: Cast, mail_sink: MailSink) -> None:
    tell(cast, case())
    outbox.deliver(NOW)
    tell(cast, case(), NOW + MINUTE)
    assert outbox.deliver(NOW + MINUTE).sent == 1


def test_a_new_rung_rings_at_once(cast: Cast, mail_sink: MailSink) -> None:
    from incidents.models import Custody

    one = case()
    tell(cast, one)
    outbox.deliver(NOW)
    at = NOW + 2 * MINUTE
    Custody.objects.create(incident=one, command=one.owner, reason="acknowledge", due_at=at, at=at)
    tell(cast, one, at)
    assert outbox.deliver(at).sent == 1


@pytest.mark.parametrize(("severity", "kind"), [("critical", "informed"), ("medium", "exhausted")])
def test_what_is_critical_or_exhausted_is_never_held(cast: Cast, mail_sink: MailSink, severity: str, kind: str) -> None:
    one = case(severity=severity)
    tell(cast, one, kind=kind)
    outbox.deliver(NOW)
    tell(cast, one, NOW + MINUTE, kind=kind)
    assert outbox.deliver(NOW + MINUTE).sent == 1


def test_a_drill_is_never_in_a_digest(cast: Cast) -> None:
    from incidents.delivery.digests import bundles

    rows = [tell(cast, case(), kind="drill" if n == 2 else "informed") for n in range(6)]
    assert sorted(len(b) for b in bundles(rows)) == [1, 5]
