"""What deadlines and chains rest on is changed by no administrator unseen, and nothing open is locked away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

from commands.models import User
from elections.models import Election, PhaseWindow, PollingStation, RegisteredVoters
from incidents.delivery.texts import account_sentence
from incidents.models import Category, Entry, LegalDeadline, Notice
from tests.cast import DEMO_COMMUNE, NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(cast: Cast, signed_in: Callable[..., Client]) -> Client:
    User.objects.filter(pk=cast.administrator.pk).update(is_superuser=True, is_staff=True)
    return signed_in(User.objects.get(pk=cast.administrator.pk))


def told() -> list[dict[str, Any]]:
    return [e.after for e in Entry.objects.filter(act="account", after__what="reference").order_by("pk")]


def form_of(row: Any) -> dict[str, Any]:
    return {k: v for k, v in model_to_dict(row).items() if v is not None and v is not False}


def election_form(election: Election, **more: Any) -> dict[str, Any]:
    rows = {"phase_windows-TOTAL_FORMS": "0", "phase_windows-INITIAL_FORMS": "0"}
    return form_of(election) | rows | more


def said() -> list[str]:
    """What the inbox says of it, without who did it."""
    entries = Entry.objects.filter(act="account", after__what="reference").order_by("pk")
    return [account_sentence(entry, "").removeprefix(f"{entry.by} ") for entry in entries]


def change(client: Client, row: Any, form: dict[str, Any]) -> Any:
    return client.post(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]), form)


def test_an_election_with_open_cases_is_not_locked(administrator: Client, make_incident: Any, cast: Cast) -> None:
    election = make_incident().election
    page = change(administrator, election, election_form(election, is_locked="on"))
    assert page.status_code == 200 and "Cases of this election are open." in page.content.decode()
    election.refresh_from_db()
    assert not election.is_locked and told() == []


def test_one_with_none_is_locked_and_the_psc_and_nec_are_told(
    administrator: Client, cast: Cast, signed_in: Callable[..., Client]
) -> None:
    election = Election.objects.get(code="CC27")
    assert change(administrator, election, election_form(election, is_locked="on")).status_code == 302
    assert told() == [{"what": "reference", "name": "election CC27", "fields": ["is_locked"]}]
    people = set(Notice.objects.filter(kind="account").values_list("recipient__username", flat=True))
    assert people == {cast.psc.username, cast.nec.username, cast.nec_second.username}
    inbox = signed_in(cast.psc).get(reverse("incidents:inbox")).content.decode()
    assert "changed reference data: election CC27 (locked)." in inbox


def test_a_phase_is_not_moved_unseen(administrator: Client, cast: Cast) -> None:
    election = Election.objects.get(code="CC27")
    window = PhaseWindow.objects.filter(election=election).order_by("starts_at")[0]
    at = {f"phase_windows-0-{name}_{n}": str(part) for name, moment in (
        ("starts_at", NOW), ("ends_at", NOW + dt.timedelta(hours=1))
    ) for n, part in enumerate((moment.date(), moment.strftime("%H:%M:%S")))}  # fmt: skip
    row = {
        f"phase_windows-0-{name}": value
        for name, value in form_of(window).items()
        if name not in ("starts_at", "ends_at")
    }
    counted = {"phase_windows-TOTAL_FORMS": "1", "phase_windows-INITIAL_FORMS": "1"}
    assert change(administrator, election, election_form(election) | row | at | counted).status_code == 302
    assert told() == [{"what": "reference", "name": "election CC27", "fields": [f"phase {window.phase}"]}]
    assert said() == [f"changed reference data: election CC27 ({window.get_phase_display()})."]


def test_a_deadline_of_the_law_and_a_command_too(administrator: Client, cast: Cast) -> None:
    law = LegalDeadline.objects.order_by("body")[0]
    assert change(administrator, law, form_of(law) | {"minutes": "99999"}).status_code == 302
    command = cast.command("neighbour")
    names = {"name_km": "ក", "name_en": "Other", "force": command.force}
    assert change(administrator, command, names).status_code == 302
    assert [(t["name"].split()[0], t["fields"]) for t in told()] == [
        ("legaldeadline", ["minutes"]), ("securitycommand", ["name_en", "name_km"]),
    ]  # fmt: skip
    gone = administrator.post(reverse("admin:incidents_legaldeadline_delete", args=[law.pk]), {"post": "yes"})
    assert gone.status_code == 403


# ---- Categories ----

#: What decides who learns of a case, and who has the last word on it.
LASTING = {"nature": "ordinary", "is_conflict_route": "", "group_code": "OTH", "protects_victim": ""}


def test_what_a_category_decides_stays_as_it_was_written(administrator: Client, cast: Cast, make_incident: Any) -> None:
    route = Category.objects.filter(code="INT-01")
    route.update(is_conflict_route=True, protects_victim=True)
    category = route.get()
    assert change(administrator, category, form_of(category) | LASTING).status_code == 302
    assert route.get().nature == "electoral" and route.get().is_conflict_route and route.get().protects_victim
    assert route.get().group_code == category.group_code
    assert told() == [], "nothing was changed"
    case = make_incident(category="INT-01", place=DEMO_COMMUNE, by=cast.demo_liaison)
    assert case.is_sealed


def test_what_else_a_category_says_is_not_changed_unseen(administrator: Client, cast: Cast) -> None:
    category = Category.objects.get(code="INT-01")
    form = form_of(category) | {"default_severity": "low", "retired_on": "2027-05-01"}
    assert change(administrator, category, form).status_code == 302
    assert told() == [{"what": "reference", "name": "category INT-01", "fields": ["default_severity", "retired_on"]}]
    people = set(Notice.objects.filter(kind="account").values_list("recipient__username", flat=True))
    assert people == {cast.psc.username, cast.nec.username, cast.nec_second.username}


def test_a_new_category_is_told_and_chooses_what_it_decides(administrator: Client, cast: Cast) -> None:
    form = {
        "code": "INT-77", "group_code": "INT", "group_km": "ក", "group_en": "Threats", "name_en": "Other",
        "default_severity": "high", "nature": "electoral", "is_conflict_route": "on",
    }  # fmt: skip
    assert administrator.post(reverse("admin:incidents_category_add"), form).status_code == 302
    assert Category.objects.get(code="INT-77").is_conflict_route
    assert told() == [{"what": "reference", "name": "category INT-77", "fields": ["made"]}]
    assert said() == ["entered reference data: category INT-77."]


# ---- Where people vote, and how many ----


def test_a_polling_station_and_the_number_of_voters_are_not_changed_unseen(administrator: Client, cast: Cast) -> None:
    election = Election.objects.get(code="CC27")
    station = PollingStation.objects.create(election=election, code="0007", jurisdiction_id=DEMO_COMMUNE, name_en="A")
    voters, _made = RegisteredVoters.objects.get_or_create(
        election=election, jurisdiction_id="KH99", defaults={"count": 900, "as_of": NOW.date(), "source": "-"}
    )
    assert change(administrator, station, form_of(station) | {"voters": "5"}).status_code == 302
    assert change(administrator, voters, form_of(voters) | {"count": "90000"}).status_code == 302
    assert told() == [
        {"what": "reference", "name": "pollingstation CC27 0007", "fields": ["voters"]},
        {"what": "reference", "name": "registeredvoters CC27 KH99: 90000", "fields": ["count"]},
    ]
    assert said() == [
        "changed reference data: polling station CC27 0007 (registered voters).",
        "changed reference data: registered voters CC27 KH99: 90000 (voters).",
    ]


@pytest.mark.parametrize("model", [PollingStation, RegisteredVoters])
def test_neither_is_deleted(administrator: Client, cast: Cast, model: Any) -> None:
    base = {"election": Election.objects.get(code="CC27"), "jurisdiction_id": DEMO_COMMUNE}
    more = {"code": "0007"} if model is PollingStation else {"count": 9, "as_of": NOW.date(), "source": "-"}
    row = model.objects.create(**base, **more)
    address = f"admin:elections_{model._meta.model_name}"
    assert administrator.post(reverse(f"{address}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    administrator.post(reverse(f"{address}_changelist"), chosen)
    assert model.objects.filter(pk=row.pk).exists() and told() == []
