"""The admin holds reference data for administrators, and never a case."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from commands.models import Posting, User
from elections.models import Jurisdiction
from incidents.models import Incident
from tests.cast import POSTED_AT, ROLES

REGISTERED = {
    "elections.Jurisdiction",
    "elections.Election",
    "elections.PollingStation",
    "elections.RegisteredVoters",
    "commands.User",
    "commands.SecurityCommand",
    "commands.Posting",
    "incidents.Category",
    "incidents.LegalDeadline",
}


@pytest.fixture
def administrator(cast: Any, signed_in: Callable[..., Client]) -> Client:
    User.objects.filter(pk=cast.administrator.pk).update(is_superuser=True)
    return signed_in(User.objects.get(pk=cast.administrator.pk))


def test_only_reference_data_of_ours_is_registered() -> None:
    assert {m._meta.label for m in admin.site._registry} == REGISTERED


def test_the_first_page_speaks_of_people_and_offers_no_groups(administrator: Client) -> None:
    page = administrator.get("/admin/").content.decode()
    assert "Reference data" in page
    assert ">People<" in page
    assert "Groups" not in page and ">Users<" not in page
    assert "Axes" not in page and "Recent actions" not in page


@pytest.mark.parametrize("label", sorted(REGISTERED))
def test_every_list_opens(administrator: Client, label: str) -> None:
    assert administrator.get(f"/admin/{label.replace('.', '/').lower()}/").status_code == 200


def test_places_are_read_only(administrator: Client) -> None:
    page = administrator.get("/admin/elections/jurisdiction/KH21/change/")
    assert page.status_code == 200 and b'name="name_en"' not in page.content
    assert administrator.post("/admin/elections/jurisdiction/KH21/change/", {"name_en": "x"}).status_code == 403
    assert administrator.post("/admin/elections/jurisdiction/KH21/delete/", {"post": "yes"}).status_code == 403
    assert Jurisdiction.objects.get(pk="KH21").name_en == "Takeo"


@pytest.mark.parametrize(
    "label", ["commands/user", "commands/securitycommand", "commands/posting", "incidents/category"]
)
def test_what_cases_point_at_is_not_deleted(administrator: Client, label: str) -> None:
    model = next(m for m in admin.site._registry if m._meta.label_lower.replace(".", "/") == label)
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    assert administrator.post(f"/admin/{label}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_others_are_sent_to_sign_in(cast: Any, signed_in: Callable[..., Client]) -> None:
    assert signed_in(cast.psc).get("/admin/elections/election/").status_code == 302


# ---- Whoever writes postings cannot write themselves into a case ----

POSTED = {"starts_at_0": "2025-01-01", "starts_at_1": "00:00:00"} | dict.fromkeys(
    ["ends_at_0", "ends_at_1", "conduct_accepted_at_0", "conduct_accepted_at_1"], ""
)


@pytest.mark.parametrize("name", ["psc", "nec", "nec_integrity", "auditor"])
def test_an_administrator_cannot_post_themselves_where_cases_are_read(
    administrator: Client, cast: Any, name: str
) -> None:
    posting = {"user": cast.administrator.pk, "role": ROLES[name][0], "command": cast.command(name).pk} | POSTED
    page = administrator.post("/admin/commands/posting/add/", posting)
    assert page.status_code == 200 and b"reads no case" in page.content
    assert not Posting.objects.filter(user=cast.administrator, role=posting["role"]).exists()


def test_a_posting_written_past_the_admin_shows_an_administrator_no_case(
    cast: Any, make_incident: Callable[..., Any], make_sealed: Callable[..., Any]
) -> None:
    for name in ("psc", "nec_integrity"):
        posting = {"role": ROLES[name][0], "command": cast.command(name), "starts_at": POSTED_AT}
        Posting.objects.create(user=cast.administrator, **posting)
    make_incident(), make_sealed()
    person = User.objects.get(pk=cast.administrator.pk)
    assert not Incident.objects.visible_to(person).exists()
    assert not Incident.objects.detailed_to(person).exists()
    assert [p.role for p in person.current_postings] == ["administrator"]


def test_a_command_is_not_dissolved_ahead(administrator: Client, cast: Any) -> None:
    """It would stop at once: its people would see nothing and its place would have no commander until that day."""
    command = cast.command("duty_commander")
    form = {"name_en": command.name_en, "name_km": command.name_km, "force": command.force}
    page = administrator.post(
        f"/admin/commands/securitycommand/{command.pk}/change/", form | {"dissolved_on": "2999-01-01"}
    )
    assert page.status_code == 200 and b"Come back on that day" in page.content
    command.refresh_from_db()
    assert command.dissolved_on is None
