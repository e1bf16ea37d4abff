"""Logging one incident over HTTP, against a bare Django view that does one INSERT."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import string
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from benchmarks.client import Client
from benchmarks.measure import Row, Spread, at_most, shown, take_turns
from benchmarks.stage import Site, Stage

#: Cases the database holds beforehand.
SIZE = 1_000
ROUNDS = 300
#: Requests at once for the throughput, and seconds it is measured.
AT_ONCE = 8
SECONDS = 6.0
GOAL = 3.0
_STORY = (
    "A motorbike was taken from the yard of the school while its owner was inside. Neighbours saw two people leave."
)


def measure(stage: Stage, *, size: int = SIZE, rounds: int = ROUNDS, seconds: float = SECONDS) -> list[Row]:
    """Form and API against both floors, with the disk's promise kept and without; throughput; what the time goes to."""
    rows: list[Row] = []
    database = stage.database(size)
    try:
        bare, signed_in = stage.site(database, floor="bare"), stage.site(database, floor="signed-in")
        product = stage.site(database)
        calls = _calls(product, bare, signed_in)
        stage.make_durable()
        rows += _compared(calls, rounds, "")
        rows += _throughput(product, bare, seconds)
        stage.make_forgetful()
        rows += _compared(calls, rounds, ", commits not waiting for the disk")
    finally:
        stage.make_forgetful()
        stage.stop_sites()
    return rows + _breakdown(stage, database)


def measure_embedded(stage: Stage, *, size: int = SIZE, rounds: int = ROUNDS) -> list[Row]:
    """The same on the embedded set-up, floors too."""
    database = stage.embedded(size)
    try:
        bare, signed_in = stage.site(database, floor="bare"), stage.site(database, floor="signed-in")
        calls = _calls(stage.site(database), bare, signed_in)
        return _compared(calls, rounds, " on SQLite") + _breakdown(stage, database, " on SQLite")
    finally:
        stage.stop_sites()


def _compared(calls: dict[str, Callable[[], float]], rounds: int, how: str) -> list[Row]:
    taken = {
        name: Spread.of(seconds) for name, seconds in take_turns(calls, rounds=rounds, warm_up=min(30, rounds)).items()
    }
    rows = []
    for name, label in (("form", "Report by the form"), ("api", "Report through the API")):
        for floor, words in (("bare", "bare INSERT"), ("signed-in", "INSERT by a signed-in person")):
            ratio = taken[name].p50 / taken[floor].p50
            goal, is_met = at_most(GOAL, ratio) if floor == "bare" and not how else ("", None)
            rows.append(
                Row(
                    what=label + how, value=str(taken[name]), against=words, base=str(taken[floor]), ratio=ratio,
                    goal=goal, is_met=is_met,
                )
            )  # fmt: skip
    return rows


def _calls(product: Site, bare: Site, signed_in: Site) -> dict[str, Callable[[], float]]:
    """Each call reports as the next officer; officers sit in districts all over the country."""
    names = list(product.facts["reporters"])
    forms = _taking_turns(product.browser, names)
    systems = _taking_turns(product.system, names)
    others = _taking_turns(signed_in.browser, names)
    nobody = Client(bare.port)
    places = product.facts["reporters"]

    def form() -> float:
        name, client = next(forms)
        return client.post_form("/incidents/new/", filled_form(places[name]), expected=(302,))

    def api() -> float:
        name, client = next(systems)
        return client.post_json("/api/v1/incidents/", report_of(places[name]), expected=(201,))

    def floor() -> float:
        return nobody.post_form("/insert", filled_form(places[names[0]]), expected=(201,))

    def floor_signed_in() -> float:
        name, client = next(others)
        return client.post_form("/signed-in/insert", filled_form(places[name]), expected=(201,))

    return {"bare": floor, "form": form, "signed-in": floor_signed_in, "api": api}


def _taking_turns(make: Callable[[str], Client], names: list[str]) -> Iterator[tuple[str, Client]]:
    return itertools.cycle([(name, make(name)) for name in names])


def _story() -> str:
    """One of its own for each report: the same words twice are one report to the product."""
    return f"{_STORY} Seen by {''.join(random.choices(string.ascii_lowercase, k=12))}."


def filled_form(place: dict[str, str]) -> dict[str, str]:
    """The fields a browser posts for a theft that happened just now."""
    return {
        "id": str(uuid4()),
        "step": "send",
        "category": "CRM-06",
        "severity": "medium",
        "when": "now",
        "time_precision": "minutes",
        "point_precision": "area",
        "actor_type": "unknown",
        "province": place["province"],
        "district": place["district"],
        "commune": place["commune"],
        "narrative": _story(),
        **dict.fromkeys(("killed", "injured", "stations_affected", "minutes_stopped", "voters_affected"), "0"),
    }


def report_of(place: dict[str, str]) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "category": "CRM-06",
        "severity": "medium",
        "occurred_at": dt.datetime.now(dt.UTC).isoformat(),
        "place": place["commune"],
        "narrative": _story(),
    }


def _throughput(product: Site, bare: Site, seconds: float) -> list[Row]:
    """Requests a second with AT_ONCE people at once."""
    names = list(product.facts["reporters"])[:AT_ONCE]
    places = product.facts["reporters"]

    def forms(name: str) -> Callable[[], float]:
        client = product.browser(name)
        return lambda: client.post_form("/incidents/new/", filled_form(places[name]), expected=(302,))

    def inserts(name: str) -> Callable[[], float]:
        client = Client(bare.port)
        return lambda: client.post_form("/insert", filled_form(places[name]), expected=(201,))

    rates = {}
    for kind, make in (("bare", inserts), ("form", forms)):
        rates[kind] = _rate([make(name) for name in names], seconds)
    ratio = rates["form"] / rates["bare"]
    return [
        Row(
            what=f"Reports by {AT_ONCE} people at once", value=f"{shown(rates['form'])} a second",
            against="bare INSERT", base=f"{shown(rates['bare'])} a second", ratio=ratio,
        )
    ]  # fmt: skip


def _rate(calls: list[Callable[[], float]], seconds: float) -> float:
    """Calls a second, all of `calls` repeated side by side for `seconds`."""
    done = [0] * len(calls)
    end = time.monotonic() + seconds

    def repeat(at: int) -> None:
        while time.monotonic() < end:
            calls[at]()
            done[at] += 1

    threads = [threading.Thread(target=repeat, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def _breakdown(stage: Stage, database: str, how: str = "") -> list[Row]:
    told = json.loads(stage.run("-m", "benchmarks.breakdown", database=database))
    return [
        Row(
            what=f"One report by the {kind}{how}, in one process without HTTP",
            value=f"{shown(part['ms'])} ms, of which {shown(part['database_ms'])} ms in {part['queries']} queries",
        )
        for kind, part in told.items()
    ]
