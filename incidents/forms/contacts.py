"""Forms of a person's contact points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from commands.models import ContactChannel, ContactPoint

_TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class AddressForm(forms.Form):
    channel = forms.ChoiceField(
        label=gettext_lazy("How"), widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how you are reached there.")},
    )  # fmt: skip
    address = forms.CharField(label=gettext_lazy("Address or number"), max_length=254,
                              help_text=gettext_lazy("For example 012 345 678, or name@example.org."),
                              error_messages={"required": gettext_lazy("Write the address or number.")})  # fmt: skip

    def __init__(self, works: Mapping[str, bool], *args: Any, **kwargs: Any) -> None:
        """`works`: channels, and whether this system can send through them. The others are not offered."""
        super().__init__(*args, **kwargs)
        offered = [(value, label) for value, label in ContactChannel.choices if works.get(value)]
        self.fields["channel"].choices = offered  # type: ignore[attr-defined]
        if len(offered) == 1:
            self.fields["channel"].initial = offered[0][0]


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("The six digits"), max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": gettext_lazy("Write the six digits that were sent there.")},
    )  # fmt: skip


class QuietForm(forms.Form):
    quiet_from = forms.TimeField(label=gettext_lazy("Quiet from"), widget=_TIME, required=False)
    quiet_to = forms.TimeField(label=gettext_lazy("Quiet until"), widget=_TIME, required=False)

    @classmethod
    def of(cls, contact: ContactPoint) -> QuietForm:
        initial = {"quiet_from": contact.quiet_from, "quiet_to": contact.quiet_to}
        return cls(initial=initial, prefix=str(contact.pk))
