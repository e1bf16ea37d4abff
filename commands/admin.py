"""People, commands and postings in the admin: reference data only, and nothing is deleted that a case may point at."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commands.models import Posting, SecurityCommand, User

if TYPE_CHECKING:
    _CommandAdmin = admin.ModelAdmin[SecurityCommand]
    _PostingAdmin = admin.ModelAdmin[Posting]
    _PostingInline = admin.TabularInline[Posting, User]
    _UserAdmin = UserAdmin[User]
    _CommandForm = forms.ModelForm[SecurityCommand]
else:
    _CommandAdmin = _PostingAdmin = admin.ModelAdmin
    _PostingInline = admin.TabularInline
    _UserAdmin = UserAdmin
    _CommandForm = forms.ModelForm


admin.site.site_header = admin.site.site_title = admin.site.index_title = _("Reference data")
# Groups give nothing here: what a person may do with a case comes from postings alone.
admin.site.unregister(Group)


class NeverDeleted:
    """Ended, dissolved or made inactive instead."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


CONTACT: Any = {
    "fields": ["first_name", "last_name", "email", "language"],
    "description": _(
        "Nothing is sent to the e-mail address before the person has proven that it is theirs: signed in, they ask for "
        "a code under «How you are reached». An address that you change is no longer used."
    ),
}


class PostingInline(NeverDeleted, _PostingInline):
    model = Posting
    extra = 0
    autocomplete_fields = ["command"]


@admin.register(User)
class PersonAdmin(NeverDeleted, _UserAdmin):
    """Groups and permissions are not offered."""

    list_display = ["username", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Contact"), CONTACT),
        (_("Signing in"), {"fields": ["is_active", "is_staff", "is_superuser", "last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        *(UserAdmin.add_fieldsets or []),
        (_("Contact"), CONTACT),
    ]
    inlines = [PostingInline]


class CommandForm(_CommandForm):
    def clean_dissolved_on(self) -> dt.date | None:
        """Not ahead: a command with this date set is gone at once, and its place would be without a commander."""
        day: dt.date | None = self.cleaned_data["dissolved_on"]
        if day and day > timezone.localdate():
            raise ValidationError(_("That is in the future, but it would hold at once. Come back on that day."))
        return day


@admin.register(SecurityCommand)
class SecurityCommandAdmin(NeverDeleted, _CommandAdmin):
    """The place in the tree is read-only once made: cases and postings hang on it."""

    list_display = ["code", "name_km", "name_en", "kind", "force", "dissolved_on"]
    list_filter = ["kind", "force"]
    search_fields = ["code", "name_en", "name_km"]
    readonly_fields = ["code", "kind", "parent", "path", "jurisdiction"]
    form = CommandForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Posting)
class PostingAdmin(NeverDeleted, _PostingAdmin):
    list_display = ["user", "role", "command", "starts_at", "ends_at", "conduct_accepted_at"]
    list_filter = ["role"]
    search_fields = ["user__username", "command__code"]
    autocomplete_fields = ["user", "command"]
    list_select_related = ["user", "command"]
