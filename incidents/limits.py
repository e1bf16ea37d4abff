"""What words, counts, years and points a case may hold, whichever act brings them."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

from elections import geometry

NARRATIVE_MIN, NARRATIVE_MAX = 20, 20_000
#: What a case counts, and the most of each.
COUNTS = ("killed", "injured", "stations_affected", "minutes_stopped", "voters_affected")
COUNT_MAX = 100_000
#: Before it a year is mistyped. At the beginning of the calendar, moments have no name in every time zone.
OLDEST_YEAR = 2000
#: Bidirectional overrides can make a text read other than it is stored.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_words(text: str, field: str, errors: dict[str, str], limit: int) -> None:
    """Refuse what would not be read as it was written: NUL, control characters, direction overrides, too long."""
    if any(c in _BIDI or (unicodedata.category(c) == "Cc" and c not in "\n\r\t") for c in text):
        errors[field] = _("There are hidden characters in this text. Please type it again.")
    elif len(text) > limit:
        errors[field] = _("This is too long: %(count)s characters. At most %(limit)s fit.") % {
            "count": f"{len(text):,}",
            "limit": f"{limit:,}",
        }


def check_count(name: str, value: object, errors: dict[str, str]) -> int:
    """`value` as a count; what is none goes into `errors` under `name`."""
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    if not 0 <= number <= COUNT_MAX:
        errors[name] = _("Give a number from 0 to %(limit)s.") % {"limit": f"{COUNT_MAX:,}"}
    return number


def check_point(lat: float | None, lon: float | None, errors: dict[str, str]) -> None:
    """Refuse half a point, and one outside the country."""
    if (lat is None) != (lon is None):
        errors["lat"] = _("A point needs both latitude and longitude.")
    elif lat is not None and lon is not None:
        on_earth = -90 <= lat <= 90 and -180 <= lon <= 180
        if not on_earth or not geometry.inside_country(lat, lon):
            errors["lat"] = _("The point lies outside Cambodia. Move it, or leave it out.")
