"""What `make run`, `make setup` and the like start: everything from a bare Python to a running system.

Standard library only, and syntax that old Pythons can read, so that the sentence about an old Python is reached.
Every step leaves a stamp of what it worked on; a step whose stamp still fits is skipped, so a second start is quick.
Run as a file (`python3 config/launcher.py run`), never imported by the product; one file, because a bare Python cannot
import the package around it, which needs Celery.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NoReturn

# Run as a file, the folder of this one comes first on the path, and its celery.py would hide Celery.
sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DATA = ("elections/data", "incidents/data", "elections/importing.py", "commands/importing.py", "incidents/taxonomy.py")
QUEUES = "escalation,delivery,reports,celery"
#: What a first start takes on disk: packages 270 MB, pages' files 40, wheels in pip's cache 100, data 30, and some air.
FIRST_START_MB = 600


class Stop(Exception):
    """A reason not to go on, as one sentence for the person at the terminal."""


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)


# ---- Is this machine fit ----


def check_python() -> None:
    """Stop under an old Python, unless a new enough one is on the PATH: then start again with it."""
    if sys.version_info >= OLDEST:
        return
    for minor in range(19, OLDEST[1] - 1, -1):
        newer = shutil.which("python3.%d" % minor)  # noqa: UP031
        if newer:
            os.execv(newer, [newer, *sys.argv])  # noqa: S606
    raise Stop(
        "Python {}.{} or newer is needed and this is {}.{}: install it, or name it: make run PYTHON=python3.12".format(
            *OLDEST, *sys.version_info[:2]
        )
    )


def check_system() -> None:
    if os.name == "nt":
        raise Stop("This runs on Linux and macOS; on Windows use WSL.")


def check_folder(folder: Path) -> None:
    """Stop where `folder` cannot be made or written to."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise Stop(f"The folder {folder} cannot be written to ({error.strerror}).") from None


def check_space(folder: Path, needed_mb: int) -> None:
    """Stop where a first start would fill the disk half-way."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < needed_mb:
        raise Stop(f"The first start needs {needed_mb} MB of disk and {folder} has {free} MB free: make room first.")


def check_port(host: str, text: str) -> int:
    """The port as a number. Stops where it is none, taken or not allowed, or the address is not of this machine."""
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < port < 65536:
        raise Stop(f"{text!r} is not a port: choose one from 1024 to 65535, as in make run PORT=8001")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise Stop(
                f"Port {port} needs rights you do not have: choose one above 1023, as in make run PORT=8000"
            ) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Stop(
                    f"This machine has no address {host}: leave HOST out, or HOST=0.0.0.0 for all it has."
                ) from None
            raise Stop(
                f"Port {port} is taken by another program: choose another, as in make run PORT={port % 65535 + 1}"
            ) from None
    return port


# ---- Stamps: what has been done already ----


def digest(*parts: str | Path) -> str:
    """SHA-256 over texts and over every file at or under the paths, names included."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            total.update(part.encode())
            continue
        for path in [part] if part.is_file() else sorted(part.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(str(path.relative_to(ROOT)).encode())
                total.update(path.read_bytes())
    return total.hexdigest()


class Stamps:
    """Remembered digests, a small file for each step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fits(self, step: str, value: str) -> bool:
        with contextlib.suppress(OSError):
            return (self.folder / step).read_text() == value
        return False

    def put(self, step: str, value: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / step).write_text(value)


# ---- Virtual environment and packages ----


def make_environment(requirements: str) -> None:
    """A virtual environment with exactly what `requirements` locks, checked by hash. Quick when it is there already."""
    lock, dev = ROOT / requirements, ROOT / "requirements-dev.txt"
    stamps, wanted = Stamps(VENV / ".installed"), digest(lock, sys.version)
    has_all = stamps.fits(requirements, wanted) or stamps.fits(dev.name, digest(dev, sys.version))
    if has_all and works("-c", ""):
        return
    # Without pip it was left half made, by a power cut or an impatient hand.
    if not works("-m", "pip", "--version"):
        check_space(ROOT, FIRST_START_MB)
        begun = time.monotonic()
        say("Making the virtual environment … ", end="")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
        if made.returncode:
            say("")
            if "ensurepip" in made.stdout + made.stderr:
                raise Stop("This Python lacks its venv module; on Debian and Ubuntu: apt-get install python3-venv")
            raise Stop("The virtual environment could not be made: " + last_line(made.stderr or made.stdout))
        say(f"{time.monotonic() - begun:.0f} s")
    install(lock)
    stamps.put(requirements, wanted)


def works(*arguments: str) -> bool:
    """Whether the environment's Python is there and runs this without a fault."""
    return PYTHON.exists() and not subprocess.run([PYTHON, *arguments], capture_output=True).returncode


def install(lock: Path) -> None:
    """pip install with a line of progress; only ready-made wheels, so no compiler is ever asked for."""
    names = re.findall(r"^([A-Za-z0-9][\w.-]*)==", lock.read_text(), re.MULTILINE)
    begun = time.monotonic()
    say(f"Installing {len(names)} packages ", end="")
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    command += ["--only-binary", ":all:", "-r", str(lock)]
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        if line.startswith("Collecting"):
            say(".", end="")

    if each_line(command, hear):
        say("")
        raise Stop(why_pip_failed(lines))
    say(f" {time.monotonic() - begun:.0f} s")


def each_line(command: list[str], hear: Callable[[str], object], env: dict[str, str] | None = None) -> int:
    """Run a command to its end, hearing each line it says; returns its exit code. It never outlives this process."""
    with subprocess.Popen(
        command, env=env, cwd=ROOT, text=True, errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, preexec_fn=die_with_parent,
    ) as process:  # fmt: skip
        assert process.stdout is not None  # noqa: S101
        try:
            for line in process.stdout:
                hear(line.strip())
        except BaseException:
            process.terminate()
            raise
    return process.returncode


def why_pip_failed(lines: list[str]) -> str:
    text = "\n".join(lines)
    if "No space left" in text:
        return "The disk is full: make room and start again."
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if re.search(r"NewConnectionError|Temporary failure in name|Network is unreachable|timed out|ProxyError", text):
        return "The packages could not be fetched: there is no way to the package index from here."
    if missing:
        return (
            "There is no ready-made package of {} for Python {}.{} on this kind of machine; "
            "nothing is compiled here, so use another Python version.".format(missing[1], *sys.version_info[:2])
        )
    errors = [x for x in lines if x.startswith("ERROR")]
    return "The packages could not be installed: " + (errors or lines or ["no reason given"])[-1]


def last_line(text: str) -> str:
    lines = [x.strip() for x in text.splitlines() if x.strip()]
    return lines[-1] if lines else "no reason given"


# ---- Settings of this folder ----


def read_env(path: Path) -> dict[str, str]:
    """The NAME=value lines of a file; empty when it is not there."""
    with contextlib.suppress(OSError):
        pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line and line[0] != "#")
        return {name.strip(): value.strip() for name, _, value in pairs}
    return {}


def check_administrator(env: dict[str, str], var: Path) -> None:
    """Stop before minutes of work where an empty system could not ask for its first administrator at the end of it."""
    told = env.get("FIRST_ADMIN_USERNAME") and env.get("FIRST_ADMIN_PASSWORD")
    if not told and not sys.stdin.isatty() and not (env.get("DATABASE_URL") or (var / "db.sqlite3").exists()):
        raise Stop(
            "An empty system needs a first administrator: start it in a terminal, which asks, "
            "or set FIRST_ADMIN_USERNAME and FIRST_ADMIN_PASSWORD."
        )


def make_keys(var: Path, demo: str) -> bool:
    """Write var/local.env with keys of its own, readable by its owner only; True where this is a demonstration.

    A folder stays what it was made as: demonstration cases and real ones are never mixed.
    """
    path = var / "local.env"
    known = read_env(path)
    if known:
        is_demo = known.get("DEMO", "0") in ("1", "true", "True")
        if demo and (demo == "1") != is_demo:
            kind, other = ("a demonstration", "var-real") if is_demo else ("real data", "var-demo")
            raise Stop(
                f"{var} holds {kind}, which stays as it is: choose another folder, "
                f"as in make run DEMO={demo} VAR_DIR={var.parent / other}"
            )
        return is_demo
    is_demo = demo != "0"
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    # Whole or not at all: half a file would be a folder without keys.
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            "# Made by `make run` for this folder. Keep IDENTITY_KEYS: without it protected identities stay closed.\n"
        )
        file.write(f"SECRET_KEY={secrets.token_urlsafe(50)}\nIDENTITY_KEYS={key}\nDEMO={int(is_demo)}\n")
    part.replace(path)
    return is_demo


def environment(var: Path, host: str, port: int) -> dict[str, str]:
    """What the started processes see: this folder, no debugging, plain HTTP unless told otherwise."""
    env = {"HTTPS": "0", "SITE_URL": "http://{}:{}".format("127.0.0.1" if host == "0.0.0.0" else host, port)}  # noqa: S104
    env.update(os.environ)
    env.update({"VAR_DIR": str(var), "DEBUG": "0", "HASHED_STATIC": "1", "DJANGO_SETTINGS_MODULE": "config.settings"})
    env.update({"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)})
    if host == "0.0.0.0":  # noqa: S104
        env.setdefault("ALLOWED_HOSTS", "*")
    return env


# ---- Preparing ----


def manage(env: dict[str, str], *arguments: str, ask: bool = False, until: str = "") -> None:
    """Run a management command, or a module after `-m`; with `ask` it may talk to the person.

    With `until` its lines are shown as they come, each in place of the last on a terminal, up to the one that begins
    so. Stops with the last line of what it said when it fails.
    """
    command = [str(PYTHON), *([] if arguments[0] == "-m" else [str(ROOT / "manage.py")]), *arguments]
    log = Path(env["VAR_DIR"]) / "log" / "setup.log"
    if ask:
        asked = subprocess.run(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        if asked.returncode:
            reason = last_line(asked.stderr).removeprefix("CommandError: ")
            raise Stop(reason + " Without an administrator nobody can sign in, so nothing was started.")
        return
    said: list[str] = []
    live = bool(until) and sys.stdout.isatty()

    def hear(line: str) -> None:
        said.append(line)
        if until and not any(x.startswith(until) for x in said):
            say(f"\r\033[K  {line}" if live else f"  {line}", end="" if live else "\n")

    code = each_line(command, hear, env)
    if live:
        say("\r\033[K", end="")
    if code < 0:
        raise Stop(f"{arguments[0]} was ended from outside (signal {-code}), perhaps for want of memory: start again.")
    if code:
        with contextlib.suppress(OSError):
            log.write_text("\n".join(said))
        reason = last_line("\n".join(said))
        if "disk is full" in reason or "No space left" in reason:
            raise Stop("The disk is full: make room and start again.")
        raise Stop(f"{arguments[0]}: {reason} (all of it: {log})")


def prepare(env: dict[str, str], var: Path, *, demo: bool) -> None:
    """Texts, static files, tables, the country, and the demonstration or the first administrator."""
    # What is made of the sources alone is made once for all data folders.
    stamps, shared = Stamps(var / "stamps"), Stamps(VENV / ".installed")
    database = env.get("DATABASE_URL") or str(var / "db.sqlite3")
    if not env.get("DATABASE_URL") and not Path(database).exists():
        shutil.rmtree(stamps.folder, ignore_errors=True)
    migrations = digest(database, *(ROOT / app / "migrations" for app in ("elections", "commands", "incidents")))
    packages = digest(ROOT / "requirements.txt")
    steps = [
        ("Compiling the Khmer texts", "messages", digest(ROOT / "locale"), ["-m", "config.texts", "compile"]),
        (
            "Collecting the pages' files",
            "static",
            digest(ROOT / "static", packages, str((ROOT / "staticfiles" / "staticfiles.json").exists())),
            ["collectstatic", "--noinput", "--clear", "-v0"],
        ),
        ("Making the tables", "migrations", migrations + packages, ["migrate", "--noinput", "-v0"]),
        (
            "Loading the country",
            "reference",
            digest(database, *(ROOT / part for part in DATA)),
            ["load_reference", "-v0"],
        ),
    ]
    if demo:
        steps.append(("Making the demonstration", "demo", digest(database), ["seed_demo"]))
    for title, stamp, value, command in steps:
        kept = shared if stamp in ("messages", "static") else stamps
        if kept.fits(stamp, value):
            continue
        begun = time.monotonic()
        talks = stamp == "demo"
        say(f"{title} … ", end="\n" if talks else "")
        try:
            manage(env, *command, until="Accounts" if talks else "")
        except Stop:
            say("")
            raise
        if stamp == "static":
            value = digest(ROOT / "static", packages, "True")
        kept.put(stamp, value)
        say(f"{'  ' * talks}{time.monotonic() - begun:.0f} s")
    if not demo and not stamps.fits("administrator", digest(database)):
        manage(env, "first_administrator", ask=True)
        stamps.put("administrator", digest(database))


# ---- Living and ending together ----


def die_with_parent() -> None:
    """On Linux the kernel ends the child when the launcher is killed outright."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def only_one(var: Path) -> IO[str]:
    """Hold the folder; two sets of processes on one folder would fight over its queue."""
    import fcntl

    lock = (var / "run.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        raise Stop(
            "It is running already from {} (process {}).".format(var, lock.read().strip() or "unknown")
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def run(arguments: argparse.Namespace) -> NoReturn:
    """`make run`: everything up to the start of the processes, which `config.supervisor` starts and watches."""
    begun = time.monotonic()
    var = Path(arguments.var or os.environ.get("VAR_DIR") or ROOT / "var").resolve()
    if arguments.demo not in ("", "0", "1"):
        raise Stop(f"DEMO is 1 (made cases to look around in) or 0 (empty, for real ones), not {arguments.demo!r}.")
    check_folder(ROOT)
    check_folder(var)
    port = check_port(arguments.host, arguments.port)
    held = only_one(var)
    make_environment("requirements.txt")
    demo = make_keys(var, arguments.demo)
    env = environment(var, arguments.host, port)
    for folder in ("log", "celery/queue", "celery/control", "media"):
        (var / folder).mkdir(parents=True, exist_ok=True)
    if not demo:
        check_administrator(env, var)
    prepare(env, var, demo=demo)
    say("Starting … ", end="")
    # The same process goes on with the environment's Python, so make and signals still find it; the lock goes along.
    os.set_inheritable(held.fileno(), True)
    os.chdir(ROOT)
    what = [arguments.host, str(port), str(var), str(int(demo)), str(begun)]
    os.execve(PYTHON, [str(PYTHON), "-m", "config.supervisor", *what], env)  # noqa: S606


def interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def in_words(work: Callable[[], int]) -> int:
    """Do it and return its exit code; what stops it is one sentence, and a signal is no fault."""
    try:
        # SIGINT too: a shell without job control starts what stands before an & with it ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, interrupted)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # which nohup asks for
            signal.signal(signal.SIGHUP, interrupted)
        return work()
    except Stop as reason:
        print(reason, file=sys.stderr)
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"{error.strerror or error}{where}: nothing was lost; mend that and start again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped; what is done is kept, and make run goes on from there.")
        return 0


def setup(arguments: argparse.Namespace) -> int:
    """`make setup`: the virtual environment with what the tests and checks need."""
    check_folder(ROOT)
    make_environment(arguments.requirements)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    doors = parser.add_subparsers(dest="door", required=True)
    runs = doors.add_parser("run")
    runs.add_argument("--port", default="8000")
    runs.add_argument("--host", default="127.0.0.1")
    runs.add_argument("--demo", default="")
    runs.add_argument("--var", default="")
    runs.set_defaults(do=run)
    sets = doors.add_parser("setup")
    sets.add_argument("--requirements", default="requirements-dev.txt")
    sets.set_defaults(do=setup)

    def work() -> int:
        check_python()
        check_system()
        arguments = parser.parse_args()
        return int(arguments.do(arguments))

    return in_words(work)


if __name__ == "__main__":
    sys.exit(main())
