"""`make check`: every fast proof, one line each, all of them even after one fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ["config", "elections", "commands", "incidents"]
PYTHON = sys.executable
BIN = Path(PYTHON).parent
PRODUCTION = {
    "SECRET_KEY": "a-key-as-long-as-a-real-one-" + "0123456789" * 3,
    "ALLOWED_HOSTS": "incidents.example.org",
    "SITE_URL": "https://incidents.example.org",
    "EMAIL_URL": "smtp://mail.example.org:25",
    "DATABASE_URL": "postgres://incidents@127.0.0.1:1/incidents",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "METRICS_TOKEN": "0123456789abcdef0123456789abcdef",
    "HTTPS": "1",
}
#: Fast tests that catch most mistakes; `make test` runs all.
QUICK = ["tests/test_architecture.py", "tests/commands", "tests/elections", "tests/incidents/test_lifecycle.py"]

CHECKS: list[tuple[str, list[str], dict[str, str]]] = [
    ("format", [f"{BIN}/ruff", "format", "--check", "."], {}),
    ("lint", [f"{BIN}/ruff", "check", "."], {}),
    ("imports", [f"{BIN}/lint-imports"], {}),
    ("types", [f"{BIN}/mypy", *APPS], {}),
    ("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], {}),
    ("settings", [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
    ("texts", [PYTHON, "-m", "config.texts", "check"], {}),
    ("tests", [PYTHON, "-m", "pytest", "-q", *(p for p in QUICK if (ROOT / p).exists())], {}),
]


def main() -> int:
    failed = []
    for name, command, more in CHECKS:
        begun = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True)
        ok = done.returncode == 0
        print(f"{'ok  ' if ok else 'FAIL'} {name:<11}{time.monotonic() - begun:6.1f} s", flush=True)
        if not ok:
            failed.append(name)
            print((done.stdout + done.stderr)[-6000:], flush=True)
    print(f"\n{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}" if failed else "\nEvery check passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
