"""The cache in Redis that may be away: what people do must not fail because a memory of counters does not answer.

While Redis is away each process keeps its own memory, so that limits on requests go on to hold, each for itself;
sessions are in the database besides.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

#: After a failure Redis is not asked for so long: one that takes connections and is silent costs its time limit a time.
PAUSE_SECONDS = 10.0
#: When this process asks again, as a reading of the monotonic clock. One for all threads.
_asks_again: list[float] = [0.0]


class SharedCache(BaseCache):
    """Redis where it answers, else the memory of this process. Takes what Django's own backend for Redis takes."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._there = RedisCache(location, params)
        self._here = LocMemCache("while the shared cache is away", {k: v for k, v in params.items() if k != "OPTIONS"})

    def _ask(self, do: Callable[[BaseCache], Any]) -> Any:
        if time.monotonic() >= _asks_again[0]:
            try:
                return do(self._there)
            except (RedisError, OSError) as fault:
                _asks_again[0] = time.monotonic() + PAUSE_SECONDS
                log.warning("The shared cache is away: %s", fault)
        return do(self._here)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._ask(lambda cache: cache.add(key, value, timeout, version)))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._ask(lambda cache: cache.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._ask(lambda cache: cache.set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._ask(lambda cache: cache.touch(key, timeout, version)))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._ask(lambda cache: cache.delete(key, version)))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return int(self._ask(lambda cache: cache.incr(key, delta, version)))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return bool(self._ask(lambda cache: cache.has_key(key, version)))

    def clear(self) -> None:
        self._ask(lambda cache: cache.clear())
