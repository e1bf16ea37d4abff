"""Cursor pagination: stable while rows arrive, as fast on the last page as on the first."""

from rest_framework.pagination import CursorPagination


class TimeCursor(CursorPagination):
    """Newest first by report time; `?cursor=` moves, `?page_size=` up to 200."""

    ordering = ("-reported_at", "-id")
    page_size_query_param = "page_size"
    max_page_size = 200
