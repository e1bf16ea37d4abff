"""The form of a new webhook. It parses only; `hooks.make` decides."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from commands.choices import BodyKind
from commands.models import SecurityCommand

_KINDS = (BodyKind.PSC, BodyKind.PROVINCE, BodyKind.DISTRICT, BodyKind.NEC)
_REQUIRED = {"required": _("Please fill this in.")}


class HookForm(forms.Form):
    """Name, command, address."""

    name = forms.CharField(label=_("Name of the other system"), max_length=80, error_messages=_REQUIRED)
    command = forms.ChoiceField(label=_("Command whose notices it gets"), error_messages=_REQUIRED)
    url = forms.CharField(
        label=_("Address"),
        max_length=300,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        error_messages=_REQUIRED,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = SecurityCommand.objects.active().filter(kind__in=[k.value for k in _KINDS]).order_by("path")
        cast(forms.ChoiceField, self.fields["command"]).choices = [(c.code, c.name) for c in found]
