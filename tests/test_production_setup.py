"""docker-compose.yml, Dockerfile and .env.example fit the product and each other. No container engine is needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.launcher import QUEUES

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())  # type: ignore[no-any-return]


def test_every_part_of_the_product_is_a_service_of_one_image(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"setup", "web", "worker", "beat", "watchdog", "postgres", "redis"}
    ours = {services[name]["image"] for name in ("setup", "web", "worker", "beat", "watchdog")}
    assert len(ours) == 1


def test_long_running_services_are_checked_and_come_back(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name not in ("setup", "watchdog"):
            assert "healthcheck" in service, name
        if name != "setup":
            assert service["restart"] == "unless-stopped", name


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.findall(r"\$\{(\w*(?:PASSWORD|KEY|TOKEN)\w*)(?!\w*:\?)", text) == []
    example = (ROOT / ".env.example").read_text()
    for name in ("SECRET_KEY", "IDENTITY_KEYS", "POSTGRES_PASSWORD", "METRICS_TOKEN"):
        assert re.search(rf"^{name}=$", example, re.MULTILINE), f"{name} has a value in .env.example"


def test_the_worker_consumes_every_queue(compose: dict[str, Any]) -> None:
    command = compose["services"]["worker"]["command"]
    assert command[command.index("-Q") + 1] == QUEUES


def test_the_image_does_not_run_as_root_and_holds_no_secret() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER app$", text, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", "var", ".git", ".venv"} <= set(ignored)


def test_data_outlives_the_containers(compose: dict[str, Any]) -> None:
    assert set(compose["volumes"]) == {"database", "files"}
    assert compose["services"]["postgres"]["volumes"] == ["database:/var/lib/postgresql/data"]


def test_the_example_with_its_blanks_filled_starts(tmp_path: Path) -> None:
    """What may stay empty there, as mail, may stay empty."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    env = dict(line.split("=", 1) for line in lines if line[:1].isalpha())
    env |= {"SECRET_KEY": "a-key-for-this-test-" + "0123456789" * 4, "DATABASE_URL": "postgres://a:b@127.0.0.1:1/c"}
    env |= {"IDENTITY_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=", "REDIS_URL": "redis://127.0.0.1:1/0"}
    show = "from django.conf import settings as s; print(s.EMAIL_CONFIGURED, s.HTTPS, s.DEBUG, s.DEMO, s.HASHED_STATIC)"
    done = subprocess.run(
        [sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True,
        env=env | {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
    assert done.stdout.split() == ["False", "True", "False", "False", "True"], done.stderr[-500:]
