"""Reads of places and elections that the other apps need."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from elections.choices import Level

if TYPE_CHECKING:
    from elections.models import Election, Jurisdiction  # noqa: F401


def under(code: str, field: str = "pcode") -> Q:
    """The subtree of `code` as a filter on `field`: a code is its parent's plus two digits."""
    return Q(**{f"{field}__startswith": code})


class JurisdictionQuerySet(models.QuerySet["Jurisdiction"]):
    def under(self, code: str) -> JurisdictionQuerySet:
        return self.filter(under(code))

    def at(self, level: Level | str) -> JurisdictionQuerySet:
        return self.filter(level=level)

    def current_on(self, day: dt.date) -> JurisdictionQuerySet:
        """Places that exist on `day`: places are split and renamed, and reports use the tree of their time."""
        return self.filter(
            Q(valid_from=None) | Q(valid_from__lte=day),
            Q(valid_to=None) | Q(valid_to__gt=day),
        )


class ElectionQuerySet(models.QuerySet["Election"]):
    def default_for(self, now: dt.datetime) -> Election | None:
        """The election whose phase windows cover `now`; else the next by polling day; else the last."""
        today = timezone.localdate(now)
        return self.covering(now).first() or self.coming(today).first() or self.past(today).first()

    def with_windows(self) -> ElectionQuerySet:
        """With `windows` of all of them read in one query."""
        # The type checker takes the name for a second definition; it is the one `Election` reads by itself otherwise.
        return self.prefetch_related(models.Prefetch("phase_windows", to_attr="windows"))  # type: ignore[no-redef]

    def covering(self, now: dt.datetime) -> ElectionQuerySet:
        """Elections with a phase window that covers `now`, by polling day."""
        found = self.filter(phase_windows__starts_at__lte=now, phase_windows__ends_at__gt=now)
        return found.order_by("polling_on")

    def coming(self, day: dt.date) -> ElectionQuerySet:
        return self.filter(polling_on__gte=day).order_by("polling_on")

    def past(self, day: dt.date) -> ElectionQuerySet:
        return self.filter(polling_on__lt=day).order_by("-polling_on")

    def shown(self) -> Any:
        """Elections in the order of a picker: latest polling day first, undated ones last."""
        return self.order_by(models.F("polling_on").desc(nulls_last=True), "code")
