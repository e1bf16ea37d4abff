"""The processes of `make run`: starts, watches and stops them. The launcher turns into this when all is prepared.

python -m config.supervisor HOST PORT VAR_DIR DEMO BEGUN    BEGUN is the monotonic moment the launcher began at
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from config.launcher import PYTHON, QUEUES, ROOT, Stop, die_with_parent, in_words, last_line, say


class Child:
    """One of the processes, in a process group of its own so that stopping it stops all it started."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path) -> None:
        self.name, self.command, self.env, self.log = name, command, env, log
        self.starts: list[float] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.starts.append(time.monotonic())
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, env=self.env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, preexec_fn=die_with_parent,
            )  # fmt: skip

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def signal(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def may_start_again(self) -> bool:
        """At most three starts in a minute: a process that cannot live is reported, not tried for ever."""
        return sum(time.monotonic() - at < 60 for at in self.starts) < 3


def commands(host: str, port: int, var: Path) -> dict[str, list[str]]:
    """The processes of a running system; docker-compose.yml starts the same ones."""
    python = str(PYTHON)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    web = [python, "-m", "gunicorn", "config.wsgi:application", "--bind", bind, "--workers", "1"]
    web += ["--worker-class", "gthread", "--threads", "8", "--no-control-socket", "--timeout", "60"]
    worker = [python, "-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", "2", "-B", "-Q", QUEUES]
    worker += ["-s", str(var / "celery" / "beat-schedule"), "--without-gossip", "--without-mingle", "-l", "WARNING"]
    return {"web": web, "worker": worker, "watchdog": [python, str(ROOT / "manage.py"), "watchdog", "--loop"]}


def wait_until_up(host: str, port: int, children: list[Child]) -> None:
    address = "http://{}:{}/healthz".format("127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104
    # A proxy of the environment is for the way out, not for this machine.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(300):
        try:
            direct.open(address, timeout=2).close()
            return
        except OSError:
            pass
        dead = next((c for c in children if c.name == "web" and c.ended()), None)
        if dead:
            raise Stop(f"The web server did not start: {last_line(tail(dead.log))} (all of it: {dead.log})")
        time.sleep(0.1)
    raise Stop("The web server did not answer within 30 s; see var/log/web.log")


def tail(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")[-4000:]
    return ""


def supervise(children: list[Child], above: Make) -> int:
    """Watch until asked to stop; start again what ended, and give up clearly on what keeps ending."""
    while not above.is_stopping():
        time.sleep(0.5)
        for child in children:
            if not child.ended():
                continue
            assert child.process is not None  # noqa: S101
            say(f"The {child.name} ended (exit {child.process.returncode}): {last_line(tail(child.log))}")
            if not child.may_start_again():
                say(f"It ended three times within a minute, so all stops. Its log: {child.log}")
                return 1
            child.signal(signal.SIGTERM)
            child.start()
            say(f"The {child.name} was started again.")
    return 0


def stop_all(children: list[Child]) -> None:
    """Ask every process group to end, wait up to 10 s, then make it."""
    for child in children:
        child.signal(signal.SIGTERM)
    end = time.monotonic() + 10
    for child in children:
        if child.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, end - time.monotonic()))
            child.signal(signal.SIGKILL)


class Make:
    """The `make` above, if there is one: told to stop, it waits for its recipe and passes neither Ctrl-C nor death on.

    Ctrl-C in a terminal reaches everybody; a signal to make alone, from a supervisor or a script, does not.
    """

    def __init__(self) -> None:
        self.pid = os.getppid()
        self.is_there = "make" in self._read("comm")

    def _read(self, name: str) -> str:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{self.pid}/{name}").read_text()
        return ""

    def is_stopping(self) -> bool:
        """Gone, or inside its handler of SIGINT, which the kernel shows as that signal blocked. Linux only."""
        if not self.is_there:
            return False
        blocked = re.search(r"^SigBlk:\s*(\w+)", self._read("status"), re.MULTILINE)
        caught = blocked and int(blocked[1], 16) >> (signal.SIGINT - 1) & 1
        return os.getppid() != self.pid or bool(caught)


def run(host: str, port: int, var: Path, *, demo: bool, begun: float) -> int:
    """Start everything, say where it is, and watch it until Ctrl-C."""
    env, above = dict(os.environ), Make()
    children = [
        Child(name, command, env, var / "log" / (name + ".log")) for name, command in commands(host, port, var).items()
    ]
    try:
        for child in children:
            child.start()
        accounts = ""
        if demo:
            listing = [str(PYTHON), str(ROOT / "manage.py"), "demo_accounts"]
            accounts = subprocess.run(listing, env=env, cwd=ROOT, capture_output=True, text=True).stdout
        wait_until_up(host, port, children)
        say(f"ready after {time.monotonic() - begun:.0f} s in all")
        if accounts:
            say(accounts.rstrip())
        say(f"\nOpen {env['SITE_URL']}\nCtrl-C stops everything; the data stays in {var}")
        return supervise(children, above)
    except KeyboardInterrupt:
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        say("\nStopping … ", end="")
        stop_all(children)
        say("stopped. Nothing is lost; make run goes on from here.")


if __name__ == "__main__":
    host, port, var, demo, begun = sys.argv[1:]
    sys.exit(in_words(lambda: run(host, int(port), Path(var), demo=demo == "1", begun=float(begun))))
