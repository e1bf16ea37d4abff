"""How late steps fire while people report and act as on polling day: fired minus due, against a tick and a second.

    python -m benchmarks.lateness [--seconds 60] [--share 0.25] [--every 15]

`--share` of the load of domain 10 at its peak (50 requests a second, 400 reports an hour for each of 25 provinces) on a
PostgreSQL of its own: one `escalate --loop`, one sender, people in processes of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests import services

ROOT = Path(__file__).resolve().parent.parent
#: Acts a second of the whole country at the peak.
PEAK = 50.0
#: What one process of people does a second at most, thinking between acts.
ONE_PERSON = 4.0


def main() -> int:
    """Start the servers and run the measurement as a test, whose database and people it shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--share", type=float, default=0.25)
    parser.add_argument("--every", type=float, default=15)
    options = parser.parse_args()
    server = services.start_postgres()
    people = max(1, round(PEAK * options.share / ONE_PERSON))
    env = {
        **os.environ,
        "TEST_DATABASE": "postgres",
        "TEST_POSTGRES_URL": server.url,
        "LATENESS": f"{options.seconds} {people} {options.every}",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "tests/chaos/test_lateness.py"]
    try:
        return subprocess.run(command, cwd=ROOT, env=env).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
