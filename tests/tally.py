"""A pytest plugin of `tests.everything`: writes how many tests passed, failed and could not run to $TALLY_FILE."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats = terminalreporter.stats
    skipped = [str(r.longrepr) for r in stats.get("skipped", [])]
    counts = {
        "passed": len(stats.get("passed", [])),
        "failed": len(stats.get("failed", [])),
        "errors": len(stats.get("error", [])),
        "could not run": sum("could not run: " in reason for reason in skipped),
        "skipped": sum("could not run: " not in reason for reason in skipped),
    }
    Path(os.environ["TALLY_FILE"]).write_text(json.dumps(counts))
