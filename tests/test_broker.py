"""The embedded broker: a message is read whole and once, whatever writes and reads at the same time."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.queues import Queue as Results
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection

from config.celery import app

WRITERS, READERS, EACH = 2, 2, 1500
#: Long to write, so that half of it can be seen.
FILL = "x" * 40_000


def channel_at(folder: Path) -> Any:
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder / "control")}
    return Connection(settings.CELERY_BROKER_URL, transport_options=options).default_channel


def write(folder: Path, writer: int) -> None:
    channel = channel_at(folder)
    for number in range(EACH):
        channel._queue_bind("pidbox", "", "", f"answer-{writer}-{number % 20}")
        channel._put("delivery", {"body": [writer, number], "fill": FILL})
        # Readers that lag behind never meet a message under way: they shall wait for it.
        for _ in range(20):
            if channel._size("delivery") <= READERS:
                break
            time.sleep(0.0005)


def read(folder: Path, written: Event, results: Results[Any]) -> None:
    channel = channel_at(folder)
    found: list[list[int]] = []
    try:
        while True:
            is_over = written.is_set()
            channel.get_table("pidbox")
            try:
                found.append(channel._get("delivery")["body"])
            except Empty:
                if is_over:
                    break
        results.put(found)
    except Exception as fault:
        results.put(repr(fault))
        raise


def test_two_writers_and_two_readers_never_see_half_a_message(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    written, results = processes.Event(), processes.Queue()
    readers = [processes.Process(target=read, args=(tmp_path, written, results)) for _ in range(READERS)]
    writers = [processes.Process(target=write, args=(tmp_path, n)) for n in range(WRITERS)]
    for process in (*readers, *writers):
        process.start()
    for process in writers:
        process.join()
    written.set()
    answers = [results.get(timeout=120) for _ in readers]
    for process in readers:
        process.join()
    assert [a for a in answers if isinstance(a, str)] == []
    assert sorted(body for answer in answers for body in answer) == [
        [w, n] for w in range(WRITERS) for n in range(EACH)
    ]
    assert [f.name for f in tmp_path.iterdir() if f.is_file()] == []


def test_a_message_under_way_is_not_there_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, reader = channel_at(tmp_path), channel_at(tmp_path)
    replace, looked = Path.replace, []

    def look_first(draft: Path, target: Path) -> Path:
        with pytest.raises(Empty):
            reader._get("delivery")
        looked.append(draft)
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", look_first)
    writer._put("delivery", {"body": "whole"})
    assert looked
    assert reader._get("delivery")["body"] == "whole"


def test_messages_come_in_the_order_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(10**18, 10**18 + 10**10, 10**9))
    monkeypatch.setattr("config.broker.time_ns", lambda: next(moments))
    channel = channel_at(tmp_path)
    for number in range(5):
        channel._put("delivery", {"body": number})
    channel._put("reports", {"body": "of another queue"})
    assert [channel._get("delivery")["body"] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(Empty):
        channel._get("delivery")


def test_a_queue_unbound_from_an_exchange_is_gone_from_its_table(tmp_path: Path) -> None:
    channel = channel_at(tmp_path)
    for queue in ("a", "b", "a"):
        channel._queue_bind("pidbox", "", "", queue)
    channel._delete("a", "pidbox", "", "")
    assert [row.queue for row in channel.get_table("pidbox")] == ["b"]


def test_celery_uses_it_where_there_is_no_redis() -> None:
    with app.connection_for_write() as used:
        assert type(used.transport).__module__ == "config.broker"
