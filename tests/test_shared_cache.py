"""The shared cache: in Redis while it answers, in the process's own memory while it is away, and back again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config import shared_cache
from config.shared_cache import SharedCache
from tests import services


@pytest.fixture(autouse=True)
def asked_at_once() -> Iterator[None]:
    shared_cache._asks_again[0] = 0.0
    yield
    shared_cache._asks_again[0] = 0.0


def test_two_processes_share_what_redis_keeps(redis_url: str) -> None:
    SharedCache(redis_url, {}).set("tries", 3)
    assert SharedCache(redis_url, {}).incr("tries") == 4


def test_limits_go_on_to_hold_in_a_process_while_redis_is_away(redis_url: str) -> None:
    away = SharedCache(f"redis://127.0.0.1:{services.free_port()}/0", {})
    away.set("tries-away", 1)
    assert away.incr("tries-away") == 2
    assert away.get("tries-away") == 2
    assert away.get("unknown", "nothing") == "nothing"
    assert not away.has_key("unknown")
    assert away.add("tries-away", 9) is False
    assert away.touch("tries-away")
    assert away.delete("tries-away")


def test_redis_is_asked_again_after_a_pause(redis_url: str) -> None:
    away = SharedCache(f"redis://127.0.0.1:{services.free_port()}/0", {})
    away.set("kept", "here")
    back = SharedCache(redis_url, {})
    assert back.get("kept") == "here", "while it rests, the memory of the process answers"
    shared_cache._asks_again[0] = 0.0
    assert back.get("kept") is None
    back.set("kept", "there")
    assert back.get("kept") == "there"
    back.clear()
    assert back.get("kept") is None
