"""How I am reached: add an address, get its code, prove it, set quiet hours; only one's own, journaled without it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from commands.models import ContactPoint, User
from incidents import contacts
from incidents.choices import Act
from incidents.models import Entry
from tests.cast import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

PAGE = "/account/contacts/"


def test_from_address_to_verified(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    client.post(f"{PAGE}add", {"channel": "email", "address": "Night@Example.org"})
    point = ContactPoint.objects.get(address="Night@example.org")
    assert point.verified_at is None and [m.to for m in mail.outbox] == [["Night@example.org"]]
    code = re.search(r"\b\d{3} ?\d{3}\b", str(mail.outbox[0].body))
    assert code is not None
    wrong = client.post(f"{PAGE}{point.pk}/verify", {f"{point.pk}-code": "1"})
    assert wrong.status_code == 400 and "4 tries are left" in wrong.content.decode()
    client.post(f"{PAGE}{point.pk}/verify", {f"{point.pk}-code": code[0]})
    point.refresh_from_db()
    assert point.verified_at == NOW
    acts = Entry.objects.filter(act=Act.ACCOUNT).order_by("pk")
    assert [e.after["what"] for e in acts] == ["contact_added", "contact_verified"]
    assert "xample" not in str([(e.before, e.after) for e in acts])


def test_a_channel_that_is_not_set_up_is_not_offered_and_not_taken(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    assert 'value="sms"' not in client.get(PAGE).content.decode()
    refused = client.post(f"{PAGE}add", {"channel": "sms", "address": "012345678"})
    assert refused.status_code == 400 and "012345678" in refused.content.decode()
    assert not ContactPoint.objects.filter(channel="sms").exists()


def test_a_malformed_address_keeps_what_was_typed(cast: Any, signed_in: Any) -> None:
    refused = signed_in(cast.officer).post(f"{PAGE}add", {"channel": "email", "address": "night@"})
    assert refused.status_code == 400
    assert "Write a whole e-mail address" in refused.content.decode() and "night@" in refused.content.decode()
    assert mail.outbox == []


def test_where_the_code_cannot_be_sent_the_address_waits(cast: Any, signed_in: Any, monkeypatch: Any) -> None:
    from django.core.exceptions import ValidationError

    def fail(*_args: Any) -> None:
        raise ValidationError("The code could not be sent.")

    monkeypatch.setattr("incidents.contacts.send_code", fail)
    page = signed_in(cast.officer).post(f"{PAGE}add", {"channel": "email", "address": "a@example.org"}, follow=True)
    assert "The code could not be sent." in page.content.decode()
    assert ContactPoint.objects.get(address="a@example.org").verified_at is None


def test_another_code_has_to_wait(cast: Any, signed_in: Any, clock: Any) -> None:
    client = signed_in(cast.officer)
    client.post(f"{PAGE}add", {"channel": "email", "address": "a@example.org"})
    point = ContactPoint.objects.get(address="a@example.org")
    assert "Wait" in client.post(f"{PAGE}{point.pk}/send", follow=True).content.decode()
    clock.shift(120)
    client.post(f"{PAGE}{point.pk}/send")
    assert len(mail.outbox) == 2


def test_quiet_hours_switch_and_removal(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    point = ContactPoint.objects.get(user=cast.officer)
    half = client.post(f"{PAGE}{point.pk}/quiet", {f"{point.pk}-quiet_from": "22:00", f"{point.pk}-quiet_to": ""})
    assert half.status_code == 400 and "Write both" in half.content.decode()
    client.post(f"{PAGE}{point.pk}/quiet", {f"{point.pk}-quiet_from": "22:00", f"{point.pk}-quiet_to": "05:00"})
    assert "Quiet from 22:00 to 05:00" in client.get(PAGE).content.decode()
    client.post(f"{PAGE}{point.pk}/switch", {"on": "0"})
    assert ContactPoint.objects.get(pk=point.pk).is_on is False
    client.post(f"{PAGE}{point.pk}/remove")
    assert not ContactPoint.objects.filter(user=cast.officer).exists()
    assert [e.after["what"] for e in Entry.objects.filter(act=Act.ACCOUNT).order_by("pk")] == [
        "contact_quiet", "contact_off", "contact_removed",
    ]  # fmt: skip


@pytest.mark.parametrize("why", ["off", "no gateway"])
def test_quiet_hours_are_offered_only_where_notices_are_sent(
    cast: Any, signed_in: Any, settings: Any, why: str
) -> None:
    client, point = signed_in(cast.officer), ContactPoint.objects.get(user=cast.officer)
    offered = f"{PAGE}{point.pk}/quiet"
    page = client.get(PAGE).content.decode()
    assert offered in page and "Notices are sent there at any hour." in page
    if why == "off":
        client.post(f"{PAGE}{point.pk}/switch", {"on": "0"})
    else:
        settings.EMAIL_CONFIGURED = False
    page = client.get(PAGE).content.decode()
    assert offered not in page and "at any hour" not in page and "Its quiet hours" not in page
    ContactPoint.objects.filter(pk=point.pk).update(quiet_from="22:00", quiet_to="05:00")
    page = client.get(PAGE).content.decode()
    assert "Its quiet hours, 22:00 to 05:00, count as soon as notices are sent there." in page and offered not in page


@pytest.mark.parametrize("what", ["send", "verify", "quiet", "switch", "remove"])
def test_nobody_touches_the_address_of_another(cast: Any, signed_in: Any, what: str) -> None:
    point = ContactPoint.objects.get(user=cast.officer)
    for stranger in (cast.administrator, cast.psc):
        assert signed_in(stranger).post(f"{PAGE}{point.pk}/{what}").status_code == 404
    assert ContactPoint.objects.filter(pk=point.pk, is_on=True).exists()


def test_an_address_the_administrator_sets_is_proven_by_the_person(cast: Any, signed_in: Any) -> None:
    User.objects.filter(pk=cast.administrator.pk).update(is_superuser=True, is_staff=True)
    form = {"username": cast.officer.username, "language": "km", "email": "set@example.org", "is_active": "on"}
    form |= {"date_joined_0": "2025-01-01", "date_joined_1": "00:00:00"}
    form |= {"postings-TOTAL_FORMS": "0", "postings-INITIAL_FORMS": "0"}
    address = reverse("admin:commands_user_change", args=[cast.officer.pk])
    assert signed_in(User.objects.get(pk=cast.administrator.pk)).post(address, form).status_code == 302
    points = ContactPoint.objects.filter(user=cast.officer)
    assert [(p.address, p.verified_at) for p in points] == [("set@example.org", None)]
    client = signed_in(cast.officer)
    assert "Nothing is sent there until you have proven that it is yours." in client.get(PAGE).content.decode()
    client.post(f"{PAGE}{points[0].pk}/send")
    assert [m.to for m in mail.outbox] == [["set@example.org"]]


def test_a_public_chat_is_refused_beside_its_field_and_nothing_is_sent(
    cast: Any, signed_in: Any, settings: Any
) -> None:
    settings.CHAT_URL = "json://127.0.0.1:9/chat?:to={to}"
    refused = signed_in(cast.officer).post(f"{PAGE}add", {"channel": "chat", "address": "@duty_room"})
    page = refused.content.decode()
    assert refused.status_code == 400 and "may be a public channel" in page and 'value="@duty_room"' in page
    assert not ContactPoint.objects.filter(channel="chat").exists()


def test_no_telephone_rings_all_night(cast: Any, signed_in: Any, clock: Any) -> None:
    """An address that is removed and written again would have its code at once, and five tries more."""
    client = signed_in(cast.officer)
    for _again in range(contacts.CODES_AN_HOUR + 5):
        page = client.post(f"{PAGE}add", {"channel": "email", "address": "stranger@example.org"}, follow=True)
        client.post(f"{PAGE}{ContactPoint.objects.get(address='stranger@example.org').pk}/remove")
    assert len(mail.outbox) == contacts.CODES_AN_HOUR
    assert "Many codes were sent in this hour." in page.content.decode()
    signed_in(cast.duty_commander).post(f"{PAGE}add", {"channel": "email", "address": "own@example.org"})
    assert mail.outbox[-1].to == ["own@example.org"]
