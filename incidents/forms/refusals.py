"""What an action refused, shown on the form it was asked with."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.core.exceptions import ValidationError


def show(form: forms.BaseForm, refused: ValidationError, fields: Mapping[str, str] | None = None) -> None:
    """Put each refusal beside the field it is about; what has no field stands above the form.

    `fields` names the form's field where the action calls it otherwise.
    """
    if not hasattr(refused, "error_dict"):
        form.add_error(None, refused)
        return
    for name, errors in refused.error_dict.items():
        ours = (fields or {}).get(name, name)
        form.add_error(ours if ours in form.fields else None, errors)
