"""Reads of commands and postings."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from commands.choices import RUNG

if TYPE_CHECKING:
    from commands.models import Posting, SecurityCommand  # noqa: F401


class SecurityCommandQuerySet(models.QuerySet["SecurityCommand"]):
    def active(self) -> SecurityCommandQuerySet:
        return self.filter(dissolved_on=None)

    def rungs(self) -> SecurityCommandQuerySet:
        """Commands of the escalation ladder, bodies beside it left out."""
        return self.filter(kind__in=list(RUNG))

    def under(self, path: str) -> SecurityCommandQuerySet:
        return self.filter(path__startswith=path)


class PostingQuerySet(models.QuerySet["Posting"]):
    def current(self, now: dt.datetime) -> PostingQuerySet:
        """Postings in force at `now`: authority and scope come from these alone."""
        return self.filter(
            Q(ends_at=None) | Q(ends_at__gt=now), starts_at__lte=now, command__dissolved_on=None, user__is_active=True
        )
