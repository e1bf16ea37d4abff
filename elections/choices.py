"""The words of place and calendar: levels, phases, election types. Pure values, shared by database, API and pages."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.TextChoices):
    COUNTRY = "country", _("Country")
    PROVINCE = "province", _("Province or capital")
    DISTRICT = "district", _("District, municipality or khan")
    COMMUNE = "commune", _("Commune or sangkat")
    VILLAGE = "village", _("Village")


class Phase(models.TextChoices):
    """Where an election is in its cycle; the eight-part track of the header is every phase but BETWEEN."""

    BETWEEN = "between", _("Between elections")
    REGISTRATION = "registration", _("Voter-list check and registration")
    NOMINATION = "nomination", _("Party and candidate nomination")
    CAMPAIGN = "campaign", _("Campaign")
    SILENCE = "silence", _("Silence day and delivery of materials")
    POLLING = "polling", _("Polling")
    COUNTING = "counting", _("Counting and preliminary results")
    RESULTS = "results", _("Complaints to official results")
    AFTER = "after", _("After official results")


#: While an election site is in use: deadlines are tightest, and what stops the vote or the count weighs most.
IN_USE = (Phase.POLLING, Phase.COUNTING)


class ElectionType(models.TextChoices):
    COMMUNE_COUNCIL = "commune_council", _("Commune and sangkat councils")
    NATIONAL_ASSEMBLY = "national_assembly", _("National Assembly")
    SENATE = "senate", _("Senate")
    DISTRICT_COUNCIL = "district_council", _("Capital, provincial, municipal, district and khan councils")


class Suffrage(models.TextChoices):
    UNIVERSAL = "universal", _("Universal")
    INDIRECT = "indirect", _("Indirect")


class Basis(models.TextChoices):
    """How well a date is known; an illustrative one is never shown as official."""

    SOURCED = "sourced", _("Published")
    DERIVED = "derived", _("Derived")
    ILLUSTRATIVE = "illustrative", _("Illustrative")
