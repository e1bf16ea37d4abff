"""Real receivers for the sender: a mail server and an HTTP gateway in this process, with faults on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.incidents.delivery.sinks import Gateway, MailSink

# Django is set up after the conftest files are read.
if TYPE_CHECKING:
    from commands.models import ContactPoint, User


@pytest.fixture
def mail_sink(settings: Any) -> Iterator[MailSink]:
    """A mail server that this installation sends through."""
    sink = MailSink().start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_CONFIGURED, settings.EMAIL_TIMEOUT = True, 1
    yield sink
    sink.stop()


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    """An HTTP server for webhooks, and for SMS and chat where a test sets their addresses."""
    server = Gateway()
    settings.GATEWAY_TIMEOUT = 1
    settings.WEBHOOK_HTTP = settings.WEBHOOK_PRIVATE = True
    yield server
    server.stop()


@pytest.fixture
def add_contact(db: None) -> Callable[..., ContactPoint]:
    """`add_contact(user, "sms", "+85512000001")`: an address that is verified and in use, unless said otherwise."""

    from commands.models import ContactPoint
    from tests.cast import POSTED_AT

    def add(user: User, channel: str, address: str, **fields: Any) -> ContactPoint:
        values: dict[str, Any] = {"created_at": POSTED_AT, "verified_at": POSTED_AT} | fields
        return ContactPoint.objects.create(user=user, channel=channel, address=address, **values)

    return add


@pytest.fixture
def only_mail_to(db: None) -> Callable[..., None]:
    """`only_mail_to(user, ...)`: nobody else has an address."""

    from commands.models import ContactPoint

    def keep(*people: User) -> None:
        ContactPoint.objects.exclude(user__in=people).delete()

    return keep
