"""Signed POSTs to other systems, by the Standard Webhooks convention: what is sent, how it is signed, where it may go.

Source of the signature: https://www.standardwebhooks.com, HMAC-SHA256 over "id.timestamp.body".
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import http.client
import ipaddress
import json
import re
import secrets
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from incidents.delivery.channels import Refused, Unreachable, watched
from incidents.models import Notice

PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh signing key, 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, token: str, timestamp: int, body: str) -> str:
    """The header's value; `secret` as `new_secret` gave it. Raises ValueError where it is no such secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("not a webhook secret") from None
    signed = hmac.new(key, f"{token}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def payload(notice: Notice) -> str:
    """What another system learns: reference, kind, severity, state, district, owner, deadline, link. No more."""
    case = notice.incident
    assert case is not None  # noqa: S101  webhooks are told of cases only
    data: dict[str, Any] = {
        "reference": case.reference,
        "severity": case.severity,
        "state": case.state,
        "category": case.category.code,
        "district": case.district_code,
        "owner": case.owner.code,
        "due_at": case.next_due_at.isoformat() if case.next_due_at else None,
        "due": case.next_due_kind,
        "link": settings.SITE_URL + case.get_absolute_url(),
    }
    told = {"type": f"incident.{notice.kind}", "timestamp": notice.created_at.isoformat(), "data": data}
    return json.dumps(told, separators=(",", ":"))


def check_address(url: str) -> None:
    """Refuse with a sentence an address that a webhook may not have; a name is looked up when it is sent to."""
    try:
        parts = urlsplit(url)
        # Read when it is asked for; what is no number raises.
        parts.port  # noqa: B018
    except ValueError:
        raise ValidationError(_("Write the whole address, beginning with https://."), code="address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValidationError(_("Write the whole address, beginning with https://."), code="address")
    if parts.scheme == "http" and not settings.WEBHOOK_HTTP:
        raise ValidationError(_("Use an address that begins with https://, so that nobody reads along."), code="tls")
    if parts.username or parts.password:
        raise ValidationError(_("Leave name and password out of the address: each message is signed."), code="address")
    # The url itself: `urlsplit` drops line breaks in silence.
    if _BLANK.search(url) or not (parts.path + parts.query + parts.fragment).isascii():
        raise ValidationError(
            _("After the name of the system an address has no spaces and no letters but a to z. Copy it once more."),
            code="address",
        )
    try:
        is_inside = not is_outside(parts.hostname)
    except ValueError:
        _check_name(parts.hostname)
        return
    if is_inside and not settings.WEBHOOK_PRIVATE:
        raise ValidationError(
            _("This address is inside a network. Use one that is reached from outside."), code="inside"
        )


_BLANK = re.compile(r"[\s\x00-\x20\x7f]")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")


def _check_name(host: str) -> None:
    """Refuse a name that no system can have, because it could not be looked up."""
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not all(_LABEL.fullmatch(label) for label in name.removesuffix(".").split(".")):
        raise ValidationError(
            _("No system can have the name in this address. Copy the address once more."), code="address"
        )


#: Special addresses by name, because versions of Python differ: protocols, a cloud's inner services, old 6to4 relays.
_NEVER = tuple(ipaddress.IPv4Network(net) for net in ("192.0.0.0/24", "168.63.129.16/32", "192.88.99.0/24"))
#: IPv6 that ends in the IPv4 address which a gateway (NAT64) or an old way of writing means.
_CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
#: A NAT64 of the own network.
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the public network and of one machine. Raises ValueError where it is none."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.is_site_local or found in _LOCAL_NAT64:
            return False
        is_carried = any(found in net for net in _CARRIERS)
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if is_carried else found.ipv4_mapped or found.sixtofour
        if inner is not None:
            return is_outside(str(inner))
    elif any(found in net for net in _NEVER):
        return False
    return found.is_global and not found.is_multicast


def post(url: str, secret: str, token: str, body: str, now: dt.datetime, timeout: float) -> None:
    """One signed POST; anything but a 2xx raises Refused or Unreachable. No redirect is followed.

    The name is looked up once and that address used, so that it cannot be a public one when it is checked and a
    private one when it is connected to.
    """
    try:
        check_address(url)
    except ValidationError as refused:
        raise Refused(" ".join(refused.messages), permanent=True) from None
    parts = urlsplit(url)
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "election-security-incidents",
        "webhook-id": token,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, token, timestamp, body),
    }
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(parts.scheme, str(parts.hostname), parts.port, timeout)
    try:
        with watched(lambda: connection.sock, 2 * timeout):
            if isinstance(connection.sock, ssl.SSLSocket):
                connection.sock.do_handshake()
            connection.request("POST", target, body.encode(), headers)
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as fault:
        raise Unreachable(f"{type(fault).__name__}: {fault}") from fault
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise Refused(f"HTTP {status}", permanent=status == http.HTTPStatus.GONE)


def _connection(scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
    """A connection to an address of `host` that may be used, made already."""
    port = port or (443 if scheme == "https" else 80)
    address = _looked_up(host, port)
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        sock: socket.socket = socket.create_connection((address, port), timeout)
        if scheme == "https":
            # Greeted under the time limit for the whole, since each byte of it begins the socket's own anew.
            context = ssl.create_default_context()
            sock = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except OSError as fault:
        raise Unreachable(f"{type(fault).__name__}: {fault}") from fault
    connection.sock = sock
    return connection


def _looked_up(host: str, port: int) -> str:
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as fault:
        raise Unreachable(f"no address for {host}: {fault}") from fault
    if not settings.WEBHOOK_PRIVATE and not all(is_outside(a) for a in found):
        raise Refused(f"{host} is an address inside a network", permanent=True)
    return found[0]
