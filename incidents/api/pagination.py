"""Cursor pagination by keyset: no COUNT, stable while rows arrive, as fast on the last page as on the first.

The cursor is the sort key of the last row seen. DRF's own cursor keeps one column and counts offsets among equal
values; an import writes thousands of cases with one `reported_at`, where those offsets run out.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from incidents.api.problems import BadParameters

if TYPE_CHECKING:
    from rest_framework.views import APIView

#: Parameters of every list that are not filters.
PARAMETERS = ("cursor", "page_size", "format")


class Keyset(BasePagination):
    """`?cursor=` moves, `?page_size=` up to 200. `ordering` runs one way: all columns down, or all up."""

    page_size = 50
    max_page_size = 200
    ordering: tuple[str, ...] = ("pk",)

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self.request = request
        self.columns = tuple(getattr(view, "ordering", None) or self.ordering)
        self.model = queryset.model
        size = self._size(request)
        back, position = self._position(request)
        rows = list(self._from(queryset, position, back)[: size + 1])
        more, rows = len(rows) > size, rows[:size]
        if back:
            rows.reverse()
        self.next = self._link(rows[-1], back=False) if rows and (more or back) else None
        self.previous = self._link(rows[0], back=True) if rows and position and (more or not back) else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "Of `next` or `previous`."},
            {"name": "page_size", "in": "query", "schema": size, "description": "Rows on a page."},
        ]

    # ---- Reading ----

    def _size(self, request: Request) -> int:
        text = request.query_params.get("page_size") or str(self.page_size)
        size = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
        if not 1 <= size <= self.max_page_size:
            sentence = _("Ask for between 1 and %(most)s rows on a page.") % {"most": self.max_page_size}
            raise BadParameters({"page_size": sentence})
        return size

    def _position(self, request: Request) -> tuple[bool, list[Any] | None]:
        """Direction and sort key of the cursor; the key is typed by the model's own fields."""
        text = request.query_params.get("cursor")
        if not text:
            return False, None
        try:
            way, *key = json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=="))
            if way not in (0, 1) or len(key) != len(self.columns) or not all(isinstance(k, str) for k in key):
                raise ValueError(text)
            # A ValueError where one holds half of a character, which no database can be asked about.
            "".join(key).encode()
            names = [column.lstrip("-") for column in self.columns]
            fields = [self.model._meta.pk if n == "pk" else self.model._meta.get_field(n) for n in names]
            values = [cast(Any, field).to_python(value) for field, value in zip(fields, key, strict=True)]
            # Databases keep moments in UTC: one within a day of the end of the calendar cannot be asked about.
            far = any(isinstance(v, dt.datetime) and not 1900 < v.year < 2200 for v in values)
            if far or any(v is None or "\0" in str(v) for v in values):
                raise ValueError(text)
        except (ValueError, TypeError, RecursionError, binascii.Error, ValidationError):
            raise BadParameters({"cursor": _("Take the cursor from a «next» or «previous» link.")}) from None
        return bool(way), values

    def _from(self, queryset: QuerySet[Any], position: list[Any] | None, back: bool) -> QuerySet[Any]:
        down = self.columns[0].startswith("-") != back
        names = [column.lstrip("-") for column in self.columns]
        if position:
            beyond = "lt" if down else "gt"
            # The first condition alone is what an index range scan can use on both databases.
            where = Q(**{f"{names[0]}__{beyond}e": position[0]}) if len(names) > 1 else Q()
            after = Q()
            for depth in range(len(names)):
                same = Q(**dict(zip(names[:depth], position[:depth], strict=True)))
                after |= same & Q(**{f"{names[depth]}__{beyond}": position[depth]})
            queryset = queryset.filter(where & after)
        return queryset.order_by(*(f"-{n}" if down else n for n in names))

    def _link(self, row: Model, *, back: bool) -> str:
        key = []
        for column in self.columns:
            value = getattr(row, column.lstrip("-"))
            key.append(value.isoformat() if hasattr(value, "isoformat") else str(value))
        text = base64.urlsafe_b64encode(json.dumps([int(back), *key]).encode()).decode().rstrip("=")
        address = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return replace_query_param(address, "cursor", text)


class TimeCursor(Keyset):
    """Newest first by report time."""

    ordering = ("-reported_at", "-id")
