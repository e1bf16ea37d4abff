"""The servers and databases of a run: private, filled by `manage.py seed_load`, served by the production's gunicorn."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped, unused-ignore]
import redis

from benchmarks.client import CSRF, Client
from tests import services

ROOT = Path(__file__).resolve().parent.parent
BASE = "bench_base"
#: Databases of the embedded set-up: SQLite, no Redis, one process of eight threads.
EMBEDDED = "embedded"
#: Sign-ins outlive a clearing of the cache: what is measured cold is the page, not the session.
KEPT_IN_CACHE = "sessions"
#: Set by whoever starts the run for an installation of their own.
NOT_OURS = ("EMAIL_URL", "MEDIA_ROOT", "SITE_URL", "METRICS_TOKEN", "MAP_TILE_URL", "API_RATE", "CONN_MAX_AGE")
#: As docker-compose.yml sets it.
MEMORY = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
#: As docker-compose.yml leaves them in PostgreSQL, unlike the quick and forgetful server of the tests.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass
class Site:
    """A running gunicorn: its port, its cache, and who can sign in."""

    name: str
    port: int
    redis_url: str
    process: subprocess.Popen[bytes]
    facts: dict[str, Any]

    def browser(self, username: str) -> Client:
        person = self.facts["people"][username]
        return Client(
            self.port, cookies={"sessionid": person["session"], "csrftoken": CSRF, "language": person["language"]}
        )

    def system(self, username: str) -> Client:
        return Client(self.port, token=self.facts["people"][username]["token"])

    def forget(self) -> None:
        """Empty the cache of everything but who is signed in."""
        cache = redis.Redis.from_url(self.redis_url)
        keys = [key for key in cache.scan_iter(count=1000) if KEPT_IN_CACHE.encode() not in key]
        if keys:
            cache.delete(*keys)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)


@dataclass
class Stage:
    """Everything a subject needs. Close it at the end: it stops each server it started."""

    postgres_url: str = ""
    redis_url: str = ""
    #: Seconds each database took to be filled, by number of cases; only of those filled in this run.
    filled_in: dict[int, float] = field(default_factory=dict)
    _servers: list[services.Server] = field(default_factory=list)
    _sites: list[Site] = field(default_factory=list)
    _ready: dict[str, dict[str, Any]] = field(default_factory=dict)
    _var: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="esi-bench-")))
    _caches: int = 0
    _is_dressed: bool = False

    def __post_init__(self) -> None:
        if not self.postgres_url:
            self._servers.append(services.start_postgres(**MEMORY))
            self.postgres_url = self._servers[-1].url
        if not self.redis_url:
            self._servers.append(services.start_redis())
            self.redis_url = self._servers[-1].url

    def close(self) -> None:
        for site in self._sites:
            site.stop()
        for server in self._servers:
            server.stop()
        subprocess.run(["rm", "-rf", str(self._var)], check=False)

    # ---- Databases ----

    def url_of(self, database: str) -> str:
        if database.startswith(EMBEDDED):
            return f"sqlite:///{self._var / database}.sqlite3"
        return self.postgres_url.rsplit("/", 1)[0] + "/" + database

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.url_of(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def make_durable(self) -> None:
        """From here on a commit is on the disk before it is answered."""
        for name, value in DURABLE.items():
            self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql("SELECT pg_reload_conf()")
        time.sleep(0.5)

    def make_forgetful(self) -> None:
        """Back to what the server was started with."""
        for name in DURABLE:
            self.sql(f"ALTER SYSTEM RESET {name}")
        self.sql("SELECT pg_reload_conf()")
        time.sleep(0.5)

    def database(self, incidents: int) -> str:
        """The name of a database with so many cases, filled now unless the server has it."""
        name = f"bench_{incidents}"
        known = {row[0] for row in self.sql("SELECT datname FROM pg_database")}
        if BASE not in known:
            say("making the tables and the country")
            self._make(BASE, "template0", ["migrate"], ["load_reference"])
        if name not in known:
            say(f"filling a database with {incidents:,} cases")
            # The engine fires what is due, as it would have: no page is to wait for a thousand late clocks.
            commands = [["seed_load", "--incidents", str(incidents)], ["escalate", "--once"]] if incidents else []
            taken = self._make(name, BASE, *commands)
            if taken:
                self.filled_in[incidents] = taken[0]
        return name

    def embedded(self, incidents: int) -> str:
        """The name of an SQLite database with so many cases, made now; `site` serves it as `make run` would."""
        name = f"{EMBEDDED}_{incidents}"
        say(f"filling SQLite with {incidents:,} cases")
        for command in (["migrate"], ["load_reference"], ["seed_load", "--incidents", str(incidents)]):
            self.run("manage.py", *command, "-v0", database=name, DEMO="1")
        return name

    def _make(self, name: str, template: str, *commands: list[str]) -> list[float]:
        """Make and fill a database; seconds each command took.

        Under another name until it is full: a run that was broken off leaves no half database behind.
        """
        half, taken = f"{name}_half", []
        self.sql(f"DROP DATABASE IF EXISTS {half}")
        self.sql(f"CREATE DATABASE {half} TEMPLATE {template}")
        for command in commands:
            begun = time.monotonic()
            self.run("manage.py", *command, "-v0", database=half, DEMO="1")
            taken.append(time.monotonic() - begun)
        self.sql(f"ALTER DATABASE {half} RENAME TO {name}")
        return taken

    # ---- Processes ----

    def environment(self, database: str, redis_url: str, **more: str) -> dict[str, str]:
        """The production settings, over plain HTTP because nothing stands in front."""
        return {
            **{name: value for name, value in os.environ.items() if name not in NOT_OURS},
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": self.url_of(database),
            "REDIS_URL": "" if database.startswith(EMBEDDED) else redis_url,
            "VAR_DIR": str(self._var),
            "SECRET_KEY": "only-for-measurements-" + "0123456789" * 4,
            "IDENTITY_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
            "DEBUG": "0",
            "DEMO": "0",
            "HTTPS": "0",
            "HASHED_STATIC": "1",
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
            **more,
        }

    def run(self, *command: str, database: str, **more: str) -> str:
        """Run a script or module of ours to its end and return what it printed; raises with its last words."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment(database, self.redis_url, **more),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def facts(self, database: str) -> dict[str, Any]:
        """People with sessions and tokens, places and cursors of a database."""
        if database not in self._ready:
            made = self.run("-m", "benchmarks.prepare", database=database, DEMO="1")
            self._ready[database] = json.loads(made)
        return self._ready[database]

    def site(self, database: str, *, floor: str = "") -> Site:
        """A new gunicorn on `database`: the product, or with `floor` ("bare", "signed-in") a floor."""
        if not floor and not self._is_dressed:
            self.run("manage.py", "collectstatic", "--noinput", "-v0", database=database)
            self._is_dressed = True
        self._caches += 1
        redis_url = f"{self.redis_url.rsplit('/', 1)[0]}/{self._caches}"
        redis.Redis.from_url(redis_url).flushdb()
        port = services.free_port()
        command = gunicorn_of_production()
        command[command.index("--bind") + 1] = f"127.0.0.1:{port}"
        if database.startswith(EMBEDDED):
            command[command.index("--workers") + 1] = "1"
        command[command.index("config.wsgi:application")] = (
            "benchmarks.floor.wsgi:application" if floor else "config.wsgi:application"
        )
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--log-level", "warning"],
            cwd=ROOT,
            env=self.environment(database, redis_url, FLOOR=floor),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        site = Site(floor or database, port, redis_url, process, self.facts(database))
        self._sites.append(site)
        address = f"http://127.0.0.1:{port}/healthz"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def answers() -> bool:
            with contextlib.suppress(OSError):
                direct.open(address, timeout=5).close()
                return True
            return False

        services.wait_for(answers, seconds=60, what=f"gunicorn of {site.name}", process=process)
        return site

    def stop_sites(self) -> None:
        for site in self._sites:
            site.stop()
        self._sites.clear()
        self._caches = 0


def gunicorn_of_production() -> list[str]:
    """The command of the Dockerfile, without the recycling of workers, whose new start would be measured too."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    command: list[str] = json.loads(next(line for line in reversed(lines) if line.startswith("CMD "))[4:])
    for name in ("--max-requests", "--max-requests-jitter"):
        if name in command:
            at = command.index(name)
            del command[at : at + 2]
    return command
