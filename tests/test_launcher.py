"""`make run` on an unfit machine: one sentence that says what to do, no traceback. And a folder stays what it is."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config import launcher

ROOT = Path(__file__).resolve().parent.parent


def start(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "config" / "launcher.py"), "run", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr.strip()


def test_a_taken_port_is_named_with_a_free_one(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = start("--port", str(port), "--var", str(tmp_path))
    assert said == f"Port {port} is taken by another program: choose another, as in make run PORT={port + 1}"


def test_a_number_that_is_no_port(tmp_path: Path) -> None:
    assert "is not a port" in start("--port", "70000", "--var", str(tmp_path))


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert f"The folder {in_the_way / 'var'} cannot be written to" in start("--var", str(in_the_way / "var"))


def test_an_old_python_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(launcher.Stop, match=r"Python 3\.11 or newer is needed and this is 3\.9"):
        launcher.check_python()


def test_old_pythons_can_read_the_launcher() -> None:
    """The sentence about an old Python is reached only if the file parses there: no syntax newer than 3.8."""
    import ast

    ast.parse((ROOT / "config" / "launcher.py").read_text(), feature_version=(3, 8))


def test_a_missing_wheel_is_named_and_nothing_is_compiled() -> None:
    said = launcher.why_pip_failed(["ERROR: No matching distribution found for shapely==2.2.0"])
    assert "no ready-made package of shapely==2.2.0" in said


def test_no_network_is_said_plainly() -> None:
    said = launcher.why_pip_failed(
        ["WARNING: Retrying after NewConnectionError(...)", "ERROR: No matching distribution"]
    )
    assert said == "The packages could not be fetched: there is no way to the package index from here."


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    assert launcher.make_keys(tmp_path, "") is True
    first = (tmp_path / "local.env").read_text()
    assert stat.S_IMODE((tmp_path / "local.env").stat().st_mode) == 0o600
    assert launcher.make_keys(tmp_path, "") is True
    assert (tmp_path / "local.env").read_text() == first


def test_demonstration_and_real_data_are_never_mixed(tmp_path: Path) -> None:
    assert launcher.make_keys(tmp_path, "0") is False
    assert launcher.make_keys(tmp_path, "") is False
    with pytest.raises(launcher.Stop, match="holds real data"):
        launcher.make_keys(tmp_path, "1")


def test_two_starts_on_one_folder_are_refused(tmp_path: Path) -> None:
    held = launcher.only_one(tmp_path)
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from config import launcher; from pathlib import Path; launcher.only_one(Path({str(tmp_path)!r}))",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stderr
    assert f"It is running already from {tmp_path} (process {os.getpid()})." in said
    del held
