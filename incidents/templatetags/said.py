"""The language of what a person typed, so that it is set and read aloud as it was written."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def tongue(text: object) -> str:
    """A `lang` for typed text: km where it holds a Khmer letter, else en."""
    return "km" if any("\u1780" <= letter <= "\u17ff" for letter in str(text)) else "en"
