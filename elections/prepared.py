"""Queries that Django works out once for each process: what is asked a hundred times a minute with other values.

To turn a queryset into SQL takes the processor five to ten times as long as the database needs to answer it, and the
result is the same text each time. A prepared query keeps the text and what its columns become; each call binds values
and reads the database, so nothing is remembered of the data and nothing can be out of date.

    @prepared
    def _of_code(code: Any) -> QuerySet[Category]:
        return Category.objects.filter(code=code, retired_on=None)

    _of_code.first("CRM-06")

The function is called once with placeholders and may only hand them on to lookups that compare (`=`, `__lt`, `__in`
and the like). A list becomes a list of placeholders; the text is kept for each length. `command__in` would change
placeholders into keys: write `command__pk__in`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import QuerySet, Value
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=models.Model)
#: Django's makers of related objects. Not public: tests/elections/test_prepared.py fails where a version changes them.
_related: Any = get_related_populators
#: What the drivers take in another form than Python's; everything else is handed over as it is.
_FIELDS: dict[type, Any] = {
    dt.datetime: models.DateTimeField(),
    dt.date: models.DateField(),
    UUID: models.UUIDField(),
}


class Slot(Value):
    """A placeholder; its value is where in the arguments the real one stands: (argument, place in its list)."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


@dataclass(frozen=True)
class _Plan:
    """The text of a query, and how to make objects of its rows."""

    sql: str
    params: tuple[Any, ...]
    model: type[models.Model]
    names: list[str]
    columns: slice
    converters: list[tuple[int, tuple[list[Callable[..., Any]], Any]]]
    populators: list[Any]


class Prepared(Generic[M]):
    """See the module. Called with the values it gives the list of objects; `first` one of them or None."""

    def __init__(self, build: Callable[..., QuerySet[M]]) -> None:
        self._build = build
        self._plans: dict[tuple[Any, ...], _Plan | None] = {}

    def __call__(self, *values: Any) -> list[M]:
        shape = (connection.vendor, *(len(v) if isinstance(v, list) else None for v in values))
        if shape not in self._plans:
            self._plans[shape] = _planned(self._build(*_slots(values)))
        plan = self._plans[shape]
        return [] if plan is None else _read(plan, values)

    def first(self, *values: Any) -> M | None:
        return next(iter(self(*values)), None)


def prepared(build: Callable[..., QuerySet[M]]) -> Prepared[M]:
    """Make a prepared query of a function from placeholders to a queryset of whole objects."""
    return Prepared(build)


def _slots(values: Sequence[Any]) -> list[Any]:
    return [
        [Slot((at, place)) for place in range(len(value))] if isinstance(value, list) else Slot((at, None))
        for at, value in enumerate(values)
    ]


def _planned(queryset: QuerySet[M]) -> _Plan | None:
    """As Django's own `ModelIterable` does it; None for what can have no row, as with an empty list."""
    compiler: Any = queryset.query.get_compiler(connection=connection)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return None
    select, info = compiler.select, compiler.klass_info
    columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
    return _Plan(
        sql=sql,
        params=tuple(params),
        model=info["model"],
        names=[column[0].target.attname for column in select[columns]],
        columns=columns,
        converters=list(compiler.get_converters([column[0] for column in select]).items()),
        populators=_related(info, select, connection.alias),
    )


def _read(plan: _Plan, values: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(plan.sql, [_bound(param, values) for param in plan.params])
        rows = [list(row) for row in cursor.fetchall()]
    found = []
    for row in rows:
        for at, (converters, column) in plan.converters:
            for convert in converters:
                row[at] = convert(row[at], column, connection)
        made = plan.model.from_db(connection.alias, plan.names, row[plan.columns])
        for populator in plan.populators:
            populator.populate(row, made)
        found.append(made)
    return found


def _bound(param: Any, values: Sequence[Any]) -> Any:
    if not isinstance(param, Slot):
        return param
    at, place = param.value
    value = values[at] if place is None else values[at][place]
    field = _FIELDS.get(type(value))
    return value if field is None else field.get_db_prep_value(value, connection)
