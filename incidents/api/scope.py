"""Which cases a request is about, and how much of each its reader may see."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import cast

from django.core.exceptions import ValidationError
from django.utils import timezone
from rest_framework.request import Request

from commands.models import User
from incidents.api.pagination import PARAMETERS
from incidents.api.problems import BadParameters
from incidents.filters import CaseFilter
from incidents.models import Incident
from incidents.querysets import IncidentQuerySet


def asked_for(request: Request, *also: str) -> CaseFilter:
    """The filters of the request; `also` names its other parameters. Unknown ones are refused by name."""
    try:
        return CaseFilter.from_query(request.query_params, also=(*PARAMETERS, *also))
    except ValidationError as error:
        raise BadParameters({name: " ".join(texts) for name, texts in error.message_dict.items()}) from None


def filtered(request: Request) -> IncidentQuerySet:
    """The cases asked for, within what this person may see."""
    user = cast(User, request.user)
    return asked_for(request).apply(Incident.objects.visible_to(user), user, timezone.now())


def detailed_keys(user: User, incidents: Iterable[Incident]) -> set[uuid.UUID]:
    """Which of these cases show their narrative, exact place and files to `user`: one query for a page."""
    known = list(incidents)
    if not known:
        return set()
    mine = Incident.objects.detailed_to(user, unsealed=not any(incident.is_sealed for incident in known))
    return set(mine.filter(pk__in=[incident.pk for incident in known]).values_list("pk", flat=True))
