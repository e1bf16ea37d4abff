"""The words of the chain of command: kinds of bodies, forces, roles."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BodyKind(models.TextChoices):
    """The first four are rungs of the escalation ladder; the others are bodies beside it, never rungs under police."""

    PSC = "psc", _("Permanent Security Command")
    PROVINCE = "province", _("Capital or provincial command")
    DISTRICT = "district", _("District, municipal or khan command")
    POST = "post", _("Commune or sangkat post")
    NEC = "nec", _("NEC election-security secretariat")
    INTEGRITY_DESK = "integrity_desk", _("Integrity desk")
    MINISTRY = "ministry", _("Ministry of Interior")
    LIAISON = "liaison", _("Party, association or NGO liaison office")
    AUDIT = "audit", _("Audit office")
    ADMINISTRATION = "administration", _("System administration")


#: Ladder position by kind: R0 post, R1 district, R2 province, R3 PSC (domain: escalation ladder).
RUNG = {BodyKind.POST: 0, BodyKind.DISTRICT: 1, BodyKind.PROVINCE: 2, BodyKind.PSC: 3}


class Force(models.TextChoices):
    JOINT = "joint", _("Joint forces")
    POLICE = "police", _("National Police")
    GENDARMERIE = "gendarmerie", _("Gendarmerie")
    ARMED_FORCES = "armed_forces", _("Royal Cambodian Armed Forces")
    CIVIL = "civil", _("Civil body")


class Role(models.TextChoices):
    """What a person does at a command or body; held only through a dated Posting."""

    OFFICER = "officer", _("Officer")
    DUTY_COMMANDER = "duty_commander", _("Duty commander")
    PROVINCIAL_COMMAND = "provincial_command", _("Provincial command")
    PSC_WATCH = "psc_watch", _("PSC watch officer")
    NEC_SECRETARIAT = "nec_secretariat", _("NEC secretariat")
    INTEGRITY = "integrity", _("Integrity officer")
    MINISTRY_ANALYST = "ministry_analyst", _("Ministry analyst")
    LIAISON = "liaison", _("Party or NGO liaison")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("System administrator")


#: The days of the week in a word or less. Django has none in Khmer; its own long names are.
WEEKDAYS_SHORT = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))

#: The roles that answer for a case at a command, and are told about it.
COMMANDING = (Role.DUTY_COMMANDER, Role.PROVINCIAL_COMMAND, Role.PSC_WATCH)
#: The roles under which a command answers so that another can act for it. Nobody acts for the NEC.
DELEGATED = (*COMMANDING, Role.INTEGRITY)
