"""Systems of others that hang: neither mail nor a system that works waits for them."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest

from incidents import hooks
from incidents.delivery import claims, outbox, sender, webhooks
from incidents.delivery.channels import Unreachable
from incidents.models import Notice, Webhook
from tests.cast import NOW, Cast
from tests.incidents.delivery.sinks import MailSink, wait_for

pytestmark = pytest.mark.django_db
#: Due when the webhooks of the first round are under way.
SOON = NOW + dt.timedelta(seconds=1.5)
#: How long one that hangs waits for what must not wait for it; over only where it does.
PATIENCE = 10.0


@pytest.fixture
def hang(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Webhooks at `/hangs…` wait until `free`; the others take at once. `gave_up`: those that waited for nothing."""
    settings.WEBHOOK_HTTP = settings.WEBHOOK_PRIVATE = True
    settings.GATEWAY_TIMEOUT = 1
    state: dict[str, Any] = {"free": threading.Event(), "gave_up": [], "took": [], "under_way": 0, "most": 0}
    lock = threading.Lock()

    def post(url: str, *_rest: Any) -> None:
        if "hangs" not in url:
            state["took"].append(url)
            return
        with lock:
            state["under_way"] += 1
            state["most"] = max(state["most"], state["under_way"])
        if not state["free"].wait(PATIENCE):
            state["gave_up"].append(url)
        with lock:
            state["under_way"] -= 1
        raise Unreachable("it hung")

    monkeypatch.setattr(webhooks, "post", post)
    return state


def make(cast: Cast, path: str) -> Webhook:
    return hooks.make(path, "PSC", f"http://127.0.0.1:9/{path}", by=cast.psc, now=NOW)[0]


def test_mail_that_falls_due_while_thirty_systems_hang_leaves_before_any_of_them_answers(
    cast: Cast, hang: dict[str, Any], mail_sink: MailSink, only_mail_to: Any, make_incident: Any
) -> None:
    only_mail_to(cast.duty_commander)
    for number in range(30):
        make(cast, f"hangs-{number}")
    Notice.objects.all().delete()
    make_incident(severity="medium")
    letters = Notice.objects.filter(channel="email")
    assert letters.count() == 1 and Notice.objects.filter(channel="webhook").count() == 30
    letters.update(next_try_at=SOON)
    still_hanging: list[int] = []

    def watch() -> None:
        wait_for(lambda: mail_sink.letters, PATIENCE * 3)
        still_hanging.append(hang["under_way"])
        hang["free"].set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    outbox.deliver(NOW)
    watcher.join()
    # The first of them were under way and none had ended when the mail arrived.
    assert hang["gave_up"] == [] and still_hanging == [sender.HOOK_LANES[False]]
    assert hang["most"] == sender.HOOK_LANES[False]
    assert letters.get().status == "sent"
    # None is lost: all of them are tried again.
    assert set(Notice.objects.filter(channel="webhook").values_list("status", flat=True)) == {"pending"}


def test_a_system_that_works_does_not_wait_for_those_that_hung_before(
    cast: Cast, hang: dict[str, Any], only_mail_to: Any, make_incident: Any
) -> None:
    only_mail_to()
    hung = [make(cast, f"hangs-{number}") for number in range(10)]
    well = make(cast, "works")
    Notice.objects.all().delete()
    make_incident(severity="medium")
    Notice.objects.filter(webhook__in=hung).update(last_error="it hung", attempts=1)
    make_incident(severity="medium", narrative="The market was closed for a second case.")
    second = Notice.objects.filter(webhook=well).order_by("pk").last()
    assert second
    Notice.objects.filter(pk=second.pk).update(next_try_at=SOON)

    def watch() -> None:
        wait_for(lambda: len(hang["took"]) == 2, PATIENCE * 3)
        hang["free"].set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    outbox.deliver(NOW)
    watcher.join()
    assert hang["gave_up"] == []
    assert hang["most"] == sender.HOOK_LANES[True]
    assert Notice.objects.filter(webhook=well, status="sent").count() == 2


def test_one_that_answers_again_leaves_those_that_hang(
    cast: Cast, hang: dict[str, Any], only_mail_to: Any, make_incident: Any
) -> None:
    only_mail_to()
    well = make(cast, "works")
    Notice.objects.all().delete()
    make_incident(severity="medium")
    Notice.objects.filter(webhook=well).update(last_error="it hung", attempts=1)
    make_incident(severity="medium", narrative="The market was closed for a second case.")
    assert claims.claim_for_hooks(NOW, 10, is_late=False) == []
    assert outbox.deliver(NOW).sent == 2
    make_incident(severity="medium", narrative="The market was closed for a third case.")
    assert claims.claim_for_hooks(NOW, 10, is_late=True) == []
    assert len(claims.claim_for_hooks(NOW, 10, is_late=False)) == 1


def test_a_call_that_leaves_systems_behind_keeps_hold_of_no_message(
    cast: Cast, hang: dict[str, Any], settings: Any, only_mail_to: Any, make_incident: Any
) -> None:
    """Whoever configures a long time limit must not find working systems leased beside those that hang."""
    settings.GATEWAY_TIMEOUT = 0.1
    only_mail_to()
    for number in range(sender.HOOK_LANES[False] + 2):
        make(cast, f"hangs-{number}")
    Notice.objects.all().delete()
    make_incident(severity="medium")
    sender.deliver(NOW, seconds=0.4)
    left = Notice.objects.filter(channel="webhook")
    assert not left.exclude(lease_until=None).exists()
    assert left.filter(attempts=1, last_error="no answer in time").count() == sender.HOOK_LANES[False]
    assert left.filter(attempts=0, last_error="").count() == 2
    hang["free"].set()
