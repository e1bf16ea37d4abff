"""Taxonomy, legal deadlines, elections, commands and accounts in the admin: every change is journaled and told.

Cases, their journal and their files are never registered here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from commands.admin import PersonAdmin, PostingAdmin, SecurityCommandAdmin
from commands.contacts import set_by_administrator
from commands.models import Posting, SecurityCommand, User
from elections.admin import ElectionAdmin, PollingStationAdmin, RegisteredVotersAdmin
from elections.models import Election, PollingStation, RegisteredVoters
from incidents.choices import OPEN
from incidents.entries import record_account, record_posting, record_reference
from incidents.models import Category, Incident, LegalDeadline

if TYPE_CHECKING:
    _AnyAdmin = admin.ModelAdmin[Any]
    _ElectionForm = forms.ModelForm[Election]
else:
    _AnyAdmin = admin.ModelAdmin
    _ElectionForm = forms.ModelForm


def _administrator(request: HttpRequest) -> User:
    # The admin lets nobody in who is not signed in.
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


# ---- What deadlines and chains rest on: no administrator changes it unseen ----

admin.site.unregister([Election, PollingStation, RegisteredVoters, SecurityCommand])


class Told(_AnyAdmin):
    """Making and changing are journaled and told in the transaction that writes them; nothing is deleted."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or form.changed_data:
            _tell(request, obj, sorted(form.changed_data) if change else ["made"])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _tell(request: HttpRequest, obj: Any, fields: list[str]) -> None:
    name = f"{obj._meta.model_name} {getattr(obj, 'code', obj)}"
    if isinstance(obj, PollingStation):
        # Its code is one only within its election.
        name = f"{obj._meta.model_name} {obj.election.code} {obj.code}"
    record_reference(name, fields, by=_administrator(request), now=timezone.now())


@admin.register(Category)
class CategoryAdmin(Told):
    """A code is retired and names its successor; it is never deleted or used again.

    What decides who learns of a case and who has the last word on it stays as it was written: under another rule it is
    another code.
    """

    list_display = ["code", "name_km", "name_en", "group_code", "default_severity", "nature", "is_reviewed"]
    list_filter = ["group_code", "nature", "is_reviewed"]
    search_fields = ["code", "name_en", "name_km"]

    def get_readonly_fields(self, request: HttpRequest, obj: Category | None = None) -> list[str]:
        return ["code", "group_code", "nature", "is_conflict_route", "protects_victim"] if obj else []


@admin.register(LegalDeadline)
class LegalDeadlineAdmin(Told):
    """Figures of the law; referrals made before a change keep theirs."""

    list_display = ["body", "minutes", "source"]


@admin.register(SecurityCommand)
class ToldCommandAdmin(Told, SecurityCommandAdmin):
    """A command that is dissolved or called otherwise."""


class ElectionForm(_ElectionForm):
    """Locking stops every deadline of an election, so it may not be a way to silence what is open."""

    def clean_is_locked(self) -> bool:
        is_locked: bool = self.cleaned_data["is_locked"]
        is_closing = is_locked and self.instance.pk and not self.instance.is_locked
        if is_closing and Incident.objects.filter(election=self.instance, state__in=OPEN).exists():
            raise ValidationError(_("Cases of this election are open. Its record is closed when all have ended."))
        return is_locked


@admin.register(Election)
class ToldElectionAdmin(Told, ElectionAdmin):
    """Its days, whether its record is closed, and its phases, which say how fast cases must be answered."""

    form = ElectionForm

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        touched = [*formset.new_objects, *(row for row, _fields in formset.changed_objects), *formset.deleted_objects]
        if touched:
            _tell(request, form.instance, sorted({f"phase {row.phase}" for row in touched}))


@admin.register(PollingStation)
class ToldStationAdmin(Told, PollingStationAdmin):
    """Where people vote, and how many."""


@admin.register(RegisteredVoters)
class ToldVotersAdmin(Told, RegisteredVotersAdmin):
    """What every rate is divided by."""


# ---- Accounts and postings: no administrator changes one unseen ----

admin.site.unregister([User, Posting])


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
