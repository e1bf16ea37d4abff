"""Who plays in the tests: one person for each role, at real commands of Takeo and in the fictional Demo Province.

    cast.officer           officer at the district command of Doun Kaev, Takeo (KH2108)
    cast.duty_commander    duty commander there
    cast.relieved          was duty commander there; the posting has ended
    cast.neighbour         duty commander of the sibling district Tram Kak (KH2109)
    cast.provincial        provincial commander of Takeo (KH21)
    cast.other_province    provincial commander of Svay Rieng (KH20)
    cast.psc               watch officer of the Permanent Security Command
    cast.nec, cast.nec_second   two officers of the NEC secretariat (who drafts does not approve)
    cast.nec_integrity     integrity officer at the NEC
    cast.ministry, cast.liaison, cast.auditor, cast.administrator
    cast.demo_officer, cast.demo_duty (KH9901), cast.demo_second_duty (KH9902), cast.demo_provincial,
    cast.demo_integrity (desk of Demo Province), cast.demo_liaison

Nobody has a password: `force_login` is enough and nothing is hashed.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from commands.choices import BodyKind, Force, Role
from commands.models import ContactPoint, Posting, SecurityCommand, User
from elections.choices import Basis, ElectionType, Level, Phase, Suffrage
from elections.models import Election, Jurisdiction, PhaseWindow
from incidents.choices import Nature, Severity
from incidents.models import Category, Policy, PolicyStep, ResponseTarget
from incidents.taxonomy import usual_steps

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")
#: A weekday morning in the campaign before the commune council elections of 2027.
NOW = dt.datetime(2027, 5, 25, 8, 0, tzinfo=PHNOM_PENH)
POSTED_AT = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
RELIEVED_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

COUNTRY, TAKEO, DISTRICT, NEIGHBOUR, OTHER_PROVINCE = "KH", "KH21", "KH2108", "KH2109", "KH20"
COMMUNE = "KH210801"
DEMO_PROVINCE, DEMO_DISTRICT, DEMO_SECOND_DISTRICT = "KH99", "KH9901", "KH9902"
DEMO_COMMUNE = "KH990101"

#: name in the cast: (role, kind of body, place)
ROLES: dict[str, tuple[Role, BodyKind, str]] = {
    "officer": (Role.OFFICER, BodyKind.DISTRICT, DISTRICT),
    "duty_commander": (Role.DUTY_COMMANDER, BodyKind.DISTRICT, DISTRICT),
    "relieved": (Role.DUTY_COMMANDER, BodyKind.DISTRICT, DISTRICT),
    "neighbour": (Role.DUTY_COMMANDER, BodyKind.DISTRICT, NEIGHBOUR),
    "provincial": (Role.PROVINCIAL_COMMAND, BodyKind.PROVINCE, TAKEO),
    "other_province": (Role.PROVINCIAL_COMMAND, BodyKind.PROVINCE, OTHER_PROVINCE),
    "psc": (Role.PSC_WATCH, BodyKind.PSC, COUNTRY),
    "nec": (Role.NEC_SECRETARIAT, BodyKind.NEC, COUNTRY),
    "nec_second": (Role.NEC_SECRETARIAT, BodyKind.NEC, COUNTRY),
    "nec_integrity": (Role.INTEGRITY, BodyKind.INTEGRITY_DESK, COUNTRY),
    "ministry": (Role.MINISTRY_ANALYST, BodyKind.MINISTRY, COUNTRY),
    "liaison": (Role.LIAISON, BodyKind.LIAISON, COUNTRY),
    "auditor": (Role.AUDITOR, BodyKind.AUDIT, COUNTRY),
    "administrator": (Role.ADMINISTRATOR, BodyKind.ADMINISTRATION, COUNTRY),
    "demo_officer": (Role.OFFICER, BodyKind.DISTRICT, DEMO_DISTRICT),
    "demo_duty": (Role.DUTY_COMMANDER, BodyKind.DISTRICT, DEMO_DISTRICT),
    "demo_second_duty": (Role.DUTY_COMMANDER, BodyKind.DISTRICT, DEMO_SECOND_DISTRICT),
    "demo_provincial": (Role.PROVINCIAL_COMMAND, BodyKind.PROVINCE, DEMO_PROVINCE),
    "demo_integrity": (Role.INTEGRITY, BodyKind.INTEGRITY_DESK, DEMO_PROVINCE),
    "demo_liaison": (Role.LIAISON, BodyKind.LIAISON, DEMO_PROVINCE),
}


class Cast:
    """The people by name; each is read from the database when first asked for, fresh in every test."""

    officer: User
    duty_commander: User
    relieved: User
    neighbour: User
    provincial: User
    other_province: User
    psc: User
    nec: User
    nec_second: User
    nec_integrity: User
    ministry: User
    liaison: User
    auditor: User
    administrator: User
    demo_officer: User
    demo_duty: User
    demo_second_duty: User
    demo_provincial: User
    demo_integrity: User
    demo_liaison: User

    def __getattr__(self, name: str) -> User:
        if name not in ROLES:
            raise AttributeError(name)
        user = User.objects.get(username=username(name))
        self.__dict__[name] = user
        return user

    def command(self, name: str) -> SecurityCommand:
        """The command or body at which the person of this name is, or was, posted."""
        return Posting.objects.select_related("command").get(user=getattr(self, name)).command

    @staticmethod
    def names() -> list[str]:
        return list(ROLES)


def username(name: str) -> str:
    return "cast-" + name.replace("_", "-")


# ---- Making it: once for each baseline ----


def create_cast() -> None:
    """Postings at the commands of the reference data; what the reference data lacks (the Demo Province) is added."""
    load_demo_province()
    for name, (role, kind, place) in ROLES.items():
        user = User(username=username(name), language="en", email=f"{username(name)}@example.org")
        user.set_unusable_password()
        user.is_staff = role == Role.ADMINISTRATOR
        user.save()
        ContactPoint.objects.create(
            user=user, channel="email", address=user.email, created_at=POSTED_AT, verified_at=POSTED_AT
        )
        Posting.objects.create(
            user=user,
            role=role,
            command=command_at(kind, place),
            starts_at=POSTED_AT,
            ends_at=RELIEVED_AT if name == "relieved" else None,
            conduct_accepted_at=POSTED_AT,
        )


PARENT_KIND = {BodyKind.DISTRICT: BodyKind.PROVINCE, BodyKind.PROVINCE: BodyKind.PSC}
#: An integrity desk stands under the body it belongs to; the other bodies stand alone.
CODES = {
    BodyKind.PSC: "PSC",
    BodyKind.NEC: "NEC",
    BodyKind.MINISTRY: "MOI",
    BodyKind.AUDIT: "AUDIT",
    BodyKind.ADMINISTRATION: "ADMIN",
}


def command_at(kind: BodyKind, place: str) -> SecurityCommand:
    """The body of this kind for this place; made, with its parents, where the reference data has none."""
    found = SecurityCommand.objects.active().filter(kind=kind, jurisdiction=place).order_by("path").first()
    if found:
        return found
    parent: SecurityCommand | None = None
    if kind in PARENT_KIND:
        parent = command_at(PARENT_KIND[kind], COUNTRY if kind == BodyKind.PROVINCE else place[:4])
    elif kind == BodyKind.INTEGRITY_DESK:
        parent = command_at(BodyKind.NEC, COUNTRY) if place == COUNTRY else command_at(BodyKind.PROVINCE, place)
    code = CODES.get(kind, place + {BodyKind.INTEGRITY_DESK: "-ID", BodyKind.LIAISON: "-LIA"}.get(kind, ""))
    police_or_civil = Force.JOINT if kind in (*PARENT_KIND, BodyKind.PSC) else Force.CIVIL
    return SecurityCommand.objects.create(
        code=code,
        kind=kind,
        force=police_or_civil,
        parent=parent,
        path=f"{parent.path if parent else ''}{code}.",
        jurisdiction_id=place,
        name_en=code,
        name_km=code,
    )


def _place(pcode: str, level: Level, name: str, kind: str, **more: Any) -> None:
    Jurisdiction.objects.get_or_create(
        pcode=pcode,
        defaults={
            "level": level,
            "parent_id": pcode[:-2] if len(pcode) > 2 else None,
            "name_en": name,
            "name_km": name,
            "kind_en": kind,
            "kind_km": kind,
            "search_key": name.casefold(),
            **more,
        },
    )


def load_demo_province() -> None:
    """The fictional province with two districts, the only place where tests may speak of misconduct."""
    _place(DEMO_PROVINCE, Level.PROVINCE, "Demo Province", "province", is_fictional=True, lat=9.5, lon=102.5)
    for number in (1, 2, 3):
        district = f"{DEMO_PROVINCE}{number:02}"
        _place(district, Level.DISTRICT, f"Demo District {number}", "district", is_fictional=True, lat=9.5, lon=102.5)
        _place(
            f"{district}01", Level.COMMUNE, f"Demo Commune {number}", "commune", is_fictional=True, lat=9.5, lon=102.5
        )
        command_at(BodyKind.DISTRICT, district)


def load_small_country() -> None:
    """A handful of real places, one election and a few categories, for when the importers are absent."""
    _place(COUNTRY, Level.COUNTRY, "Cambodia", "country")
    _place(TAKEO, Level.PROVINCE, "Takeo", "province", lat=10.9857, lon=104.82116)
    _place(DISTRICT, Level.DISTRICT, "Doun Kaev", "municipality", lat=11.008, lon=104.78293)
    _place(NEIGHBOUR, Level.DISTRICT, "Tram Kak", "district", lat=10.99178, lon=104.62644)
    _place(COMMUNE, Level.COMMUNE, "Baray", "sangkat", lat=11.0, lon=104.78)
    _place(OTHER_PROVINCE, Level.PROVINCE, "Svay Rieng", "province", lat=11.15, lon=105.83)
    election = Election.objects.create(
        code="CC27",
        type=ElectionType.COMMUNE_COUNCIL,
        suffrage=Suffrage.UNIVERSAL,
        polling_on=dt.date(2027, 6, 6),
        name_en="Commune and sangkat council election 2027",
        name_km="ការបោះឆ្នោតជ្រើសរើសក្រុមប្រឹក្សាឃុំ សង្កាត់ ២០២៧",
    )
    windows = [
        (Phase.REGISTRATION, dt.date(2026, 9, 1), dt.date(2026, 12, 1)),
        (Phase.CAMPAIGN, dt.date(2027, 5, 22), dt.date(2027, 6, 5)),
        (Phase.SILENCE, dt.date(2027, 6, 5), dt.date(2027, 6, 6)),
        (Phase.POLLING, dt.date(2027, 6, 6), dt.date(2027, 6, 7)),
    ]
    for phase, first, end in windows:
        PhaseWindow.objects.create(
            election=election,
            phase=phase,
            starts_at=dt.datetime.combine(first, dt.time(), PHNOM_PENH),
            ends_at=dt.datetime.combine(end, dt.time(), PHNOM_PENH),
            basis=Basis.ILLUSTRATIVE,
        )
    senate = Election.objects.create(
        code="SEN24",
        type=ElectionType.SENATE,
        suffrage=Suffrage.INDIRECT,
        polling_on=dt.date(2024, 2, 25),
        name_en="Senate election 2024",
        is_locked=True,
    )
    PhaseWindow.objects.create(
        election=senate,
        phase=Phase.CAMPAIGN,
        starts_at=dt.datetime(2024, 2, 10, tzinfo=PHNOM_PENH),
        ends_at=dt.datetime(2024, 2, 24, tzinfo=PHNOM_PENH),
        basis=Basis.SOURCED,
    )
    categories = [
        ("CRM-02", "CRM", "Assault", Severity.MEDIUM, Nature.ORDINARY),
        ("CRM-06", "CRM", "Theft", Severity.LOW, Nature.ORDINARY),
        ("INT-01", "INT", "Threat to voters", Severity.HIGH, Nature.ELECTORAL),
        ("PRC-04", "PRC", "Voters blocked", Severity.HIGH, Nature.ELECTORAL),
        ("HAZ-01", "HAZ", "Flood", Severity.MEDIUM, Nature.HAZARD),
        ("UNK-00", "UNK", "Not sure", Severity.MEDIUM, Nature.ELECTORAL),
    ]
    for code, group, name, severity, nature in categories:
        Category.objects.create(
            code=code,
            group_code=group,
            group_en=group,
            group_km=group,
            name_en=name,
            name_km=name,
            default_severity=severity,
            nature=nature,
        )
    minutes = {
        Severity.CRITICAL: (10, 30, 240, 60),
        Severity.HIGH: (30, 120, 1440, None),
        Severity.MEDIUM: (120, 720, 2880, None),
        Severity.LOW: (720, 2880, 14400, None),
        Severity.UNRATED: (720, 2880, 14400, None),
    }
    policy = Policy.objects.create(number=1, created_at=POSTED_AT)
    PolicyStep.objects.bulk_create(usual_steps(policy))
    for phase in Phase:
        for severity, (acknowledge, update, contain, every) in minutes.items():
            ResponseTarget.objects.create(
                policy=policy,
                phase=phase,
                severity=severity,
                acknowledge_minutes=acknowledge,
                first_update_minutes=update,
                contain_minutes=contain,
                update_every_minutes=every,
                resolve_minutes=contain * 2,
            )
    Policy.objects.filter(pk=policy.pk).update(published_at=POSTED_AT)
