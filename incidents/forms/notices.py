"""Forms of the NEC's pages: the draft of a public notice, its cancellation, a classification."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents import notices
from incidents.choices import Classification
from incidents.classification import GROUNDS, MOST_AT_ONCE
from incidents.models import CapCategory, Incident, PublicNotice

#: How long a notice holds unless somebody says otherwise.
USUAL = dt.timedelta(hours=12)


class NoticeForm(forms.Form):
    """A draft. It parses only: `notices.draft` decides, and `take` shows its refusals at their fields."""

    area = forms.ChoiceField(label=_("For which place"))
    category = forms.ChoiceField(label=_("What it is about"), choices=CapCategory.choices)
    event_km = forms.CharField(label=_("What happened, in Khmer"), max_length=120)
    headline_km = forms.CharField(label=_("Headline, in Khmer"), max_length=160)
    instruction_km = forms.CharField(
        label=_("What people should do, in Khmer"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5})
    )
    event_en = forms.CharField(label=_("What happened, in English"), max_length=120)
    headline_en = forms.CharField(label=_("Headline, in English"), max_length=160)
    instruction_en = forms.CharField(
        label=_("What people should do, in English"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5})
    )
    expires_at = forms.DateTimeField(
        label=_("Holds until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
        error_messages={"invalid": _("Write day and time, as 06/06/2027 15:00.")},
    )

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["area"]).choices = [
            (a.pcode, a.full_name) for a in notices.areas_for(incident)
        ]
        for name, field in self.fields.items():
            field.error_messages["required"] = _("Please fill this in.")
            if name.endswith(("_km", "_en")):
                field.widget.attrs["lang"] = name[-2:]


def first_words(incident: Incident, now: dt.datetime) -> dict[str, Any]:
    """What a new draft starts with: the district of the case, its category in both languages, twelve hours."""
    return {
        "area": next((a.pcode for a in notices.areas_for(incident) if a.level == "district"), ""),
        "category": CapCategory.MET if incident.category_id == "HAZ-01" else CapCategory.SAFETY,
        "event_km": incident.category.name_km,
        "event_en": incident.category.name_en,
        "expires_at": timezone.localtime(now + USUAL).replace(minute=0, second=0, microsecond=0),
    }


def words_of(notice: PublicNotice) -> dict[str, Any]:
    """The values of a draft, for changing it."""
    texts = {name: getattr(notice, name) for name in notices.TEXTS}
    return {**texts, "area": notice.area_id, "category": notice.category, "expires_at": notice.expires_at}


class Decision(forms.Form):
    """What a case is: a ground makes it electoral, the other kinds need none."""

    CHOICES = tuple(c for c in Classification.choices if c[0] != Classification.UNDETERMINED)

    classification = forms.ChoiceField(choices=[("", ""), *CHOICES], required=False)
    ground = forms.ChoiceField(choices=[("", ""), *GROUNDS.items()], required=False)
    #: Why; a change of an earlier decision needs it.
    why = forms.CharField(max_length=500, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("ground"):
            cleaned["classification"] = Classification.ELECTORAL
        elif cleaned.get("classification") in ("", None):
            raise ValidationError(_("Choose what the case is."))
        elif cleaned["classification"] == Classification.ELECTORAL:
            raise ValidationError(_("Say on which ground the case is electoral."))
        return cleaned

    @property
    def reason(self) -> str:
        """The ground in words and what was written beside it, for the journal; "" where there is neither."""
        said = (str(GROUNDS.get(self.cleaned_data["ground"], "")), self.cleaned_data["why"])
        return ": ".join(part for part in said if part)


class ClassifyForm(Decision):
    """One press of a button, on one version of the case."""

    version = forms.IntegerField(min_value=1)


class CasesField(forms.Field):
    """Ticked cases as "<key>:<version>", each on the version that was read; what is neither is not one of ours."""

    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> list[tuple[UUID, int]]:
        found = []
        for text in value or []:
            key, _sep, version = str(text).partition(":")
            try:
                found.append((UUID(key), int(version[:9])))
            except ValueError:
                continue
        return found


class ManyForm(Decision):
    """One press for several cases."""

    #: What the police proposed, each case its own.
    PROPOSED = "proposed"

    classification = forms.ChoiceField(choices=[("", ""), *Decision.CHOICES, (PROPOSED, "")], required=False)
    case = CasesField(
        error_messages={"required": _("Choose the cases first: tick the box of each.")},
    )

    def clean_case(self) -> list[tuple[UUID, int]]:
        chosen: list[tuple[UUID, int]] = self.cleaned_data["case"]
        if len(chosen) > MOST_AT_ONCE:
            raise ValidationError(_("At most %(n)d cases at once.") % {"n": MOST_AT_ONCE})
        return chosen
