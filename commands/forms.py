"""Forms of the account pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_failure_limit
from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commands.models import User


def pause_minutes() -> int:
    """How long sign-in pauses after too many tries."""
    return round(float(settings.AXES_COOLOFF_TIME) * 60)


class SignInForm(AuthenticationForm):
    """Name and password; a refusal says how many tries are left and what comes then."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = gettext_lazy("Sign-in name")
        # Its own text: Django's Khmer catalogue spells the word otherwise than the rest of the page.
        self.fields["password"].label = gettext_lazy("Password")
        self.fields["username"].error_messages["required"] = gettext_lazy("Write your sign-in name.")
        self.fields["password"].error_messages["required"] = gettext_lazy("Write your password.")
        self.fields["username"].widget.attrs.update(autocapitalize="none", spellcheck="false", autocomplete="username")

    def get_invalid_login_error(self) -> ValidationError:
        credentials = {"username": self.cleaned_data.get("username", "")}
        left = get_failure_limit(self.request, credentials) - AxesProxyHandler.get_failures(self.request, credentials)
        then = ngettext(
            "%(n)d try left, then a pause of %(minutes)d minutes.",
            "%(n)d tries left, then a pause of %(minutes)d minutes.",
            max(left, 0),
        ) % {"n": max(left, 0), "minutes": pause_minutes()}
        refusal = _("That name and password do not match.")
        return ValidationError(f"{refusal} {then}" if left > 0 else refusal, code="no_match")


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=settings.LANGUAGES, widget=forms.RadioSelect,
        help_text=gettext_lazy("Also for the messages sent to you."),
    )  # fmt: skip
    theme = forms.ChoiceField(
        label=gettext_lazy("Appearance"),
        choices=[
            ("auto", gettext_lazy("As the device")),
            ("light", gettext_lazy("Light")),
            ("dark", gettext_lazy("Dark")),
        ],
        widget=forms.RadioSelect,
    )

    @classmethod
    def of(cls, user: User) -> PreferencesForm:
        return cls(initial={"language": user.language, "theme": user.theme})


class PasswordForm(PasswordChangeForm):
    """The old password and the new one twice; and whether the `tokens` API tokens in use end with the old one."""

    revoke_tokens = forms.BooleanField(
        required=False, help_text=gettext_lazy("If not, the systems that use them go on acting in your name.")
    )

    def __init__(self, *args: Any, tokens: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if tokens:
            self.fields["revoke_tokens"].label = ngettext(
                "Revoke the %(n)d API token of this account too",
                "Revoke all %(n)d API tokens of this account too",
                tokens,
            ) % {"n": tokens}
        else:
            del self.fields["revoke_tokens"]
        self.fields["old_password"].label = gettext_lazy("Password now")
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        self.fields["new_password1"].label = gettext_lazy("New password")
        self.fields["new_password1"].help_text = gettext_lazy(
            "At least 10 characters, not only digits and not a common one. A few words in a row are good."
        )
        self.fields["new_password2"].label = gettext_lazy("New password again")
        self.fields["new_password2"].help_text = ""


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Which system will use it"), max_length=60,
        help_text=gettext_lazy("For example: hotline of the provincial office."),
    )  # fmt: skip
    expires_on = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("The last day it works. Empty: until you revoke it."),
    )  # fmt: skip

    def expires_at(self, zone: dt.tzinfo) -> dt.datetime | None:
        """The end of the chosen day, local time."""
        day = self.cleaned_data["expires_on"]
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=zone) if day else None
