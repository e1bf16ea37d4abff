"""WHERE and WHEN: places as a tree of P-codes, elections, and their dated phases.

A P-code is its parent's code plus two digits (KH > KH12 > KH1201 > KH120101 > KH12010101), so a subtree is a prefix
and no query is recursive. The code is the primary key: a case carries its place's code in its own row, and filtering
cases by province needs no join.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from elections.choices import Basis, ElectionType, Level, Phase, Suffrage
from elections.prepared import prepared
from elections.querysets import ElectionQuerySet, JurisdictionQuerySet

#: Length of a P-code by level.
CODE_LENGTH = {Level.COUNTRY: 2, Level.PROVINCE: 4, Level.DISTRICT: 6, Level.COMMUNE: 8, Level.VILLAGE: 10}


class Bilingual(models.Model):
    """A thing with a Khmer and an English name; `name` follows the reader's language and falls back to the other."""

    name_km = models.CharField(_("name in Khmer"), max_length=200, blank=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        first, second = (self.name_km, self.name_en) if get_language() == "km" else (self.name_en, self.name_km)
        return first or second


class Jurisdiction(Bilingual):
    """A country, province, district, commune or village, under the code the national gazetteer gives it."""

    pcode = models.CharField(_("P-code"), max_length=12, primary_key=True)
    level = models.CharField(_("level"), max_length=10, choices=Level.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    #: What the place is called before its name: province, capital, district, municipality, khan, commune, sangkat.
    kind_km = models.CharField(_("kind in Khmer"), max_length=40, blank=True)
    kind_en = models.CharField(_("kind in English"), max_length=40, blank=True)
    #: Label point in degrees WGS 84, inside the largest polygon; empty where no source gives one.
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    has_outline = models.BooleanField(_("has an outline"), default=False)
    #: Canonical, case-folded names in both languages, for tolerant search.
    search_key = models.CharField(max_length=420, blank=True, editable=False)
    valid_from = models.DateField(_("exists since"), null=True, blank=True)
    valid_to = models.DateField(_("existed until"), null=True, blank=True)
    successor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="predecessors", verbose_name=_("became")
    )
    #: An invented place of the demonstration; the only place where demonstration data may hold misconduct.
    is_fictional = models.BooleanField(_("fictional"), default=False)

    objects = JurisdictionQuerySet.as_manager()

    class Meta:
        ordering = ["pcode"]
        verbose_name = _("jurisdiction")
        verbose_name_plural = _("jurisdictions")
        indexes = [
            models.Index(fields=["level", "pcode"], name="jurisdiction_level"),
            models.Index(fields=["parent", "pcode"], name="jurisdiction_children"),
        ]

    @property
    def full_name(self) -> str:
        """The name with its kind, in the reader's language: ខេត្តតាកែវ, Takeo Province."""
        if get_language() == "km":
            return f"{self.kind_km}{self.name_km}" if self.name_km else self.name_en
        return f"{self.name_en} {self.kind_en.title()}".strip()

    @property
    def province_code(self) -> str:
        return self.pcode[:4]

    @property
    def district_code(self) -> str:
        return self.pcode[:6]


class Election(Bilingual):
    """An election: who votes, when, and whether its record is closed."""

    code = models.CharField(_("code"), max_length=12, unique=True, help_text=_("As in references: CC27, SEN24."))
    type = models.CharField(_("type"), max_length=20, choices=ElectionType.choices)
    suffrage = models.CharField(_("suffrage"), max_length=10, choices=Suffrage.choices)
    polling_on = models.DateField(_("polling day"), null=True, blank=True)
    #: Where the day is not set, the year it is expected in.
    expected_year = models.PositiveSmallIntegerField(_("expected year"), null=True, blank=True)
    polls_open = models.TimeField(_("polls open"), default=dt.time(7))
    polls_close = models.TimeField(_("polls close"), default=dt.time(15))
    stations = models.PositiveIntegerField(_("polling stations"), null=True, blank=True)
    voters = models.PositiveIntegerField(_("registered voters"), null=True, blank=True)
    #: A locked election stays readable and nothing in it can be written.
    is_locked = models.BooleanField(_("locked"), default=False)
    source = models.TextField(_("source"), blank=True)

    objects = ElectionQuerySet.as_manager()

    class Meta:
        ordering = ["-polling_on", "code"]
        verbose_name = _("election")
        verbose_name_plural = _("elections")

    @cached_property
    def windows(self) -> list[PhaseWindow]:
        """Its phase windows, earliest first, read once for each object."""
        return _windows_of(self.pk)


class PhaseWindow(models.Model):
    """When a phase of an election runs: from `starts_at` up to, not including, `ends_at`.

    A window with a jurisdiction overrides the national one there and below (a re-poll at one place).
    """

    election = models.ForeignKey(Election, models.CASCADE, related_name="phase_windows", verbose_name=_("election"))
    phase = models.CharField(_("phase"), max_length=12, choices=Phase.choices)
    jurisdiction = models.ForeignKey(
        Jurisdiction, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("only in")
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    basis = models.CharField(_("basis"), max_length=12, choices=Basis.choices)
    source = models.TextField(_("source"), blank=True)

    class Meta:
        ordering = ["election", "starts_at"]
        verbose_name = _("phase window")
        verbose_name_plural = _("phase windows")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")),
                name="phase_window_ends_after_start",
                violation_error_message=_("The phase must end after it starts."),
            ),
            # Two, because an empty jurisdiction is equal to no other: one for a part of the country, one for all of it.
            models.UniqueConstraint(
                fields=["election", "phase", "jurisdiction", "starts_at"],
                name="phase_window_once_in_a_place",
                violation_error_message=_("This phase is there already, from the same moment."),
            ),
            models.UniqueConstraint(
                fields=["election", "phase", "starts_at"],
                condition=Q(jurisdiction=None),
                name="phase_window_once_in_the_country",
                violation_error_message=_("This phase is there already, from the same moment."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.election.code} {self.get_phase_display()}"


@prepared
def _windows_of(election: Any) -> models.QuerySet[PhaseWindow]:
    return PhaseWindow.objects.filter(election=election).order_by("starts_at")


class PollingStation(Bilingual):
    """A polling station of one election."""

    election = models.ForeignKey(Election, models.CASCADE, related_name="polling_stations", verbose_name=_("election"))
    code = models.CharField(_("code"), max_length=20)
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, related_name="+", verbose_name=_("place"))
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    voters = models.PositiveIntegerField(_("registered voters"), null=True, blank=True)

    class Meta:
        ordering = ["election", "code"]
        verbose_name = _("polling station")
        verbose_name_plural = _("polling stations")
        constraints = [models.UniqueConstraint(fields=["election", "code"], name="polling_station_code_once")]


class RegisteredVoters(models.Model):
    """How many voters an election has in a place: the denominator of every rate, with its source."""

    election = models.ForeignKey(Election, models.CASCADE, related_name="denominators", verbose_name=_("election"))
    jurisdiction = models.ForeignKey(Jurisdiction, models.PROTECT, related_name="+", verbose_name=_("place"))
    count = models.PositiveIntegerField(_("voters"))
    as_of = models.DateField(_("as of"))
    source = models.TextField(_("source"))

    class Meta:
        verbose_name = _("registered voters")
        verbose_name_plural = _("registered voters")
        constraints = [models.UniqueConstraint(fields=["election", "jurisdiction"], name="registered_voters_once")]

    def __str__(self) -> str:
        return f"{self.election.code} {self.jurisdiction_id}: {self.count}"
