"""The test database: built once with migrations, reference data and the cast, then copied.

Loading a country takes seconds, so the result is kept as a baseline: for SQLite a file under var/tests named by what
went into it, for PostgreSQL a template database on the private server. A test that commits gets the baseline back
whole afterwards, triggers and all; Django's flush would empty the country and stumble over the append-only journal.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command, get_commands
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "var" / "tests"
#: Whatever may change what the baseline holds.
INGREDIENTS = (
    ("elections", "*.py"),
    ("elections/data", "*"),
    ("commands/models", "*.py"),
    ("commands/migrations", "*.py"),
    ("incidents/models", "*.py"),
    ("incidents/migrations", "*.py"),
    ("incidents/data", "*"),
    ("incidents/management/commands/load_reference.py", ""),
    ("tests/cast.py", ""),
    ("tests/database.py", ""),
)


def fingerprint() -> str:
    digest = hashlib.sha256()
    for folder, pattern in INGREDIENTS:
        for path in sorted((ROOT / folder).rglob(pattern)) if pattern else [ROOT / folder]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Workers of one run, and runs of one machine, wait for each other to build the baseline."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build() -> None:
    """Fill the database the connection points at: migrations, reference data, the cast."""
    from tests.cast import create_cast, load_small_country

    call_command("migrate", verbosity=0, interactive=False)
    if "load_reference" in get_commands():
        call_command("load_reference", verbosity=0)
    else:
        load_small_country()
    create_cast()
    connection.close()


class SqliteDatabase:
    """Test database as a file, so that threads and processes have real connections of their own."""

    def __init__(self) -> None:
        self.baseline = CACHE / f"baseline-{fingerprint()}.sqlite3"
        self.folder = Path(tempfile.mkdtemp(prefix="esi-test-db-"))
        self.name = str(self.folder / "test.sqlite3")

    def prepare(self) -> None:
        with one_at_a_time("sqlite"):
            if not self.baseline.exists():
                for old in sorted(CACHE.glob("baseline-*.sqlite3"), key=lambda f: f.stat().st_mtime)[:-3]:
                    old.unlink()
                unfinished = self.folder / "baseline.sqlite3"
                self._point_at(str(unfinished))
                build()
                shutil.move(unfinished, self.baseline)
            # A copy of our own: another run with newer code may replace the shared one while this one works.
            shutil.copyfile(self.baseline, self.folder / "mine.sqlite3")
        shutil.copyfile(self.folder / "mine.sqlite3", self.name)
        self._point_at(self.name)

    def restore(self) -> None:
        connection.close()
        with (
            contextlib.closing(sqlite3.connect(self.folder / "mine.sqlite3")) as source,
            contextlib.closing(sqlite3.connect(self.name, timeout=20)) as target,
        ):
            source.backup(target)

    def drop(self) -> None:
        connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _point_at(self, name: str) -> None:
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


class PostgresDatabase:
    """Test database as a copy of a template on the server of DATABASE_URL."""

    def __init__(self) -> None:
        self.baseline = f"baseline_{fingerprint()}"
        self.name = f"test_{os.getpid()}"

    def prepare(self) -> None:
        with one_at_a_time("postgres"):
            if not self._sql(f"SELECT 1 FROM pg_database WHERE datname = '{self.baseline}'"):
                unfinished = f"unfinished_{self.name}"
                self._sql(f"CREATE DATABASE {unfinished}")
                self._point_at(unfinished)
                build()
                self._sql(f"ALTER DATABASE {unfinished} RENAME TO {self.baseline}")
        self.restore()

    def restore(self) -> None:
        connection.close()
        self._sql(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        self._sql(f"CREATE DATABASE {self.name} TEMPLATE {self.baseline} STRATEGY FILE_COPY")
        self._point_at(self.name)

    def drop(self) -> None:
        connection.close()
        self._sql(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement outside any transaction, connected to the server's own database."""
        import psycopg2

        s = connection.settings_dict
        server = psycopg2.connect(
            host=s["HOST"], port=s["PORT"], user=s["USER"], password=s["PASSWORD"], dbname="postgres"
        )
        server.autocommit = True
        with contextlib.closing(server), server.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _point_at(self, name: str) -> None:
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def for_this_run() -> SqliteDatabase | PostgresDatabase:
    return SqliteDatabase() if connection.vendor == "sqlite" else PostgresDatabase()
