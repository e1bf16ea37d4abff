"""A prepared query answers as the queryset it is made of would, and remembers nothing of the data."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, QuerySet
from django.test.utils import CaptureQueriesContext

from commands.models import Posting, SecurityCommand
from elections import calendar
from elections.models import Election, Jurisdiction, PhaseWindow
from elections.prepared import prepared
from incidents.models import Entry, Incident
from tests.cast import COMMUNE, DISTRICT, TAKEO


@prepared
def _places(codes: Any) -> QuerySet[Jurisdiction]:
    return Jurisdiction.objects.filter(pcode__in=codes).order_by("pcode")


@prepared
def _of_day(code: Any, day: Any) -> QuerySet[Jurisdiction]:
    return Jurisdiction.objects.current_on(day).filter(pcode=code)


@prepared
def _postings(user: Any, now: Any) -> QuerySet[Posting]:
    found = Posting.objects.current(now).filter(user=user)
    return found.select_related("user", "command__parent", "command__jurisdiction").order_by("pk")


@prepared
def _cases(key: Any) -> QuerySet[Incident]:
    return Incident.objects.filter(pk=key).select_related("assignee", "owner", "place__parent")


@prepared
def _entries(case: Any) -> QuerySet[Entry]:
    return Entry.objects.filter(incident=case).order_by("pk")


def _values(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _is_same(ours: list[Any], theirs: list[Any]) -> bool:
    return [(type(row), _values(row)) for row in ours] == [(type(row), _values(row)) for row in theirs]


@pytest.fixture
def case(cast: Any, make_incident: Callable[..., Incident], now: dt.datetime) -> Incident:
    return make_incident(now=now)


def test_columns_of_every_kind(cast: Any, case: Incident) -> None:
    """Keys that are no numbers, moments, structured values, generated columns, what is empty."""
    assert _is_same(_cases(case.pk), list(Incident.objects.filter(pk=case.pk)))
    assert _is_same(_entries(case.pk), list(Entry.objects.filter(incident=case).order_by("pk")))
    assert _cases(uuid.uuid4()) == []


def test_related_objects_come_along(cast: Any, case: Incident, now: dt.datetime) -> None:
    found, asked = _postings(cast.officer.pk, now), _cases(case.pk)
    with CaptureQueriesContext(connection) as queries:
        assert [(p.user, p.command, p.command.jurisdiction_id) for p in found] == [
            (cast.officer, p.command, p.command.jurisdiction.pcode) for p in found
        ]
        assert [(i.assignee, i.owner.code, i.place.parent.pcode) for i in asked if i.place.parent] == [
            (None, asked[0].owner.code, COMMUNE[:6])
        ]
        assert all(not p._state.adding and p._state.db == "default" for p in found)
    assert not queries


def test_lists_of_any_length(cast: Any) -> None:
    assert [p.pcode for p in _places([TAKEO])] == [TAKEO]
    assert [p.pcode for p in _places([COMMUNE, TAKEO, DISTRICT])] == [TAKEO, DISTRICT, COMMUNE]
    assert _places([]) == []
    assert _places.first([]) is None


@pytest.mark.parametrize("forged", ["KH99' OR 1=1 --", "%s", "%", "ខេត្ត", ""])
def test_values_are_values(cast: Any, forged: str) -> None:
    assert _places([forged, "KH' OR '1'='1"]) == []


def test_what_changed_is_seen_at_once(cast: Any, now: dt.datetime) -> None:
    """The text of the query is kept, never an answer: nobody keeps a posting or a place that has ended."""
    day = now.date()
    assert _of_day.first(COMMUNE, day) and _postings(cast.officer.pk, now)
    Jurisdiction.objects.filter(pcode=COMMUNE).update(valid_to=day)
    SecurityCommand.objects.update(dissolved_on=day)
    assert _of_day.first(COMMUNE, day) is None and _postings(cast.officer.pk, now) == []
    assert _of_day.first(COMMUNE, day - dt.timedelta(days=1))


@pytest.mark.parametrize("days", [-3000, -400, 0, 30, 5000])
def test_the_election_of_a_moment_comes_with_its_windows(cast: Any, now: dt.datetime, days: int) -> None:
    moment = now + dt.timedelta(days=days)
    asked = Election.objects.default_for(moment)
    found = calendar.election_at(moment)
    assert found == asked and found is not None and asked is not None
    by_code = calendar.election_of(found.code)
    assert by_code is not None and calendar.election_of("nothing") is None
    wanted = list(PhaseWindow.objects.filter(election=asked).order_by("starts_at"))
    assert [_values(w) for w in found.windows] == [_values(w) for w in wanted] == [_values(w) for w in by_code.windows]
