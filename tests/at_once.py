"""Several deeds at the same moment, as several workers or people do them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Each deed in a thread with a connection of its own, all let go together; what each gave, or what it raised."""
    gate, given = threading.Barrier(len(deeds)), list[Any]([None] * len(deeds))

    def run(number: int, deed: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(10)
            given[number] = deed()
        except BaseException as fault:  # handed to the test, which a thread cannot fail
            given[number] = fault
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "one of them waits for ever"
    return given


def raised_at_once(*deeds: Callable[[], Any]) -> list[BaseException]:
    """What those raised that did not come through."""
    return [given for given in at_once(*deeds) if isinstance(given, BaseException)]
