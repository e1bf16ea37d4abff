"""A process that has loaded the product once and forks what the stage asks for, so that a killed worker is back in
milliseconds and kills fall into its work, not into its start.

python -m tests.chaos.nursery    reads one JSON line for each child: {"role": …, "log": …, …}; answers with its pid
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


def _child(asked: dict[str, Any]) -> None:
    from django.db import connections

    from tests.chaos import roles

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    connections.close_all()
    getattr(roles, asked.pop("role"))(**asked.pop("options"))


def main() -> None:
    """Until the other end closes its pipe."""
    import django

    django.setup()
    # What a child would import at once is imported here.
    from tests.chaos import roles  # noqa: F401

    # Children are reaped by the system.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        Path(asked["log"]).touch()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _child(asked)
                code = 0
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
