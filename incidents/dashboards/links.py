"""The way from a number to its cases: the address of the list that counts exactly what the number counts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from incidents.choices import OPEN
from incidents.dashboards import measures
from incidents.filters import ALL, ENDED, LATE, OPEN_GROUP, CaseFilter

_OPEN_STATES = {str(state) for state in OPEN}


def listing(asked: CaseFilter, **cases: Any) -> str | None:
    """The query string of the cases that are asked for and, of these, those that `cases` narrows to.

    A number of the page is counted within the filters in force, so a filter that says the same thing more closely stays
    (severity, state, owner). None where nothing can be listed, or no filter says it: "late" of one state only.
    """
    narrowed: dict[str, Any] = {}
    for name, wanted in cases.items():
        given = getattr(asked, name)
        value = _states(given, wanted) if name == "state" else _both(name, given, wanted)
        if value is None:
            return None
        narrowed[name] = value
    return asked.query_string(**narrowed)


def listing_of(name: str, asked: CaseFilter) -> str | None:
    """The query string that lists exactly the cases measure `name` counts under the filters `asked`."""
    cases = measures.MEASURES[name].cases
    return None if cases is None else listing(asked, **cases)


def listing_since(asked: CaseFilter, day: dt.date) -> str | None:
    """The query string of all that was reported from `day` on, of whatever state."""
    if asked.reported_to and asked.reported_to < day:
        return None
    first = max(asked.reported_from or day, day)
    return asked.query_string(state=asked.state or (ALL,), reported_from=first)


def _both(name: str, given: Any, wanted: Any) -> Any:
    """What both ask for; None where that is nothing. Of two places, one inside the other, the closer."""
    if not given:
        return wanted
    if isinstance(wanted, tuple):
        groups = given if name == "category" else ()
        return tuple(value for value in wanted if value in given or value[:3] in groups) or None
    if name == "place":
        closer, wider = sorted((str(given), str(wanted)), key=len, reverse=True)
        return closer if closer.startswith(wider) else None
    return wanted if given == wanted else None


def _states(given: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...] | None:
    """`wanted` is ("open",) or ("late",)."""
    if not given or ALL in given or OPEN_GROUP in given:
        return wanted
    if wanted == (LATE,):
        others = [name for name in given if name in _OPEN_STATES]
        return None if others or LATE not in given else wanted
    return tuple(name for name in given if name != ENDED and (name == LATE or name in _OPEN_STATES)) or None
