"""Reference data of places and calendar in the admin. Places are read-only: they follow the country's files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from elections.models import Election, Jurisdiction, PhaseWindow, PollingStation, RegisteredVoters

if TYPE_CHECKING:
    _PlaceAdmin = admin.ModelAdmin[Jurisdiction]
    _ElectionAdmin = admin.ModelAdmin[Election]
    _WindowInline = admin.TabularInline[PhaseWindow, Election]
    _StationAdmin = admin.ModelAdmin[PollingStation]
    _VotersAdmin = admin.ModelAdmin[RegisteredVoters]
else:
    _PlaceAdmin = _ElectionAdmin = _StationAdmin = _VotersAdmin = admin.ModelAdmin
    _WindowInline = admin.TabularInline


@admin.register(Jurisdiction)
class JurisdictionAdmin(_PlaceAdmin):
    list_display = ["pcode", "name_km", "name_en", "level", "kind_en", "has_outline", "valid_to"]
    list_filter = ["level", "is_fictional"]
    search_fields = ["pcode", "search_key"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PhaseWindowInline(_WindowInline):
    model = PhaseWindow
    extra = 0
    autocomplete_fields = ["jurisdiction"]


@admin.register(Election)
class ElectionAdmin(_ElectionAdmin):
    list_display = ["code", "name_km", "name_en", "type", "polling_on", "expected_year", "is_locked"]
    list_filter = ["type", "is_locked"]
    search_fields = ["code", "name_en", "name_km"]
    inlines = [PhaseWindowInline]


@admin.register(PollingStation)
class PollingStationAdmin(_StationAdmin):
    list_display = ["code", "name_km", "name_en", "election", "jurisdiction", "voters"]
    list_filter = ["election"]
    search_fields = ["code", "name_en", "name_km"]
    autocomplete_fields = ["jurisdiction"]
    list_select_related = ["election", "jurisdiction"]


@admin.register(RegisteredVoters)
class RegisteredVotersAdmin(_VotersAdmin):
    list_display = ["election", "jurisdiction", "count", "as_of"]
    list_filter = ["election"]
    autocomplete_fields = ["jurisdiction"]
    list_select_related = ["election", "jurisdiction"]
