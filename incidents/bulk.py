"""Many rows in one statement, as plain values: what an object for each row would take ten times as long to write.

For the engine's batches and made data. PostgreSQL reads COPY and arrays, SQLite runs one prepared statement for every
row; the result is the same. No row is checked but by the database. Moments are handed over as text, see `moment`.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models

Row = Sequence[Any]
#: What a JSON column holds that no row gives a value for.
_EMPTY_JSON = "{}"


def moment(at: dt.datetime) -> str:
    """A moment as both databases read it: UTC without an offset, as their connections are set."""
    return str(at.astimezone(dt.UTC).replace(tzinfo=None))


def from_text(value: Any) -> dt.datetime:
    """A moment as a raw cursor gives it: SQLite knows no time zones, and of a computed column only the text."""
    found: dt.datetime = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], **same: Any) -> None:
    """Insert rows of `columns`; `same` are columns with one value for all, every other one gets the model's default.

    Columns by their database names (`owner_id`). A key left out is drawn by the database.
    """
    if not rows:
        return
    names, constants = _rest(model, tuple(columns), tuple(same.items()))
    table = f'"{model._meta.db_table}"'
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            tail = "".join(f"\t{_copied(value)}" for value in constants) + "\n"
            text = "".join(["\t".join(map(_copied, row)) + tail for row in rows])
            # Django turns only what its own methods raise into its own errors.
            with connection.wrap_database_errors:
                cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", io.StringIO(text))
        else:
            marks = ", ".join(["%s"] * (len(columns) + len(constants)))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  names of our own columns
            cursor.executemany(statement, [(*row, *constants) for row in rows])


@functools.lru_cache(maxsize=64)
def _rest(
    model: type[models.Model], columns: tuple[str, ...], same: tuple[tuple[str, Any], ...]
) -> tuple[str, tuple[Any, ...]]:
    """The names of all columns written, and the values of those that are the same in every row."""
    given: Mapping[str, Any] = dict(same)
    names, constants = list(columns), []
    for field in model._meta.concrete_fields:
        is_drawn = field.generated or field.get_internal_type().endswith("AutoField")
        if field.column is None or field.column in columns or is_drawn:
            continue
        value = given.get(
            field.column, _EMPTY_JSON if field.get_internal_type() == "JSONField" else field.get_default()
        )
        names.append(field.column)
        constants.append(int(value) if isinstance(value, bool) else value)
    return ", ".join(f'"{name}"' for name in names), tuple(constants)


def _copied(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str) and ("\\" in value or "\n" in value or "\t" in value or "\r" in value):
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return str(value)


def draw_keys(model: type[models.Model], count: int) -> Sequence[int]:
    """`count` fresh keys of a table with a running number, lowest first, for rows that others must name.

    On SQLite only inside a transaction that already writes: the next writer would draw the same.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return sorted(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()
        first = (last[0] if last else 0) + 1
        return range(first, first + count)


def update(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Set `columns` of the rows whose key comes first in each of `rows`; how many were there."""
    if not rows:
        return 0
    table, key = f'"{model._meta.db_table}"', model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            types = [_type_of(model, name) for name in (key, *columns)]
            arrays = ", ".join(f"%s::{kind}[]" for kind in types)
            sets = ", ".join(f'"{name}" = new."{name}"' for name in columns)
            names = ", ".join(f'"{name}"' for name in (key, *columns))
            given = f"unnest({arrays}) AS new({names})"
            cursor.execute(
                f'UPDATE {table} AS old SET {sets} FROM {given} WHERE old."{key}" = new."{key}"',  # noqa: S608
                [_array(column) for column in zip(*rows, strict=True)],
            )
            return int(cursor.rowcount)
        sets = ", ".join(f'"{name}" = %s' for name in columns)
        statement = f'UPDATE {table} SET {sets} WHERE "{key}" = %s'  # noqa: S608
        cursor.executemany(statement, [(*row[1:], row[0]) for row in rows])
        return int(cursor.rowcount)


@functools.lru_cache(maxsize=256)
def _type_of(model: type[models.Model], column: str) -> str:
    field = next(f for f in model._meta.concrete_fields if f.column == column)
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection)).partition("(")[0]


def _array(values: Sequence[Any]) -> str:
    """Values as the text of an array, which PostgreSQL reads ten times faster than as many constants."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
