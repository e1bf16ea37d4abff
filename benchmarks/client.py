"""A signed-in person or another system, over HTTP: one kept connection, timed around the whole answer."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

#: gunicorn closes a connection that was idle for 2 s; a new one is opened outside the measured time.
IDLE_SECONDS = 1.0
#: Django takes a CSRF secret as the token too: 32 letters and digits.
CSRF = "c" * 32


@dataclass
class Client:
    """`cookies` for a browser, `token` for another system. Answers outside `expected` raise AssertionError."""

    port: int
    cookies: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None
    _used_at: float = 0

    def get(self, path: str, *, expected: tuple[int, ...] = (200,)) -> float:
        """Seconds until the last byte of the answer."""
        return self._send("GET", path, None, {}, expected)

    def post_form(self, path: str, data: Mapping[str, str], *, expected: tuple[int, ...]) -> float:
        fields = {**data, "csrfmiddlewaretoken": CSRF}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", path, urlencode(fields).encode(), kind, expected)

    def post_json(self, path: str, data: Mapping[str, Any], *, expected: tuple[int, ...]) -> float:
        return self._send("POST", path, json.dumps(data).encode(), {"Content-Type": "application/json"}, expected)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], expected: tuple[int, ...]
    ) -> float:
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = self._connected()
        begun = time.perf_counter()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        self.body = answer.read()
        self._used_at = time.perf_counter()
        self.status, self.headers = answer.status, dict(answer.getheaders())
        if answer.will_close:
            connection.close()
            self._connection = None
        text = self.body[:500].decode(errors="replace")
        assert answer.status in expected, f"{method} {path} answered {answer.status}: {text}"
        return self._used_at - begun

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None or time.perf_counter() - self._used_at > IDLE_SECONDS:
            if self._connection:
                self._connection.close()
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            self._connection.connect()
        return self._connection
