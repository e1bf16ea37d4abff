"""What can happen: the categories, editable reference data."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from elections.choices import IN_USE
from elections.models import Bilingual
from incidents.choices import Nature, Severity

#: A failure of power or access stops the vote or the count, so it is high then (taxonomy, HAZ-04: low, high in P5-P6).
HIGH_WHILE_IN_USE = frozenset({"HAZ-04"})


class Category(Bilingual):
    """One code of the taxonomy. Codes are never reused; peaceful assembly and criticism have none."""

    code = models.CharField(_("code"), max_length=6, primary_key=True)
    group_code = models.CharField(_("group"), max_length=3)
    group_km = models.CharField(_("group in Khmer"), max_length=120)
    group_en = models.CharField(_("group in English"), max_length=120)
    default_severity = models.CharField(_("usual severity"), max_length=8, choices=Severity.choices)
    nature = models.CharField(_("nature"), max_length=10, choices=Nature.choices)
    #: Phases the category is offered first in, space-separated; empty means all.
    phases = models.CharField(_("phases"), max_length=120, blank=True)
    is_conflict_route = models.BooleanField(_("always by the conflict-of-interest route"), default=False)
    protects_victim = models.BooleanField(_("protects the person harmed"), default=False)
    is_speech = models.BooleanField(_("speech safeguard"), default=False)
    has_legal_clock = models.BooleanField(_("complaint with a legal deadline possible"), default=False)
    ever_code = models.CharField(_("EVER code"), max_length=12, blank=True)
    acled_code = models.CharField(_("ACLED code"), max_length=60, blank=True)
    retired_on = models.DateField(_("retired on"), null=True, blank=True)
    superseded_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    is_reviewed = models.BooleanField(_("Khmer reviewed by a native reader"), default=False)

    class Meta:
        ordering = ["code"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    @property
    def group(self) -> str:
        return self.group_km if get_language() == "km" else self.group_en

    def usual_severity(self, phase: str) -> Severity:
        """What is suggested in this phase, and holds where nobody chooses; UNRATED waits for its worksheet."""
        if self.code in HIGH_WHILE_IN_USE and phase in IN_USE:
            return Severity.HIGH
        return Severity(self.default_severity)
