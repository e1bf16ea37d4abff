"""Words people typed: cleaned of what cannot be seen, and looked through for numbers that name a person.

What is typed is kept otherwise. Cleaning, not refusing: a person who pasted an invisible character cannot find it.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms

from elections.khmer import canonical

#: Control characters but tab and line feed, and every character that changes the direction of text: they can make a
#: sentence read as its opposite. Zero-width space and joiners stay: Khmer is typed with them.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
_LINE_ENDS = re.compile("\r\n?|\u2028|\u2029")
_KHMER_DIGITS = {0x17E0 + digit: str(digit) for digit in range(10)}
_JOINER = "[\u200b .\u00a0-]?"
_PHONE = rf"(?:\+?855|0){_JOINER}[1-9]\d{_JOINER}\d{{3}}{_JOINER}\d{{3,4}}"
#: The national identity card has nine digits, often written in threes.
_CARD = rf"\d{{3}}{_JOINER}\d{{3}}{_JOINER}\d{{3}}"
_NAMING = re.compile(rf"(?<![\d+])(?:{_PHONE}|{_CARD})(?:{_JOINER}\(?\d{{2}}\)?)?(?!\d)")


def cleaned(text: str) -> str:
    """`text` with one kind of line end and without characters nobody can see but readers would stumble over."""
    return _UNSEEN.sub("", _LINE_ENDS.sub("\n", text))


def digits(text: str) -> str:
    """Khmer digits as 0-9, one character for one, so places in the text stay the same."""
    return text.translate(_KHMER_DIGITS)


def naming_numbers(text: str) -> list[str]:
    """Telephone and identity-card numbers in `text`, as they stand there; they name a person (tier T3)."""
    return [text[m.start() : m.end()].strip() for m in _NAMING.finditer(digits(text))]


class NarrativeField(forms.CharField):
    """Many lines, kept as typed but for what `cleaned` takes out."""

    def to_python(self, value: Any) -> str:
        return super().to_python(cleaned(value) if isinstance(value, str) else value) or ""


class LineField(forms.CharField):
    """One line in canonical Khmer encoding."""

    def to_python(self, value: Any) -> str:
        if isinstance(value, str):
            value = canonical(" ".join(cleaned(value).split()))
        return super().to_python(value) or ""


class CodeField(forms.CharField):
    """A code of ours, chosen and not written: anything else in it is taken out."""

    def to_python(self, value: Any) -> str:
        return super().to_python(cleaned(str(value or "")).strip()[:40]) or ""


class CountField(forms.IntegerField):
    """A small whole number, in either kind of digits; empty counts as none."""

    def to_python(self, value: Any) -> int:
        return super().to_python(digits(value).strip() if isinstance(value, str) else value) or 0
