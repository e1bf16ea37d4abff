"""Cases by key, with everything a row of a list names: one query whose SQL is kept (elections/prepared.py).

Lists read their keys first, from a queryset scoped to the reader and from an index alone, and then come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from elections.prepared import prepared
from incidents.models import Incident


def named(keys: Sequence[UUID]) -> list[Incident]:
    """The cases of `keys`, in their order, with category, place and what that is part of, owner, election, assignee."""
    found = {incident.pk: incident for incident in _of_keys(list(keys))}
    return [found[key] for key in keys if key in found]


@prepared
def _of_keys(keys: Any) -> QuerySet[Incident]:
    return Incident.objects.filter(pk__in=keys).order_by().with_names().select_related("assignee")
