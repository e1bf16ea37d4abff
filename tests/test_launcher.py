"""`make run` on an unfit machine: one sentence that says what to do, no traceback. And a folder stays what it is."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config import launcher, supervisor

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


@pytest.mark.parametrize("typed", ["abc", "-1", "80.5", "٨٠٠٠"])
def test_what_is_typed_for_a_port_is_shown_again(tmp_path: Path, typed: str) -> None:
    said = start(f"--port={typed}", "--var", str(tmp_path))
    assert said.startswith(f"{typed!r} is not a port: choose one from 1024 to 65535")


def test_an_address_of_another_machine_is_not_called_a_taken_port(tmp_path: Path) -> None:
    assert "This machine has no address 192.0.2.1" in start("--host", "192.0.2.1", "--var", str(tmp_path))


def test_demo_is_one_or_nothing_or_zero(tmp_path: Path) -> None:
    assert start("--demo", "yes", "--var", str(tmp_path)).startswith("DEMO is 1 ")


def test_an_empty_system_without_terminal_says_at_once_what_to_set(tmp_path: Path) -> None:
    """Not after minutes of work: nothing has been made yet."""
    with pytest.raises(launcher.Stop, match="or set FIRST_ADMIN_USERNAME and FIRST_ADMIN_PASSWORD"):
        launcher.check_administrator({}, tmp_path)
    launcher.check_administrator({"FIRST_ADMIN_USERNAME": "a", "FIRST_ADMIN_PASSWORD": "b"}, tmp_path)
    (tmp_path / "db.sqlite3").write_text("")
    launcher.check_administrator({}, tmp_path)


def test_a_disk_too_full_for_the_first_start_is_told_before_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: argparse.Namespace(free=21_400_000))
    with pytest.raises(launcher.Stop, match=r"needs 600 MB of disk and .* has 21 MB free"):
        launcher.check_space(tmp_path, 600)


def test_a_disk_that_fills_up_on_the_way_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "stamps/demo")

    monkeypatch.setattr(launcher, "setup", full)
    monkeypatch.setattr(sys, "argv", ["launcher.py", "setup"])
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        assert launcher.main() == 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    said = capsys.readouterr().err
    assert said == "No space left on device (stamps/demo): nothing was lost; mend that and start again.\n"
    assert launcher.why_pip_failed(["ERROR: [Errno 28] No space left on device"]).startswith("The disk is full")


def test_make_names_the_python_it_needs() -> None:
    done = subprocess.run(["make", "run", "PYTHON=/bin/false"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode and done.stderr.startswith("Python 3.11 or newer is needed, and there is none as /bin/false")


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


def test_keys_cut_off_in_the_middle_are_made_anew(tmp_path: Path) -> None:
    (tmp_path / "local.part").write_text("SECRET_KEY=half")
    assert launcher.make_keys(tmp_path, "") is True
    assert launcher.read_env(tmp_path / "local.env").keys() == {"SECRET_KEY", "IDENTITY_KEYS", "DEMO"}
    assert not (tmp_path / "local.part").exists()


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


# ---- What it starts ends with it ----


def wait_for(truth: Callable[[], bool]) -> None:
    for _ in range(400):
        if truth():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


#: Runs a step that would go on for a minute and says its process id.
STEP = """
import sys, signal; from config import launcher
signal.signal(signal.SIGTERM, launcher.interrupted)
step = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
launcher.each_line([sys.executable, "-c", step], lambda line: print(line, flush=True))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child whose parent was killed outright")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_step_does_not_outlive_the_start_it_belongs_to(number: int) -> None:
    launch = subprocess.Popen(
        [sys.executable, "-c", STEP], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert launch.stdout is not None
    step = int(launch.stdout.readline())
    assert is_alive(step)
    launch.send_signal(number)
    launch.wait(20)
    launch.stdout.close()
    wait_for(lambda: not is_alive(step))


@pytest.mark.skipif(sys.platform != "linux", reason="the state of the make above is read from /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_to_make_alone_reaches_what_it_runs(tmp_path: Path, number: int) -> None:
    """make waits for its recipe on Ctrl-C and passes only SIGTERM on, so the recipe looks."""
    (tmp_path / "recipe.py").write_text(
        "import os, time; from config.supervisor import Make; above = Make()\n"
        "print(os.getpid(), above.is_there, flush=True)\n"
        "while not above.is_stopping(): time.sleep(0.05)\n"
        "print('stopped', flush=True)\n"
    )
    (tmp_path / "Makefile").write_text(f"run:\n\t@{sys.executable} recipe.py\n")
    # Under `make test` a make is above already, and one that knows of it says which folder it enters.
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    make = subprocess.Popen(
        ["make", "run"], cwd=tmp_path, env={**own, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert make.stdout is not None
    pid, is_there = make.stdout.readline().split()
    assert is_there == "True"
    make.send_signal(number)
    assert make.stdout.readline() == "stopped\n"
    make.stdout.close()
    make.wait(20)
    wait_for(lambda: not is_alive(int(pid)))


def test_stopping_ends_what_the_processes_started_too(tmp_path: Path) -> None:
    brood = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    )
    child = supervisor.Child(
        "web",
        [sys.executable, "-c", brood + "print(p.pid, flush=True); time.sleep(60)"],
        dict(os.environ),
        tmp_path / "log",
    )
    child.start()
    wait_for(lambda: (tmp_path / "log").read_text().strip().isdigit())
    grandchild = int((tmp_path / "log").read_text())
    supervisor.stop_all([child])
    assert child.ended()
    wait_for(lambda: not is_alive(grandchild))


def test_a_process_that_keeps_ending_is_given_up_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "print('no such setting'); raise SystemExit(3)"]
    child = supervisor.Child("worker", command, dict(os.environ), tmp_path / "log")
    child.start()
    assert supervisor.supervise([child], supervisor.Make()) == 1
    said = capsys.readouterr().out
    assert said.count("The worker ended (exit 3): no such setting") == 3
    assert f"It ended three times within a minute, so all stops. Its log: {tmp_path / 'log'}" in said
