"""Taxonomy and legal deadlines in the admin, and accounts whose every change is journaled and told to the NEC.

Cases, their journal and their files are never registered here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from commands.admin import PersonAdmin, PostingAdmin
from commands.contacts import set_by_administrator
from commands.models import Posting, User
from incidents.entries import record_account, record_posting
from incidents.models import Category, LegalDeadline

if TYPE_CHECKING:
    _CategoryAdmin = admin.ModelAdmin[Category]
    _LegalDeadlineAdmin = admin.ModelAdmin[LegalDeadline]
else:
    _CategoryAdmin = _LegalDeadlineAdmin = admin.ModelAdmin


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


@admin.register(LegalDeadline)
class LegalDeadlineAdmin(_LegalDeadlineAdmin):
    """Figures of the law; referrals made before a change keep theirs."""

    list_display = ["body", "minutes", "source"]


# ---- Accounts and postings: no administrator changes one unseen ----

admin.site.unregister([User, Posting])


def _administrator(request: HttpRequest) -> User:
    # The admin lets nobody in who is not signed in.
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


@admin.register(User)
class ToldPersonAdmin(PersonAdmin):
    """Making, changing, a new password and postings are journaled and told in the transaction that writes them."""

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            set_by_administrator(obj, before=form.initial.get("email") or "", now=timezone.now())
        if not change:
            record_account("made", obj, by=_administrator(request), now=timezone.now())
        elif form.changed_data:
            fields = sorted(form.changed_data)
            record_account("changed", obj, by=_administrator(request), now=timezone.now(), fields=fields)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for posting in formset.new_objects:
            record_posting(posting, by=_administrator(request), now=timezone.now(), is_new=True)
        for posting, _fields in formset.changed_objects:
            record_posting(posting, by=_administrator(request), now=timezone.now(), is_new=False)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            before = User.objects.filter(pk=id).values_list("password", flat=True).first()
            response = super().user_change_password(request, id, form_url)
            person = User.objects.filter(pk=id).first()
            if person is not None and person.password != before:
                record_account("password", person, by=_administrator(request), now=timezone.now())
        return response


@admin.register(Posting)
class ToldPostingAdmin(PostingAdmin):
    """A posting, new or changed, is journaled and told."""

    def save_model(self, request: HttpRequest, obj: Posting, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or form.changed_data:
            record_posting(obj, by=_administrator(request), now=timezone.now(), is_new=not change)
