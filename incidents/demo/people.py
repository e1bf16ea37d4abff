"""The people and places of the demonstration: the fictional province, one account a role, a person at every command.

Accounts are functions, not persons. Only those whose name begins with `demo-` have a password, the one that everybody
knows; the others staff the ladder and cannot sign in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from commands.choices import BodyKind, Role
from commands.demo import PASSWORD, PREFIX
from commands.importing import load_commands_of
from commands.models import Posting, SecurityCommand, User
from elections.choices import Level
from elections.khmer import search_key
from elections.models import Jurisdiction

#: Everybody has been posted since before the first case of the demonstration.
POSTED_AT = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
PROVINCE = "KH99"
DISTRICTS = ("KH9901", "KH9902", "KH9903")
#: Names for the fictional places, so that no real one is meant.
_PLACES: list[tuple[str, Level, str, str, str, str]] = [
    (PROVINCE, Level.PROVINCE, "ខេត្ត", "province", "គំរូ", "Demo"),
    *[
        (code, Level.DISTRICT, kind_km, kind_en, f"គំរូទី{n}", f"Demo {n}")
        for n, (code, kind_km, kind_en) in enumerate(
            zip(DISTRICTS, ["ក្រុង", "ស្រុក", "ស្រុក"], ["municipality", "district", "district"], strict=True), start=1
        )
    ],
    *[
        (f"{district}{n:02}", Level.COMMUNE, "សង្កាត់" if district == DISTRICTS[0] else "ឃុំ",
         "sangkat" if district == DISTRICTS[0] else "commune", f"{km}{district[-1]}", f"{en} {district[-1]}")
        for district in DISTRICTS
        for n, (km, en) in enumerate([("អំពិល", "Tamarind"), ("ត្នោត", "Sugar Palm"), ("ឈូក", "Lotus")], start=1)
    ],
]  # fmt: skip

#: account: (role, code of the command)
ACCOUNTS: dict[str, tuple[Role, str]] = {
    "officer-takeo": (Role.OFFICER, "KH2108"),
    "duty-daunkeo": (Role.DUTY_COMMANDER, "KH2108"),
    "province-takeo": (Role.PROVINCIAL_COMMAND, "KH21"),
    "psc-watch": (Role.PSC_WATCH, "PSC"),
    "psc-integrity": (Role.INTEGRITY, "PSC-ID"),
    "nec-secretariat": (Role.NEC_SECRETARIAT, "NEC"),
    "nec-second": (Role.NEC_SECRETARIAT, "NEC"),
    "nec-integrity": (Role.INTEGRITY, "NEC-ID"),
    "ministry-analyst": (Role.MINISTRY_ANALYST, "MOI"),
    "liaison-party": (Role.LIAISON, "LIA-1"),
    "liaison-ngo": (Role.LIAISON, "LIA-2"),
    "auditor": (Role.AUDITOR, "AUDIT"),
    "admin": (Role.ADMINISTRATOR, "ADMIN"),
    "officer-9901": (Role.OFFICER, "KH9901"),
    "officer-9902": (Role.OFFICER, "KH9902"),
    "officer-9903": (Role.OFFICER, "KH9903"),
    "duty-9901": (Role.DUTY_COMMANDER, "KH9901"),
    "duty-9902": (Role.DUTY_COMMANDER, "KH9902"),
    "duty-9903": (Role.DUTY_COMMANDER, "KH9903"),
    "province-99": (Role.PROVINCIAL_COMMAND, "KH99"),
    "integrity-99": (Role.INTEGRITY, "KH99-ID"),
}
_STAFF_ROLE = {
    BodyKind.POST: ("duty", Role.DUTY_COMMANDER),
    BodyKind.DISTRICT: ("duty", Role.DUTY_COMMANDER),
    BodyKind.PROVINCE: ("province", Role.PROVINCIAL_COMMAND),
    BodyKind.INTEGRITY_DESK: ("integrity", Role.INTEGRITY),
}


@transaction.atomic
def make_demo_province() -> None:
    """Demo Province with its districts, communes and commands; what exists is left alone."""
    known = set(Jurisdiction.objects.filter(pcode__startswith=PROVINCE).values_list("pcode", flat=True))
    Jurisdiction.objects.bulk_create(
        Jurisdiction(
            pcode=code,
            level=level,
            parent_id=code[:-2],
            kind_km=kind_km,
            kind_en=kind_en,
            name_km=name_km,
            name_en=name_en,
            search_key=f"{search_key(name_km)} {search_key(name_en)}",
            is_fictional=True,
        )
        for code, level, kind_km, kind_en, name_km, name_en in _PLACES
        if code not in known
    )
    load_commands_of(Jurisdiction.objects.filter(pcode__in=[row[0] for row in _PLACES]).order_by("pcode"))


@transaction.atomic
def make_accounts() -> list[Posting]:
    """The demonstration accounts, each with its posting and the common password."""
    commands = {c.code: c for c in SecurityCommand.objects.filter(code__in=[c for _, c in ACCOUNTS.values()])}
    # One hash for all: the password is public, and each hash costs a tenth of a second on purpose.
    password = make_password(PASSWORD)
    return _make(
        (
            (f"{PREFIX}{name}", role, commands[code], password)
            for name, (role, code) in ACCOUNTS.items()
            if not User.objects.filter(username=f"{PREFIX}{name}").exists()
        )
    )


@transaction.atomic
def staff_the_ladder() -> list[Posting]:
    """A commander at every command and desk that has nobody, and an officer at every district; nobody can sign in."""
    known = set(User.objects.values_list("username", flat=True))
    staffed = set(
        Posting.objects.filter(ends_at=None, role__in=[r for _, r in _STAFF_ROLE.values()]).values_list(
            "command", flat=True
        )
    )
    wanted: list[tuple[str, Role, SecurityCommand, str]] = []
    for command in SecurityCommand.objects.active().filter(kind__in=_STAFF_ROLE):
        word, role = _STAFF_ROLE[BodyKind(command.kind)]
        if command.pk not in staffed:
            wanted.append((f"{word}-{command.code}".lower(), role, command, make_password(None)))
        if command.kind == BodyKind.DISTRICT:
            wanted.append((officer_name(command.code), Role.OFFICER, command, make_password(None)))
    return _make(row for row in wanted if row[0] not in known)


def officer_name(district: str) -> str:
    """Username of the unnamed officer at a district's command."""
    return f"officer-{district}".lower()


def _make(rows: Iterable[tuple[str, Role, SecurityCommand, str]]) -> list[Posting]:
    wanted = list(rows)
    language = settings.LANGUAGE_CODE
    people = User.objects.bulk_create(
        User(
            username=name,
            password=password,
            language=language,
            is_staff=role == Role.ADMINISTRATOR,
            is_superuser=role == Role.ADMINISTRATOR,
        )
        for name, role, _, password in wanted
    )
    return Posting.objects.bulk_create(
        Posting(user=person, role=role, command=command, starts_at=POSTED_AT, conduct_accepted_at=POSTED_AT)
        for person, (_, role, command, _) in zip(people, wanted, strict=True)
    )
