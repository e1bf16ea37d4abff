"""The ways out: a mail server and the gateways of SMS and chat. Time limits, and what a failure means; no database.

A lane sends one message after the other over one connection; a channel may have several, each in a thread.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import re
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from incidents.models import NoticeChannel

#: One send takes at most this many seconds, however slowly a server drips its answers.
SEND_SECONDS = 40


class Fault(Exception):
    """A message did not go out; the text is for the page of deliveries and holds no address."""


class Unreachable(Fault):
    """The channel failed: no server, no answer in time, no sign-in. The next message would fail too."""


class Refused(Fault):
    """This one message or address was refused; the channel works."""

    def __init__(self, text: str, *, permanent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent


@dataclass(frozen=True)
class Message:
    """What leaves the system, complete. `token` is the same at every try, so that a receiver can know repeats."""

    key: int
    channel: str
    to: str
    subject: str
    body: str
    token: str
    #: Of a webhook: its key and its signing secret.
    hook: int = 0
    secret: str = ""


class Lane(Protocol):
    def send(self, message: Message) -> None:
        """Raises Unreachable or Refused."""

    def close(self) -> None: ...


@contextlib.contextmanager
def watched(sock: Callable[[], socket.socket | None], seconds: float) -> Iterator[None]:
    """Cut the connection after `seconds`: a time limit of a socket begins anew with every byte."""

    def cut() -> None:
        with contextlib.suppress(OSError, AttributeError):
            if found := sock():
                found.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


# ---- E-mail ----


class MailLane:
    """One connection to the mail server, opened with the first message and again after a failure."""

    def __init__(self) -> None:
        self._server: Any = get_connection()
        self._is_open = False

    def send(self, message: Message) -> None:
        letter = EmailMessage(
            # A name with a line break in it would be refused as a forged header, and nobody told.
            " ".join(message.subject.split()),
            message.body,
            to=[message.to],
            headers={"Message-ID": message.token, "Auto-Submitted": "auto-generated"},
            connection=self._server,
        )
        try:
            with watched(self._socket, SEND_SECONDS):
                if not self._is_open:
                    self._server.open()
                    self._is_open = True
                letter.send()
        except Exception as fault:  # a mail server and its library fail in many ways; each is one of two kinds here
            self._drop()
            raise _mail_fault(fault) from fault

    def _socket(self) -> socket.socket | None:
        return getattr(getattr(self._server, "connection", None), "sock", None)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(Exception):
                self._server.close()

    def _drop(self) -> None:
        """After a failure: no goodbye, which would wait for the time limit of a server that hangs once more."""
        self._is_open = False
        connection, self._server.connection = getattr(self._server, "connection", None), None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()


def _mail_fault(fault: Exception) -> Fault:
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(fault.recipients.values()), (0, b""))
        return Refused(f"recipient refused: {code} {_plain(text)}", permanent=code >= 500)
    if isinstance(fault, smtplib.SMTPDataError) and fault.smtp_code >= 500:
        return Refused(f"message refused: {fault.smtp_code} {_plain(fault.smtp_error)}", permanent=True)
    if isinstance(fault, smtplib.SMTPResponseException):
        return Unreachable(f"mail server: {fault.smtp_code} {_plain(fault.smtp_error)}")
    if isinstance(fault, (UnicodeError, ValueError)):
        return Refused(f"{type(fault).__name__}: {fault}", permanent=True)
    return Unreachable(f"{type(fault).__name__}: {fault}")


#: A server repeats the address it refuses.
_ADDRESS = re.compile(r"<?[\w.+-]+@[\w.-]+>?")


def _plain(text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return _ADDRESS.sub("…", said)[:300]


# ---- SMS and chat, through Apprise ----

#: What a gateway answers about one message or number rather than about itself.
_ONE_MESSAGE = re.compile(r"error=4(?!01|03|07|08|25|29)\d\d")


class GatewayLane:
    """Messages through the Apprise address of a channel; it makes a connection for each."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: Message) -> None:
        gateway = gateway_for(self._url, message.to, message.token)
        if gateway is None:
            raise Refused("the gateway does not take such an address", permanent=True)
        said = _said_by_apprise()
        said.clear()
        try:
            sent = gateway.notify(body=message.body, title=message.subject)
        except Exception as fault:  # a plugin of any make
            raise Unreachable(f"{type(fault).__name__}: {fault}") from fault
        if not sent:
            text = _ADDRESS.sub("…", said.text)[:300] or "the gateway did not take the message"
            raise Refused(text) if _ONE_MESSAGE.search(text) else Unreachable(text)

    def close(self) -> None:
        """Nothing stays open."""


def gateway_for(url: str, to: str, token: str) -> Any:
    """The Apprise plugin for one message, with our time limits and no retry of its own; None for a wrong address."""
    import apprise

    filled = url.replace("{to}", quote(to, safe="")).replace("{id}", quote(token, safe=""))
    plugin: Any = apprise.Apprise.instantiate(filled, suppress_exceptions=True)
    if plugin is None:
        return None
    plugin.socket_connect_timeout = plugin.socket_read_timeout = float(settings.GATEWAY_TIMEOUT)
    plugin.retry, plugin.redirects = 0, False
    return plugin


class _Said(logging.Handler):
    """Keeps what Apprise logs, apart for each thread: it tells of a failure in no other way."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._of_thread = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        self._of_thread.text = record.getMessage()

    def clear(self) -> None:
        self._of_thread.text = ""

    @property
    def text(self) -> str:
        return str(getattr(self._of_thread, "text", ""))


@functools.cache
def _said_by_apprise() -> _Said:
    handler = _Said()
    logging.getLogger("apprise").addHandler(handler)
    return handler


def lane_for(channel: str) -> Lane:
    """A fresh lane of e-mail, SMS or chat."""
    if channel == NoticeChannel.EMAIL:
        return MailLane()
    return GatewayLane(
        {NoticeChannel.SMS: settings.SMS_URL, NoticeChannel.CHAT: settings.CHAT_URL}[NoticeChannel(channel)]
    )
