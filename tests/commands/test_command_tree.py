"""The tree of commands: a rung for every place, desks and bodies beside it."""

import pytest

from commands.choices import BodyKind
from commands.importing import load_commands
from commands.models import SecurityCommand


@pytest.mark.parametrize(
    ("code", "path", "kind", "place"),
    [
        ("PSC", "PSC.", BodyKind.PSC, "KH"),
        ("KH12", "PSC.KH12.", BodyKind.PROVINCE, "KH12"),
        ("KH1201", "PSC.KH12.KH1201.", BodyKind.DISTRICT, "KH1201"),
        ("KH12-ID", "PSC.KH12.KH12-ID.", BodyKind.INTEGRITY_DESK, "KH12"),
        ("PSC-ID", "PSC.PSC-ID.", BodyKind.INTEGRITY_DESK, "KH"),
        ("NEC", "NEC.", BodyKind.NEC, "KH"),
        ("NEC-ID", "NEC.NEC-ID.", BodyKind.INTEGRITY_DESK, "KH"),
        ("MOI", "MOI.", BodyKind.MINISTRY, "KH"),
        ("AUDIT", "AUDIT.", BodyKind.AUDIT, "KH"),
        ("ADMIN", "ADMIN.", BodyKind.ADMINISTRATION, "KH"),
        ("LIA-1", "LIA-1.", BodyKind.LIAISON, "KH"),
    ],
)
def test_bodies_stand_where_the_ladder_needs_them(db: None, code: str, path: str, kind: str, place: str) -> None:
    command = SecurityCommand.objects.get(code=code)
    assert (command.path, command.kind, command.jurisdiction_id) == (path, kind, place)


def test_every_province_and_district_has_its_command(db: None) -> None:
    commands = SecurityCommand.objects.filter(jurisdiction__is_fictional=False)
    assert commands.filter(kind=BodyKind.PROVINCE).count() == 25
    assert commands.filter(kind=BodyKind.DISTRICT).count() == 210
    assert commands.filter(kind=BodyKind.INTEGRITY_DESK, path__startswith="PSC.KH").count() == 25


def test_a_path_is_the_parents_path_and_the_code(db: None) -> None:
    for command in SecurityCommand.objects.select_related("parent"):
        assert command.path == f"{command.parent.path if command.parent else ''}{command.code}."


def test_names_follow_the_kind_of_place(db: None) -> None:
    names = dict(SecurityCommand.objects.values_list("code", "name_en"))
    khmer = dict(SecurityCommand.objects.values_list("code", "name_km"))
    assert names["KH12"] == "Phnom Penh Capital Command" and khmer["KH12"] == "គណៈបញ្ជាការសន្តិសុខរាជធានីភ្នំពេញ"
    assert names["KH2108"] == "Doun Kaev Municipal Command" and khmer["KH2108"] == "គណៈបញ្ជាការសន្តិសុខក្រុងដូនកែវ"
    assert names["KH21-ID"] == "Takeo Integrity Desk"


def test_a_second_load_makes_nothing_and_keeps_a_changed_name(db: None) -> None:
    SecurityCommand.objects.filter(code="KH21").update(name_en="Takeo Command")
    assert load_commands().made == 0
    assert SecurityCommand.objects.get(code="KH21").name_en == "Takeo Command"
