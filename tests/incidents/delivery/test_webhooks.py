"""Webhooks: signed by the convention, told no more than they may know, to no address inside, each for itself."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from incidents import hooks
from incidents.delivery import outbox, webhooks
from incidents.delivery.channels import Refused, Unreachable
from incidents.models import Entry, Notice, Webhook
from tests.cast import NOW, Cast
from tests.incidents.delivery.sinks import Gateway, Post

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def made(cast: Cast, gateway: Gateway, only_mail_to: Any) -> tuple[Webhook, str]:
    only_mail_to()
    return hooks.make("Province's desk", cast.command("provincial").code, gateway.url(), by=cast.psc, now=NOW)


def is_signed(post: Post, secret: str) -> bool:
    """As a receiver checks it, from the convention's text."""
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return post.headers["webhook-signature"] == f"v1,{wanted}"


def test_a_system_is_told_signed_and_no_more_than_it_may_know(
    made: tuple[Webhook, str], gateway: Gateway, make_incident: Any, cast: Cast
) -> None:
    case = make_incident(
        severity="medium", title="Secret title", narrative="Secret story of what happened there.",
        place_note="Secret house", lat=11.00001, lon=104.78001,
    )  # fmt: skip
    assert outbox.deliver(NOW).sent == 1
    [post] = gateway.posts
    assert is_signed(post, made[1])
    assert not is_signed(post, webhooks.new_secret())
    told = post.json
    assert told["type"] == "incident.report"
    assert told["data"] == {
        "reference": case.reference, "severity": "medium", "state": "reported", "category": "CRM-06",
        "district": "KH2108", "owner": case.owner.code, "due": "acknowledge",
        "due_at": case.next_due_at.astimezone(dt.UTC).isoformat(),
        "link": f"http://127.0.0.1:8000{case.get_absolute_url()}",
    }  # fmt: skip
    for secret in ("Secret", "11.00001", "KH210801", cast.officer.username):
        assert secret not in post.body.decode()


@pytest.mark.parametrize("fault", ["hang", "500", "redirect", "drop"])
def test_what_it_does_not_take_comes_again_under_the_same_id(
    made: tuple[Webhook, str], gateway: Gateway, make_incident: Any, fault: str
) -> None:
    gateway.fault, gateway.times = fault, 1
    make_incident(severity="medium")
    assert outbox.deliver(NOW).failed == 1
    assert outbox.deliver(NOW + MINUTE).sent == 1
    assert {p.path for p in gateway.posts} == {"/hook"}
    assert {p.headers["webhook-id"] for p in gateway.posts} == {
        outbox.message_id(Notice.objects.get(channel="webhook"))[1:-1]
    }


def test_one_that_is_down_holds_up_no_other(
    made: tuple[Webhook, str], gateway: Gateway, make_incident: Any, cast: Cast
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        dead, _secret = hooks.make("Down", cast.command("duty_commander").code, url, by=cast.nec, now=NOW)
        for number in range(3):
            make_incident(severity="medium", narrative=f"The market was closed for case number {number}.")
        outbox.deliver(NOW)
    assert Notice.objects.filter(webhook=made[0], status="sent").count() == 3
    # After the first failure its others are not even tried.
    assert sorted(Notice.objects.filter(webhook=dead).values_list("attempts", flat=True)) == [0, 0, 1]


def test_one_that_was_switched_off_meanwhile_is_told_nothing(
    made: tuple[Webhook, str], gateway: Gateway, make_incident: Any, cast: Cast
) -> None:
    make_incident(severity="medium")
    hooks.switch(made[0], False, by=cast.nec, now=NOW)
    assert outbox.deliver(NOW).obsolete == 1
    assert gateway.posts == []


# ---- Where it may go ----


@pytest.mark.parametrize("url", ["", "ftp://example.org/", "https://", "https://u:p@example.org/", "example.org"])
def test_an_address_that_is_none(cast: Cast, url: str) -> None:
    with pytest.raises(ValidationError) as problem:
        hooks.make("Desk", cast.command("provincial").code, url, by=cast.psc, now=NOW)
    assert list(problem.value.message_dict) == ["url"]
    assert not Webhook.objects.exists()


def test_without_tls_only_where_that_is_allowed(cast: Cast, settings: Any) -> None:
    settings.WEBHOOK_HTTP = False
    with pytest.raises(ValidationError, match="https://"):
        hooks.make("Desk", cast.command("provincial").code, "http://example.org/", by=cast.psc, now=NOW)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "localhost"])
def test_nothing_inside_the_network_is_called(host: str, settings: Any, gateway: Gateway) -> None:
    """A name is looked up when it is sent to: what was public when it was written may be private by then."""
    settings.WEBHOOK_PRIVATE = False
    with pytest.raises(Refused):
        webhooks.post(f"http://{host}:{gateway.port}/", webhooks.new_secret(), "id", "{}", NOW, 1)
    assert gateway.posts == []


def test_a_name_with_one_address_inside_is_refused(
    settings: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_PRIVATE = False
    found = [(2, 1, 6, "", ("8.8.8.8", 80)), (2, 1, 6, "", ("127.0.0.1", gateway.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(Refused, match="inside"):
        webhooks.post("http://example.org/", webhooks.new_secret(), "id", "{}", NOW, 1)


def test_a_system_that_drips_its_answer_is_cut_off(settings: Any) -> None:
    """Each byte begins the time limit of a socket anew; the whole answer has one of its own."""
    settings.WEBHOOK_HTTP = settings.WEBHOOK_PRIVATE = True
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            talk, _address = server.accept()
            with talk:
                try:
                    for _second in range(100):
                        talk.sendall(b"H")
                        time.sleep(0.1)
                except OSError:
                    return

        threading.Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            webhooks.post(url, webhooks.new_secret(), "id", "{}", NOW, 0.4)
        # The hundred drips would take ten seconds.
        assert time.monotonic() - begun < 8


# ---- Who makes them ----


@pytest.mark.parametrize("name", ["duty_commander", "provincial", "administrator", "ministry"])
def test_only_the_psc_and_the_nec_make_them(cast: Cast, name: str) -> None:
    code = cast.command("provincial").code
    with pytest.raises(PermissionDenied):
        hooks.make("Desk", code, "https://example.org/", by=getattr(cast, name), now=NOW)


def test_the_page_shows_the_key_once_and_the_journal_has_it_never(
    cast: Cast, signed_in: Callable[..., Client], gateway: Gateway
) -> None:
    client, url = signed_in(cast.psc), reverse("escalation:webhooks")
    sent = {"name": "Desk", "command": cast.command("provincial").code, "url": gateway.url("/key-of-theirs")}
    page = client.post(url, sent)
    made = Webhook.objects.get()
    from incidents.identities import open_text

    secret = open_text(made.sealed_secret)
    assert secret.startswith("whsec_")
    assert secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert secret not in client.get(url).content.decode()
    entry = Entry.objects.get(after__what="webhook_made")
    assert secret not in str(entry.after)
    assert "key-of-theirs" not in str(entry.after)
    assert entry.by == cast.psc
    client.post(reverse("escalation:webhook_switch", args=[made.pk]), {"to": "off"})
    made.refresh_from_db()
    assert not made.is_on
    assert Entry.objects.filter(after__what="webhook_off").count() == 1


def test_a_refusal_loses_nothing_typed(cast: Cast, signed_in: Callable[..., Client]) -> None:
    sent = {"name": "Desk", "command": cast.command("provincial").code, "url": "example.org"}
    answer = signed_in(cast.psc).post(reverse("escalation:webhooks"), sent)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="Desk"' in page
    assert 'value="example.org"' in page
    assert "beginning with https://" in page


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        # Through a gateway between IPv6 and IPv4: what it leads to counts.
        ("64:ff9b::808:808", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::808:808", False),
        ("2002:a01:203::1", False),
        ("::ffff:10.1.2.3", False),
        ("::10.1.2.3", False),
        ("fec0::1", False),
        ("224.0.0.1", False),
        ("ff0e::1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  an address to refuse
        # Some of these count as public in some versions of Python.
        ("192.0.0.9", False),
        ("192.0.0.170", False),
        ("168.63.129.16", False),
        ("168.63.129.17", True),
        ("192.88.99.1", False),
        ("::ffff:168.63.129.16", False),
        ("64:ff9b::c058:6301", False),
    ],
)
def test_what_counts_as_outside(address: str, outside: bool) -> None:
    assert webhooks.is_outside(address) is outside


@pytest.mark.parametrize("url", ["https://[", "https://example.org:99999/", "https://example.org:x/"])
def test_an_address_that_cannot_be_read_is_refused_in_words(
    url: str, cast: Cast, signed_in: Callable[..., Client]
) -> None:
    form = {"name": "Desk", "command": cast.command("provincial").code, "url": url}
    answer = signed_in(cast.psc).post(reverse("escalation:webhooks"), form)
    assert answer.status_code == 422 and "Write the whole address" in answer.content.decode()
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://a..b/", "No system can have the name"),
        ("https://.example.org/", "No system can have the name"),
        (f"https://{'x' * 64}.org/", "No system can have the name"),
        (f"https://{'ក' * 70}.org/", "No system can have the name"),
        ("https://exam<ple>.org/", "No system can have the name"),
        ("https://exam ple.org/", "no spaces"),
        ("https://example.org/a b", "no spaces"),
        ("https://example.org/a\tb", "no spaces"),
        ("https://example.org/ផ្លូវ", "no letters but a to z"),
        ("https://example.org/?q=ផ្លូវ", "no letters but a to z"),
    ],
)
def test_an_address_that_can_never_work_is_refused_in_words(url: str, said: str, cast: Cast) -> None:
    with pytest.raises(ValidationError) as refused:
        hooks.make("Desk", cast.command("provincial").code, url, by=cast.psc, now=NOW)
    assert said in refused.value.message_dict["url"][0]
    with pytest.raises(Refused):
        webhooks.post(url, webhooks.new_secret(), "id", "{}", NOW, 1)


@pytest.mark.parametrize(
    "url",
    ["https://example.org", "https://example.org.:8443/a%20b?c=d", "https://ខ្មែរ.example/hook", "https://8.8.8.8/"],
)
def test_an_address_that_may_work_is_taken(url: str) -> None:
    webhooks.check_address(url)


def test_nobody_sends_cases_to_another_system_unseen(made: tuple[Webhook, str], cast: Cast, signed_in: Any) -> None:
    """One person makes it; everybody else who might have is told, so that no register grows in the dark."""
    hooks.switch(made[0], False, by=cast.nec, now=NOW)
    told = Notice.objects.filter(kind="account", channel="inbox").values_list(
        "entry__after__what", "recipient__username"
    )
    assert set(told) == {
        ("webhook_made", cast.nec.username), ("webhook_made", cast.nec_second.username),
        ("webhook_off", cast.psc.username), ("webhook_off", cast.nec_second.username),
    }  # fmt: skip
    page = signed_in(cast.nec_second).get(reverse("incidents:inbox")).content.decode()
    province = cast.command("provincial").name_en
    assert f"had what {province} is told sent to another system" in page and "at 127.0.0.1." in page
