"""Receivers in the test process that can misbehave: a mail server and an HTTP gateway."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass
class MailSink:
    """Keeps what it took. `fault`: "", "refuse" (550 to each recipient), "451", "hang", "drop" (after DATA)."""

    fault: str = ""
    #: How many messages the fault is for; then all is well. -1: for ever.
    times: int = -1
    letters: list[EmailMessage] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    def is_faulty(self, kind: str) -> bool:
        if self.fault != kind or self.times == 0:
            return False
        self.times -= 1
        return True

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.is_faulty("refuse"):
            return f"550 no such mailbox: {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.is_faulty("hang"):
            await asyncio.sleep(60)
        if self.is_faulty("451"):
            return "451 try again later"
        letter: Any = message_from_bytes(envelope.content, policy=policy.default)
        letter["X-To"] = ",".join(envelope.rcpt_tos)
        self.letters.append(letter)
        if self.is_faulty("drop"):
            server.transport.close()  # type: ignore[union-attr]
        return "250 taken"

    def start(self) -> MailSink:
        """A loop of its own in a thread, on a port that the system chooses."""
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()

        def factory() -> SMTP:
            self.connections += 1
            return SMTP(self, hostname="sink", loop=self._loop)

        async def serve() -> None:
            self._server = await self._loop.create_server(factory, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(serve())
            self._loop.run_forever()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0.01))
            self._loop.close()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def by_id(self) -> dict[str, list[EmailMessage]]:
        found: dict[str, list[EmailMessage]] = {}
        for letter in self.letters:
            found.setdefault(str(letter["Message-ID"]), []).append(letter)
        return found


@dataclass
class Post:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Gateway:
    """An HTTP server that keeps what it took. `fault`: "", "hang", "refuse" (400), "500", "drop", "redirect"."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.fault = ""
        self.times = -1
        self._free = threading.Event()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                gateway.take(self)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        fault = self.fault if self.times else ""
        self.times -= 1 if fault else 0
        if fault == "hang":
            self._free.wait(60)
            return
        if fault in ("", "drop"):
            self.posts.append(Post(request.path, {k.lower(): v for k, v in request.headers.items()}, body))
        if fault == "drop":
            request.close_connection = True
            request.connection.close()
            return
        status = {"": 200, "refuse": 400, "500": 500, "redirect": 302, "gone": 410}[fault]
        request.send_response(status)
        if fault == "redirect":
            request.send_header("Location", f"http://127.0.0.1:{self.port}/elsewhere")
        request.send_header("Content-Length", "0")
        request.end_headers()

    @property
    def sms_url(self) -> str:
        return f"json://127.0.0.1:{self.port}/sms?:to={{to}}&:id={{id}}"

    @property
    def chat_url(self) -> str:
        return f"json://127.0.0.1:{self.port}/chat/?:to={{to}}&:id={{id}}"

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        self._free.set()
        self._server.shutdown()
        self._server.server_close()


def wait_for(what: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
