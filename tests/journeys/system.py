"""The product as production runs it: the commands of docker-compose.yml, on the harness's PostgreSQL and Redis.

A journey drives it over HTTP only, and may stop, kill and start again each process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import yaml

from tests import services

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PROCESSES = ("web", "worker", "beat", "watchdog")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Person:
    """One person's client of the API."""

    system: System
    token: str

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, body: dict[str, Any], **headers: str) -> Answer:
        return self._ask("POST", path, body, headers)

    def report(self, **fields: Any) -> dict[str, Any]:
        answer = self.post("incidents/", {"id": str(uuid.uuid4()), "occurred_at": now_text(), **fields})
        assert answer.status == 201, answer.body
        return dict(answer.body)

    def act(self, case: dict[str, Any], act: str, **fields: Any) -> Answer:
        """Act on the version as it is now."""
        version = self.case(case)["version"]
        return self.post(f"incidents/{case['id']}/acts/", {"act": act, **fields}, **{"If-Match": f'"{version}"'})

    def act_blind(self, case: dict[str, Any], act: str, **fields: Any) -> Answer:
        """Act without being able to read the case first."""
        return self.post(f"incidents/{case['id']}/acts/", {"act": act, **fields}, **{"If-Match": '"1"'})

    def case(self, case: dict[str, Any]) -> dict[str, Any]:
        answer = self.get(f"incidents/{case['id']}/")
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        request = urllib.request.Request(
            f"{self.system.address}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Accept-Language": "en",
                **(headers or {}),
            },
        )
        return ask(request)


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(request: urllib.request.Request | str) -> Answer:
    """The answer, whatever its status."""
    try:
        with _DIRECT.open(request, timeout=20) as answer:
            return _read(answer)
    except urllib.error.HTTPError as refused:
        return _read(refused)


def _read(answer: Any) -> Answer:
    text = answer.read().decode()
    kind = answer.headers.get("Content-Type", "")
    return Answer(answer.status, dict(answer.headers), json.loads(text) if text and "json" in kind else text)


def now_text(seconds_ago: int = 60) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))


@dataclass
class System:
    """Processes with one environment; `prepare` makes its database, `start` and `kill` work by service name."""

    folder: Path
    postgres: str
    redis: str
    port: int = field(default_factory=services.free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    database: str = field(default_factory=lambda: f"journey_{uuid.uuid4().hex[:8]}")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return self.postgres.rsplit("/", 1)[0] + "/" + self.database

    @property
    def env(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")}
        return ours | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": "only-for-journeys",
            "IDENTITY_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
            "DATABASE_URL": self.url,
            "REDIS_URL": self.redis,
            "VAR_DIR": str(self.folder),
            "HTTPS": "0",
            "HASHED_STATIC": "0",
            "EMAIL_URL": f"filemail:///{self.folder}/mail",
            "ENGINE_STALE_SECONDS": "40",
            "ENGINE_OVERDUE_SECONDS": "30",
        }

    # ---- Life ----

    def prepare(self) -> None:
        """Database with tables, reference data and the cast, by the product's own commands."""
        self.sql(f"CREATE DATABASE {self.database}", database="postgres")
        self.manage("migrate", "--noinput", "-v0")
        self.manage("load_reference", "-v0")
        cast = "import django; django.setup(); from tests.cast import create_cast; create_cast()"
        subprocess.run([sys.executable, "-c", cast], env=self.env, cwd=ROOT, check=True)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], env=self.env, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def command(self, name: str) -> list[str]:
        """What docker-compose.yml starts for this service, at our address and with our Python."""
        words = [w.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for w in COMPOSE[name]["command"]]
        words = [w.replace("/tmp/beat-schedule", str(self.folder / "beat-schedule")) for w in words]  # noqa: S108
        program, *rest = words
        return [sys.executable, *rest] if program == "python" else [sys.executable, "-m", program, *rest]

    def start(self, *names: str) -> None:
        for name in names or PROCESSES:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    self.command(name), env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
                )

    def start_another(self, name: str) -> None:
        """A second one of the same, beside the first."""
        with (self.folder / f"{name}-second.log").open("ab") as log:
            command = [*self.command(name), "-n", "second@%h"]
            self.running[f"{name}-second"] = subprocess.Popen(
                command, env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End the whole process group, without a chance to tidy up unless `number` gives one."""
        process = self.running.pop(name)
        os.killpg(process.pid, number)
        process.wait(20)

    def stop(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.running.clear()

    def wait_until_ready(self) -> None:
        web = self.running["web"]
        services.wait_for(lambda: services.answers(self.port), seconds=40, what="the web server", process=web)
        eventually(lambda: self.health("readyz").status == 200, seconds=30)

    # ---- Looking ----

    def health(self, path: str) -> Answer:
        return ask(f"{self.address}/{path}")

    def sql(self, statement: str, *values: Any, database: str = "") -> list[tuple[Any, ...]]:
        """Straight into the database: to look, and to let time pass (see `age`)."""
        connection = psycopg2.connect(self.postgres.rsplit("/", 1)[0] + "/" + (database or self.database))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def age(self, case: dict[str, Any], minutes: float) -> None:
        """Let `minutes` pass for the deadlines of one case, without waiting for them."""
        self.sql(
            "UPDATE incidents_clock SET anchor_at = anchor_at - %s * interval '1 minute',"
            " deadline_at = deadline_at - %s * interval '1 minute', fires_at = fires_at - %s * interval '1 minute'"
            " WHERE incident_id = %s AND state = 'running'",
            minutes, minutes, minutes, case["id"],
        )  # fmt: skip
        self.sql(
            "UPDATE incidents_incident SET next_due_at = next_due_at - %s * interval '1 minute'"
            " WHERE id = %s AND next_due_at IS NOT NULL",
            minutes, case["id"],
        )  # fmt: skip

    def let_it_become_overdue(self, case: dict[str, Any]) -> None:
        """Two minutes past the acknowledgement deadline, whatever the phase of today makes it."""
        query = "SELECT target_minutes FROM incidents_clock WHERE incident_id = %s AND kind = 'acknowledge'"
        self.age(case, minutes=self.sql(query, case["id"])[0][0] + 2)

    def person(self, name: str) -> Person:
        """The API client of a member of the cast; the token is made by the product's own command."""
        from tests.cast import username

        said = self.manage("create_token", username(name), "--name", "journey")
        token = next(word for word in said.split() if word.startswith("esi_"))
        return Person(self, token)

    def code_of(self, name: str) -> str:
        """Code of the command or body a member of the cast is posted at."""
        from tests.cast import username

        query = (
            "SELECT c.code FROM commands_posting p JOIN commands_securitycommand c ON c.id = p.command_id"
            " JOIN commands_user u ON u.id = p.user_id WHERE u.username = %s"
        )
        return str(self.sql(query, username(name))[0][0])

    def told(self, case: dict[str, Any]) -> set[str]:
        """Names of everybody who has a notice about the case."""
        query = "SELECT u.username FROM incidents_notice n JOIN commands_user u ON u.id = n.recipient_id"
        return {str(row[0]) for row in self.sql(query + " WHERE n.incident_id = %s", case["id"])}

    def logs(self) -> str:
        return "\n".join(f"== {p.name}\n{p.read_text()[-1500:]}" for p in sorted(self.folder.glob("*.log")))


def eventually(holds: Callable[[], object], *, seconds: float = 45) -> Any:
    """Ask until it is true and return that; the last answer decides when the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        assert time.monotonic() < end, f"still {answer!r} after {seconds:.0f} s"
        time.sleep(0.3)


@contextmanager
def running(folder: Path, postgres: str, redis: str) -> Iterator[System]:
    system = System(folder, postgres, redis)
    try:
        system.prepare()
        system.start()
        system.wait_until_ready()
        yield system
    finally:
        system.stop()
