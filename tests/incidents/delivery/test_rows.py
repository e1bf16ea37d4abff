"""Which rows an entry puts into the outbox: the inbox always, each usable address, nobody's quiet hours broken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from commands.models import ContactPoint
from incidents.delivery.notices import contacts_of, quiet_until, rows_for
from incidents.identities import seal_text
from incidents.models import Incident, Notice, Webhook
from tests.cast import NOW, PHNOM_PENH, Cast

pytestmark = pytest.mark.django_db
MakeContact = Callable[..., ContactPoint]


def rows_of(case: Incident, person: Any) -> set[str]:
    return set(Notice.objects.filter(incident=case, recipient=person).values_list("channel", flat=True))


def test_the_inbox_and_every_usable_address(
    cast: Cast, make_incident: Any, add_contact: MakeContact, settings: Any
) -> None:
    settings.SMS_URL = "json://localhost/{to}"
    add_contact(cast.duty_commander, "sms", "+85512000001")
    add_contact(cast.duty_commander, "sms", "+85512000002", verified_at=None)
    add_contact(cast.duty_commander, "sms", "+85512000003", is_on=False)
    add_contact(cast.duty_commander, "chat", "@nobody")
    case = make_incident(severity="medium")
    rows = Notice.objects.filter(incident=case, recipient=cast.duty_commander)
    assert sorted((n.channel, n.contact.address if n.contact else "") for n in rows) == [
        ("email", cast.duty_commander.email),
        ("inbox", ""),
        ("sms", "+85512000001"),
    ]


def test_without_any_channel_the_inbox_works(cast: Cast, make_incident: Any, settings: Any) -> None:
    settings.EMAIL_CONFIGURED = False
    assert rows_of(make_incident(), cast.duty_commander) == {"inbox"}


NIGHT = {"quiet_from": dt.time(22), "quiet_to": dt.time(6)}
NOON = {"quiet_from": dt.time(12), "quiet_to": dt.time(14)}


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        (NIGHT, (25, 21, 59), None),
        (NIGHT, (25, 22, 0), (26, 6, 0)),
        (NIGHT, (26, 5, 59), (26, 6, 0)),
        (NIGHT, (26, 6, 0), None),
        (NOON, (25, 13, 0), (25, 14, 0)),
        (NOON, (25, 14, 0), None),
        ({"quiet_from": None, "quiet_to": None}, (25, 23, 0), None),
        ({"quiet_from": dt.time(8), "quiet_to": dt.time(8)}, (25, 8, 0), None),
    ],
)
def test_quiet_hours_are_local_and_may_cross_midnight(hours: dict[str, Any], at: Any, until: Any) -> None:
    def local(moment: tuple[int, int, int]) -> dt.datetime:
        return dt.datetime(2027, 5, *moment, tzinfo=PHNOM_PENH)

    found = quiet_until(ContactPoint(**hours), local(at).astimezone(dt.UTC))
    assert found == (local(until) if until else None)


def test_a_row_in_quiet_hours_waits_for_their_end(cast: Cast, make_incident: Any) -> None:
    ContactPoint.objects.filter(user=cast.duty_commander).update(quiet_from=dt.time(7), quiet_to=dt.time(9))
    row = Notice.objects.get(incident=make_incident(severity="medium"), recipient=cast.duty_commander, channel="email")
    assert row.next_try_at == NOW.replace(hour=9)


@pytest.mark.parametrize(("kind", "severity"), [("report", "critical"), ("exhausted", "low")])
def test_a_critical_case_and_an_exhausted_chain_wake_everybody(cast: Cast, kind: str, severity: str) -> None:
    ContactPoint.objects.filter(user=cast.provincial).update(quiet_from=dt.time(7), quiet_to=dt.time(9))
    rows = rows_for([cast.provincial.pk], kind, NOW, severity, contacts_of([cast.provincial]))
    assert [r.next_try_at for r in rows if r.channel == "email"] == [NOW]


def test_many_people_cost_one_query(cast: Cast, django_assert_num_queries: Any) -> None:
    people = [cast.provincial, cast.psc, cast.nec]
    with django_assert_num_queries(1):
        contacts = contacts_of(people)
        rows = rows_for([p.pk for p in people], "warn", NOW, "high", contacts)
    assert len(rows) == 6


# ---- Webhooks ----


def hook(cast: Cast, owner: str, **fields: Any) -> Webhook:
    return Webhook.objects.create(
        name=f"Desk of {owner}", command=cast.command(owner), url="https://example.org/hook",
        sealed_secret=seal_text("whsec_AAAA"), made_by=cast.psc, made_at=NOW, **fields,
    )  # fmt: skip


def test_webhooks_of_the_command_told_or_above_it_are_told(cast: Cast, make_incident: Any) -> None:
    own, above = hook(cast, "duty_commander"), hook(cast, "provincial")
    hook(cast, "neighbour")
    hook(cast, "psc", is_on=False)
    case = make_incident(severity="medium")
    told = Notice.objects.filter(incident=case, channel="webhook")
    assert {n.webhook_id for n in told} == {own.pk, above.pk}
    assert all(n.recipient_id is None and n.next_try_at == NOW for n in told)


def test_no_webhook_hears_of_a_sealed_case(cast: Cast, make_sealed: Any) -> None:
    for owner in ("demo_integrity", "demo_provincial", "psc", "nec_integrity", "nec"):
        hook(cast, owner)
    make_sealed()
    assert not Notice.objects.filter(channel="webhook").exists()
