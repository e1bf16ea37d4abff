"""The kinds of fields a report is made of, with their sentences for what is wrong."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from incidents.forms.writing import CountField, LineField, digits

_DATES = ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"]
_TIMES = ["%H:%M", "%H:%M:%S", "%H.%M"]
TOO_LONG = gettext_lazy(
    "That is too long: %(show_value)d characters, and at most %(limit_value)d can be sent. Nothing is lost: shorten it."
)
_A_NUMBER = gettext_lazy("Write a whole number, like 0 or 12.")
A_POINT = gettext_lazy("That is not a position. Use the map or the button, or leave it out.")
_A_CHOICE = gettext_lazy("Choose one of the answers in the list.")


def line(limit: int) -> LineField:
    """One optional line of at most `limit` characters."""
    return LineField(max_length=limit, required=False, error_messages={"max_length": TOO_LONG})


class FixedChoiceField(forms.ChoiceField):
    """A choice that is the same on every form, which therefore takes no copy of it."""

    def __deepcopy__(self, memo: Any) -> FixedChoiceField:
        return forms.Field.__deepcopy__(self, memo)


def one_of(choices: Any, blank: Any = None) -> forms.ChoiceField:
    """One of `choices`, or nothing."""
    listed = [*choices] if blank is None else [("", blank), *choices]
    return FixedChoiceField(choices=listed, required=False, error_messages={"invalid_choice": _A_CHOICE})


def count(limit: int) -> CountField:
    """A count from 0 to `limit`."""
    wrong = gettext_lazy("That is more than we can keep: at most %(limit_value)s.")
    less = gettext_lazy("Write 0 or more.")
    return CountField(
        required=False, min_value=0, max_value=limit,
        error_messages={"invalid": _A_NUMBER, "max_value": wrong, "min_value": less},
    )  # fmt: skip


class DayField(forms.DateField):
    """A day as the browser writes it or as people do, in either kind of digits."""

    input_formats = _DATES

    def to_python(self, value: Any) -> dt.date | None:
        return super().to_python(digits(value) if isinstance(value, str) else value)


class ClockField(forms.TimeField):
    """A time of day, in either kind of digits."""

    input_formats = _TIMES

    def to_python(self, value: Any) -> dt.time | None:
        return super().to_python(digits(value) if isinstance(value, str) else value)


class IdField(forms.UUIDField):
    """The form's own id. One that is damaged counts as none: the writer can do nothing about it."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError:
            return None
