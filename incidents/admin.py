"""Taxonomy and response targets in the admin. Cases, their journal and their files are never registered here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from incidents.models import Category, ResponseTarget

if TYPE_CHECKING:
    _CategoryAdmin = admin.ModelAdmin[Category]
    _TargetAdmin = admin.ModelAdmin[ResponseTarget]
else:
    _CategoryAdmin = _TargetAdmin = admin.ModelAdmin


@admin.register(Category)
class CategoryAdmin(_CategoryAdmin):
    """A code is retired and names its successor; it is never deleted or used again."""

    list_display = ["code", "name_km", "name_en", "group_code", "default_severity", "nature", "is_reviewed"]
    list_filter = ["group_code", "nature", "is_reviewed"]
    search_fields = ["code", "name_en", "name_km"]

    def get_readonly_fields(self, request: HttpRequest, obj: Category | None = None) -> list[str]:
        return ["code"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ResponseTarget)
class ResponseTargetAdmin(_TargetAdmin):
    list_display = [
        "phase",
        "severity",
        "election",
        "acknowledge_minutes",
        "first_update_minutes",
        "contain_minutes",
        "update_every_minutes",
        "resolve_minutes",
    ]
    list_filter = ["election", "phase", "severity"]
