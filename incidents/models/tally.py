"""Counts kept by the transaction of each act, so a dashboard costs what the country has places, not cases."""

from __future__ import annotations

from django.db import models

from elections.models import Election
from incidents.choices import OPEN, Classification, Severity, State
from incidents.models.taxonomy import Category


class Tally(models.Model):
    """Cases of one election, district, category, severity, state and classification; no sealed case and no drill.

    No day: a day would make as many rows as cases (docs/decisions/0006-tallies.md). `DayTally` carries time.
    """

    election = models.ForeignKey(Election, models.CASCADE, related_name="+")
    district_code = models.CharField(max_length=6)
    category = models.ForeignKey(Category, models.CASCADE, related_name="+")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    state = models.CharField(max_length=16, choices=State.choices)
    classification = models.CharField(max_length=12, choices=Classification.choices)
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["election", "district_code", "category", "severity", "state", "classification"],
                name="one_tally_a_cell",
            )
        ]
        indexes = [
            # What is open, of the country or of a range of districts.
            models.Index(
                fields=["district_code", "severity"],
                condition=models.Q(state__in=OPEN),
                name="tally_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.district_code} {self.category_id} {self.severity} {self.state}: {self.count}"


class DayTally(models.Model):
    """What came in on one local day, by election, province, category group and severity; follows corrections.

    By group and province: by category and district there would be nearly as many rows as cases.
    """

    election = models.ForeignKey(Election, models.CASCADE, related_name="+")
    day = models.DateField()
    province_code = models.CharField(max_length=4)
    group_code = models.CharField(max_length=3)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    #: Incidents: reports without those joined to another, withdrawn, or found not to be an incident.
    count = models.IntegerField(default=0)
    #: Everything that was reported, and what became of it; a week's numbers are then sums of a few hundred rows.
    reports = models.IntegerField(default=0)
    duplicates = models.IntegerField(default=0)
    late_entries = models.IntegerField(default=0)
    #: Of `count`: verified, and not classified by NEC yet.
    confirmed = models.IntegerField(default=0)
    undetermined = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["election", "day", "province_code", "group_code", "severity"], name="one_day_tally_a_cell"
            )
        ]
        indexes = [models.Index(fields=["day", "province_code"], name="day_tally_by_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.province_code} {self.group_code} {self.severity}: {self.count}"
