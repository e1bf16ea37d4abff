"""Making the commands and bodies of a country from `commands.json` of its data folder: idempotent by code.

A command that exists is left as it is: names are an administrator's to change. Nothing is dissolved here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction

from commands.choices import Force
from commands.models import SecurityCommand
from elections import geometry
from elections.choices import Level
from elections.importing import Loaded
from elections.models import Jurisdiction


def load_commands(*, dry_run: bool = False) -> Loaded:
    """National bodies, then for every real province a command and an integrity desk, for every district a command."""
    places = Jurisdiction.objects.filter(is_fictional=False, level__in=[Level.PROVINCE, Level.DISTRICT], valid_to=None)
    wanted = [*_bodies(), *_of_places(places.order_by("pcode"))]
    return _make(wanted, dry_run=dry_run)


def load_commands_of(places: Iterable[Jurisdiction], *, dry_run: bool = False) -> Loaded:
    """The commands of these places alone, parents before children; communes get a post."""
    return _make(_of_places(places), dry_run=dry_run)


def _plan() -> dict[str, Any]:
    return dict(json.loads((settings.COUNTRY_DATA / "commands.json").read_text(encoding="utf-8")))


def _bodies() -> list[SecurityCommand]:
    root = geometry.country()["code"]
    return [
        SecurityCommand(
            code=body["code"],
            kind=body["kind"],
            force=body["force"],
            path=f"{body['parent']}.{body['code']}." if body["parent"] else f"{body['code']}.",
            jurisdiction_id=root,
            name_en=body["name_en"],
            name_km=body["name_km"],
        )
        for body in _plan()["bodies"]
    ]


def _of_places(places: Iterable[Jurisdiction]) -> list[SecurityCommand]:
    plan = _plan()
    top, patterns = plan["ladder_root"], plan["by_place"]
    made = []
    for place in places:
        above = {
            Level.PROVINCE: [],
            Level.DISTRICT: [place.province_code],
            Level.COMMUNE: [place.province_code, place.district_code],
        }[Level(place.level)]
        made.append(_command(place, patterns[place.level], [top, *above]))
        if place.level == Level.PROVINCE:
            made.append(_command(place, patterns["integrity_desk"], [top, place.pcode]))
    return made


def _command(place: Jurisdiction, pattern: dict[str, Any], above: list[str]) -> SecurityCommand:
    code = place.pcode + pattern["suffix"]
    english = pattern["name_en"].get(place.kind_en) or next(iter(pattern["name_en"].values()))
    return SecurityCommand(
        code=code,
        kind=pattern["kind"],
        force=Force.JOINT,
        path=".".join([*above, code, ""]),
        jurisdiction=place,
        name_en=english.format(name=place.name_en),
        name_km=pattern["name_km"].format(kind=place.kind_km, name=place.name_km),
    )


def _make(wanted: list[SecurityCommand], *, dry_run: bool) -> Loaded:
    known = {c.path: c for c in SecurityCommand.objects.all()}
    new = [c for c in wanted if c.path not in known]
    if not dry_run:
        with transaction.atomic():
            # One length of path at a time: a parent has its key before its children point at it.
            for depth in sorted({c.path.count(".") for c in new}):
                level = [c for c in new if c.path.count(".") == depth]
                for command in level:
                    command.parent = known.get(".".join([*command.path.split(".")[:-2], ""]))
                SecurityCommand.objects.bulk_create(level)
                known |= {c.path: c for c in level}
    return Loaded("commands", len(new), 0, len(wanted) - len(new))
