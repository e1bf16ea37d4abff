"""The admin holds reference data for administrators, and never a case."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from commands.models import User
from elections.models import Jurisdiction

REGISTERED = {
    "elections.Jurisdiction",
    "elections.Election",
    "elections.PollingStation",
    "elections.RegisteredVoters",
    "commands.User",
    "commands.SecurityCommand",
    "commands.Posting",
    "incidents.Category",
    "incidents.ResponseTarget",
}


@pytest.fixture
def administrator(cast: Any, signed_in: Callable[..., Client]) -> Client:
    User.objects.filter(pk=cast.administrator.pk).update(is_superuser=True)
    return signed_in(User.objects.get(pk=cast.administrator.pk))


def test_only_reference_data_of_ours_is_registered() -> None:
    ours = {m._meta.label for m in admin.site._registry if m._meta.app_label in ("elections", "commands", "incidents")}
    assert ours == REGISTERED


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
