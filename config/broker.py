"""The embedded broker: Celery's folder of files, where a message is seen whole or not at all.

kombu 5.7 opens a message under its final name, and only then locks and writes it. A reader that lists the folder in
between takes half a message away, and the `JSONDecodeError` ends the worker (seen once in 30 minutes of one worker
with beat). The table of an exchange is read and made in the same way. Here both are written under another name and
moved into place, which the file system does in one step; and a message is read inside its own folder, not through the
shared folder for temporary files.
"""

from __future__ import annotations

import contextlib
import fcntl
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

#: Ends the name of a message that is being written: no queue is called so, and no reader looks at it.
WRITING = ".writing"


class Channel(filesystem.Channel):
    """kombu's channel with writing and taking made atomic."""

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        name = Path(self.data_folder_out) / f"{time_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        try:
            _write_whole(name, dumps(payload))
        except OSError as fault:
            raise ChannelError(f"Cannot add {name}") from fault

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message of `queue`, taken by renaming it: of two readers one succeeds. Raises `Empty`."""
        wanted = f"{queue}.msg"
        folder = Path(self.data_folder_in)
        for name in sorted(entry.name for entry in folder.iterdir()):
            if name.partition(".")[2] != wanted:
                continue
            taken = folder / f"{name}.taken"
            try:
                (folder / name).rename(taken)
            except OSError:  # another reader has it
                continue
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
            return loads(text)
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table(exchange) as path:
            table = self.get_table(exchange)
            if bound not in table:
                _write_whole(path, dumps([bound, *table]))

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        super(filesystem.Channel, self)._delete(queue, exchange, routing_key, pattern, *args, **kwargs)
        gone = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table(exchange) as path:
            table = self.get_table(exchange)
            if gone in table:
                _write_whole(path, dumps([row for row in table if row != gone]))

    @contextlib.contextmanager
    def _table(self, exchange: str) -> Iterator[Path]:
        """The file of an exchange, for one writer at a time; the lock is beside it, since the file is replaced."""
        unknown_to_the_stubs: Any = self
        path: Path = unknown_to_the_stubs._exchange_file(exchange)
        self.control_folder.mkdir(exist_ok=True)
        with path.with_suffix(".lock").open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield path


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_name(f"{uuid.uuid4()}{WRITING}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


class Transport(filesystem.Transport):
    """The scheme `folder` of `CELERY_BROKER_URL`; config/celery.py names it to kombu."""

    Channel = Channel
