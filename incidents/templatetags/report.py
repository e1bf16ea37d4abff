"""What the log page needs beside the common parts: the typed value of a field by name, errors by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def typed(form: Any, name: str) -> str:
    """What stands in the field now."""
    return str(form.typed(name))


@register.filter
def of(errors: Mapping[str, Any], name: str) -> Any:
    """The errors of one field."""
    return errors.get(name, [])
