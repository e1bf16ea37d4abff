"""The page of messages: channels and failures as far as each reader may know; trying again and giving up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import checks
from django.test import Client
from django.urls import reverse

from incidents.models import ChannelState, Incident, Notice
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db
URL = "/escalation/deliveries/"


@pytest.fixture
def dead(cast: Cast, make_incident: Any, only_mail_to: Any) -> Notice:
    only_mail_to(cast.duty_commander)
    make_incident(severity="medium")
    row = Notice.objects.get(channel="email")
    Notice.objects.filter(pk=row.pk).update(status="dead", attempts=3, last_error="recipient refused: 550")
    return row


@pytest.fixture
def sealed_dead(cast: Cast, make_sealed: Any, dead: Notice, add_contact: Any) -> Notice:
    add_contact(cast.demo_integrity, "email", "desk@example.org")
    case = make_sealed()
    row = Notice.objects.get(channel="email", incident=case)
    Notice.objects.filter(pk=row.pk).update(status="dead", attempts=3, last_error="recipient refused: 551")
    return row


def read(client: Client) -> str:
    return client.get(URL).content.decode()


def test_it_says_which_channels_are_not_configured(cast: Cast, signed_in: Callable[..., Client], settings: Any) -> None:
    settings.EMAIL_CONFIGURED = False
    watch, machines = read(signed_in(cast.psc)), read(signed_in(cast.administrator))
    assert watch.count("not configured") == machines.count("not configured") == 3
    assert watch.count("The technical desk can set it up.") == 3
    for name in ("EMAIL_URL", "SMS_URL", "CHAT_URL"):
        assert name in machines and name not in watch


def test_a_channel_that_is_down_says_why_and_until_when(cast: Cast, signed_in: Callable[..., Client]) -> None:
    ChannelState.objects.create(pk="email", failures=7, opened_at=NOW, retry_at=NOW, last_error="OSError: no route")
    client = signed_in(cast.administrator)
    assert "OSError: no route" in read(client)
    client.post(reverse("escalation:deliveries_probe", args=["email"]))
    assert ChannelState.objects.get(pk="email").retry_at != NOW


def test_who_sees_which_failures(dead: Notice, sealed_dead: Notice, cast: Cast, signed_in: Any) -> None:
    ordinary: Incident = dead.incident  # type: ignore[assignment]
    sealed: Incident = sealed_dead.incident  # type: ignore[assignment]
    for person in (cast.psc, cast.nec):
        page = read(signed_in(person))
        assert ordinary.reference in page
        assert sealed.reference not in page
        # Nor does a count tell of it.
        assert "551" not in page
    page = read(signed_in(cast.administrator))
    assert ordinary.reference not in page
    assert "550" in page
    assert "551" not in page


def test_trying_again_begins_anew(dead: Notice, cast: Cast, signed_in: Any) -> None:
    signed_in(cast.psc).post(reverse("escalation:deliveries_again"), {"notice": [dead.pk], "do": "again"})
    dead.refresh_from_db()
    assert (dead.status, dead.attempts) == ("pending", 0)


def test_after_an_outage_all_are_tried_again(dead: Notice, sealed_dead: Notice, cast: Cast, signed_in: Any) -> None:
    signed_in(cast.psc).post(reverse("escalation:deliveries_again"), {"do": "all"})
    assert Notice.objects.get(pk=dead.pk).status == "pending"
    assert Notice.objects.get(pk=sealed_dead.pk).status == "dead"


def test_what_no_channel_can_send_is_not_said_to_be_tried(
    dead: Notice, cast: Cast, signed_in: Any, settings: Any
) -> None:
    settings.EMAIL_CONFIGURED = False
    answer = signed_in(cast.administrator).post(
        reverse("escalation:deliveries_again"), {"notice": [dead.pk], "do": "again"}, follow=True
    )
    page = answer.content.decode()
    assert "1 message was not tried: its channel is not set up." in page
    assert "tried again." not in page
    assert "Every message went out" not in page
    dead.refresh_from_db()
    assert (dead.status, dead.attempts) == ("dead", 3)


def test_what_waits_for_a_channel_that_is_not_set_up_is_named(
    dead: Notice, cast: Cast, signed_in: Any, settings: Any
) -> None:
    Notice.objects.filter(pk=dead.pk).update(status="pending", attempts=0)
    settings.EMAIL_CONFIGURED = False
    client = signed_in(cast.administrator)
    assert "1 message waits for a channel that is not set up" in read(client)
    assert "Every message went out" not in read(client)
    engine = client.get(reverse("escalation:engine")).content.decode()
    assert "1 message waits: e-mail is not set up." in engine
    assert "None is stuck." not in engine


def test_the_page_of_the_engine_names_what_was_given_up(
    dead: Notice, sealed_dead: Notice, cast: Cast, signed_in: Any
) -> None:
    # The second one is about a sealed case: no count tells of it.
    for person in (cast.psc, cast.administrator):
        engine = signed_in(person).get(reverse("escalation:engine")).content.decode()
        assert "1 message by e-mail was given up." in engine
        assert "None is stuck." not in engine


def test_what_was_given_up_already_is_not_given_up_again(dead: Notice, cast: Cast, signed_in: Any) -> None:
    client = signed_in(cast.psc)
    assert "Give up the ticked ones" not in read(client)
    assert "Take the ticked ones off the list" in read(client)
    Notice.objects.filter(pk=dead.pk).update(status="pending")
    assert "Give up the ticked ones" in read(client)


def test_giving_up_takes_it_out_of_the_list(dead: Notice, cast: Cast, signed_in: Any) -> None:
    client = signed_in(cast.psc)
    client.post(reverse("escalation:deliveries_again"), {"notice": [dead.pk], "do": "give_up"})
    dead.refresh_from_db()
    assert dead.status == "obsolete"
    assert "Every message went out" in read(client)


def test_what_one_may_not_know_of_one_cannot_try_again(sealed_dead: Notice, cast: Cast, signed_in: Any) -> None:
    signed_in(cast.psc).post(reverse("escalation:deliveries_again"), {"notice": [sealed_dead.pk], "do": "again"})
    sealed_dead.refresh_from_db()
    assert sealed_dead.status == "dead"


@pytest.mark.parametrize("ticked", [[], ["x"], ["9" * 40], ["-1"]])
def test_nothing_ticked_is_said(dead: Notice, cast: Cast, signed_in: Any, ticked: list[str]) -> None:
    answer = signed_in(cast.psc).post(reverse("escalation:deliveries_again"), {"notice": ticked}, follow=True)
    assert "Tick at least one message first." in answer.content.decode()


# ---- Addresses of channels ----


@pytest.mark.parametrize(
    ("name", "url", "says"),
    [
        ("SMS_URL", "json://localhost/send", "put {to} in its place"),
        ("SMS_URL", "nonsense://{to}", "Apprise"),
        ("CHAT_URL", "json:///{to}", "Apprise"),
        ("CHAT_URL", "{to}", "Apprise"),
    ],
)
def test_a_malformed_address_is_refused_at_start(settings: Any, name: str, url: str, says: str) -> None:
    setattr(settings, name, url)
    found = [e for e in checks.run_checks() if e.id and e.id.startswith("delivery.E")]
    assert len(found) == 1
    assert name in found[0].msg
    assert says in found[0].msg
    assert found[0].hint


def test_right_and_empty_addresses_are_taken(settings: Any) -> None:
    settings.SMS_URL, settings.CHAT_URL = "json://localhost/send?:to={to}", ""
    assert not [e for e in checks.run_checks() if e.id and e.id.startswith("delivery.E")]
