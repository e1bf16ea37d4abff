"""The operator's form for an answer heard by radio, SMS or phone. It parses only; `answers.by_code` decides."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.answers import HEARD_BY, Spoken
from incidents.limits import OLDEST_YEAR

_MOMENT = "%Y-%m-%dT%H:%M"


class CodeForm(forms.Form):
    """Code, who said it, how and when it was heard."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "placeholder": "123 456", "autofocus": True}
        ),
        error_messages={"required": _("Write the six digits.")},
    )
    said_by = forms.CharField(
        label=_("Who said it"),
        max_length=80,
        error_messages={"required": _("Write who said it: call sign, role or name.")},
    )
    channel = forms.ChoiceField(
        label=_("How you heard it"),
        choices=[(c.value, c.label) for c in HEARD_BY],
        initial=HEARD_BY[0].value,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how you heard it: radio, SMS or phone.")},
    )
    at = forms.DateTimeField(
        label=_("When you heard it"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT),
        input_formats=[_MOMENT, f"{_MOMENT}:%S", "%d/%m/%Y %H:%M"],
        error_messages={
            "required": _("Write when you heard it."),
            "invalid": _("Write day and time, as 06/06/2027 15:00."),
        },
    )

    def __init__(self, *args: Any, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("at", timezone.localtime(now).strftime(_MOMENT))

    def clean_at(self) -> dt.datetime:
        """No year that cannot be told in every time zone."""
        at: dt.datetime = self.cleaned_data["at"]
        if at.year < OLDEST_YEAR:
            raise ValidationError(_("Write day and time, as 06/06/2027 15:00."), code="invalid")
        return at

    def spoken(self) -> Spoken:
        """What was typed; only after `is_valid`."""
        data = self.cleaned_data
        at = data["at"].astimezone(dt.UTC)
        return Spoken(code=data["code"], channel=data["channel"], said_by=data["said_by"], at=at)
