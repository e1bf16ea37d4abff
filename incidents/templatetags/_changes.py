"""A journal entry's before and after as rows a person can read. Stored values become words; nothing is looked up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from incidents.models import Incident
from incidents.templatetags import _time

#: Kept in the journal for machines; a reader learns nothing from them.
HIDDEN = frozenset(
    {"version", "updated_at", "rung", "highest_rung", "next_due_at", "next_due_kind", "search_key", "request_data"}
)


@dataclass(frozen=True)
class Change:
    """One changed field in words; `code` holds the stored severity where a badge can be shown."""

    label: str
    before: str
    after: str
    code: str = ""


def changes(entry: Any, names: Mapping[str, str]) -> list[Change]:
    """Rows of `entry.before` and `entry.after`. `names` gives words for references, by "field:stored value"."""
    before, after = entry.before or {}, entry.after or {}
    keys = [k for k in {**before, **after} if k not in HIDDEN and before.get(k) != after.get(k)]
    return [
        Change(
            label=_label(key),
            before=_words(key, before.get(key), names),
            after=_words(key, after.get(key), names),
            code=str(after.get(key) or "") if key == "severity" else "",
        )
        for key in keys
    ]


def _field(key: str) -> Field[Any, Any] | None:
    try:
        found = Incident._meta.get_field(key.removesuffix("_id"))
    except FieldDoesNotExist:
        return None
    return found if isinstance(found, Field) else None


def _label(key: str) -> str:
    known = _field(key)
    words = str(known.verbose_name) if known else key.replace("_", " ")
    return words[:1].upper() + words[1:]


def _words(key: str, value: Any, names: Mapping[str, str]) -> str:
    if value is None or value == "":
        return _("none")
    if f"{key}:{value}" in names:
        return names[f"{key}:{value}"]
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    known = _field(key)
    if known is not None and known.choices:
        return str(dict(known.flatchoices).get(value, value))
    if key.endswith("_at") and isinstance(value, str) and isinstance(at := parse_datetime(value), dt.datetime):
        return _time.moment(at)
    return str(value)
