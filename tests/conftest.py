"""Every test's ground: settings by environment, one database baseline, the cast, the clock, real servers on request.

TEST_DATABASE=sqlite (default) or postgres chooses the database. A test that needs a server asks for a fixture
(`postgres_url`, `redis_url`, `chromium`); where the machine has none it is skipped, and the end of the run names and
counts what could not run. With CI=true or REQUIRE_SERVICES=1 a missing server is a failure.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import services

REQUIRED = os.environ.get("REQUIRE_SERVICES") == "1" or os.environ.get("CI") == "true"
COULD_NOT_RUN = "could not run: "
_var = Path(os.environ.get("ESI_TEST_VAR") or tempfile.mkdtemp(prefix="esi-test-var-"))
_is_worker = "PYTEST_XDIST_WORKER" in os.environ


def _environment() -> None:
    """What settings read, before Django reads it. Workers of xdist inherit the answer."""
    if _is_worker:
        return
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ESI_TEST_VAR": str(_var),
            "VAR_DIR": str(_var),
            "LANGUAGE_CODE": "en",
            "SECRET_KEY": "only-for-tests",
            # 32 bytes "0", urlsafe base64: a key that opens nothing but test identities.
            "IDENTITY_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
            "DEBUG": "0",
            "DEMO": "0",
            "HTTPS": "0",
            "HASHED_STATIC": "0",
            "REDIS_URL": "",
            "EMAIL_URL": "memorymail://",
            "SMS_URL": "",
            "CHAT_URL": "",
            "SMS_INBOUND_SECRET": "",
            "CONN_MAX_AGE": "0",
            "LOG_LEVEL": "WARNING",
        }
    )
    for name in ("MEDIA_ROOT", "COUNTRY_DATA", "MAP_TILE_URL", "SITE_URL", "DATABASE_URL"):
        os.environ.pop(name, None)
    if os.environ.get("TEST_DATABASE", "sqlite") == "postgres":
        os.environ["DATABASE_URL"] = os.environ.get("TEST_POSTGRES_URL") or services.start_postgres().url


_environment()


def pytest_configure() -> None:
    import django

    from config import texts

    if not _is_worker:
        texts.compile_all()
    django.setup()
    _hash_quickly()


def _hash_quickly() -> None:
    """The same hash with next to no work: a seventh of a second for each sign-in is for whoever guesses."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("django_db") or "django_db_setup" in getattr(item, "fixturenames", ()):
            item.add_marker("database")
    if os.environ.get("TEST_DATABASE", "sqlite") != "postgres":
        for item in items:
            if item.get_closest_marker("race"):
                item.add_marker(pytest.mark.skip(reason="SQLite has one writer at a time"))


# ---- Database ----


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """One database for the session, from the baseline; committing tests get it back whole (see tests/database.py)."""
    from django.test import TransactionTestCase

    from tests import database

    with django_db_blocker.unblock():
        ours = database.for_this_run()
        ours.prepare()
    TransactionTestCase._fixture_teardown = lambda self: ours.restore()  # type: ignore[attr-defined, method-assign]
    yield
    with django_db_blocker.unblock():
        ours.drop()


@pytest.fixture
def cast(db: None) -> Any:
    from tests.cast import Cast

    return Cast()


@pytest.fixture(autouse=True)
def policies_read_anew() -> Iterator[None]:
    """Each process keeps what a published policy says; what a test published is undone after it."""
    yield
    from incidents import policies

    policies.forget()


@pytest.fixture
def now() -> dt.datetime:
    """A weekday morning in the campaign of 2027; pass it on, nothing below the doors reads the clock."""
    from tests.cast import NOW

    return NOW


@pytest.fixture
def clock() -> Iterator[Any]:
    """Doors read that moment too; `move_to` and `shift` let time go on."""
    import time_machine

    from tests.cast import NOW

    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def make_incident(db: None) -> Callable[..., Any]:
    from tests import factories

    return factories.make_incident


@pytest.fixture
def make_sealed(db: None) -> Callable[..., Any]:
    from tests import factories

    return factories.make_sealed


@pytest.fixture
def signed_in(db: None) -> Callable[..., Any]:
    """`signed_in(user)` gives a test client of that person, in English unless `language="km"`."""
    from django.conf import settings
    from django.test import Client

    def sign_in(user: Any, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    """Throttles and lock-outs of one test do not reach the next."""
    from django.core.cache import cache

    cache.clear()


# ---- Servers ----


def _have(start: Callable[[], Any], what: str) -> Any:
    try:
        return start()
    except services.Missing as missing:
        if REQUIRED:
            pytest.fail(f"{what}: {missing}, and this run requires every service", pytrace=False)
        pytest.skip(f"{COULD_NOT_RUN}{what} ({missing})")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own; make databases on it freely."""
    server = _have(services.start_postgres, "PostgreSQL")
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    server = _have(services.start_redis, "Redis")
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium that Playwright can drive."""
    return str(_have(services.chromium_program, "browser"))


# ---- The end of the run ----


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name and count what this machine could not run, so that a green line never hides it."""
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if COULD_NOT_RUN in reason:
            missing[reason.split(COULD_NOT_RUN, 1)[1]] += 1
    for what, count in missing.items():
        terminalreporter.write_line(f"{COULD_NOT_RUN}{what} — {count} {'test' if count == 1 else 'tests'}", yellow=True)


def pytest_unconfigure() -> None:
    if not _is_worker:
        import shutil

        shutil.rmtree(_var, ignore_errors=True)
