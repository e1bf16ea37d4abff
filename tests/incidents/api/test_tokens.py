"""Who is let in: a live token of a living person, or a browser session; nobody else, anywhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commands.models import ApiToken
from tests.incidents.api.clients import API, is_problem, token_for

ADDRESSES = [
    "incidents/",
    "incidents.geojson",
    "jurisdictions/",
    "elections/",
    "commands/",
    "categories/",
    "schema/",
    "map/areas",
    "map/points",
    "measures/",
    "reports/weekly",
    "reports/weekly/cases.csv",
    "nothing/of/the/kind",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_stranger_is_asked_for_a_token_everywhere(db: None, address: str) -> None:
    response = Client().get(API + address)
    is_problem(response, 401, "sign-in")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_live_token_opens_the_door(cast: Any, api: Any) -> None:
    assert api(cast.officer).get(API + "incidents/").status_code == 200


@pytest.mark.parametrize(
    "state",
    [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - dt.timedelta(seconds=1)}],
    ids=["taken back", "expired"],
)
def test_a_dead_token_is_refused(cast: Any, api: Any, state: dict[str, Any]) -> None:
    is_problem(api(cast.officer, **state).get(API + "incidents/"), 401, "sign-in")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer esi_nonsense", "Bearer " + "x" * 9000, "Bearer ខ្មែរ", "Basic abc"]
)
def test_a_header_that_is_no_token_is_refused(db: None, header: str) -> None:
    is_problem(Client(headers={"authorization": header}).get(API + "incidents/"), 401, "sign-in")


def test_the_token_of_somebody_who_left_is_refused(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    cast.officer.is_active = False
    cast.officer.save()
    is_problem(client.get(API + "incidents/"), 401)


def test_a_token_carries_no_more_than_the_postings(cast: Any, api: Any, make_incident: Any) -> None:
    make_incident()
    assert api(cast.duty_commander).get(API + "incidents/").json()["results"]
    assert api(cast.relieved).get(API + "incidents/").json()["results"] == []
    assert api(cast.administrator).get(API + "incidents/").json()["results"] == []


def test_use_is_noted_at_most_once_a_minute(cast: Any) -> None:
    secret = token_for(cast.officer)
    client = Client(headers={"authorization": f"Bearer {secret}"})
    client.get(API + "categories/")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    client.get(API + "categories/")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - dt.timedelta(minutes=2))
    client.get(API + "categories/")
    assert (ApiToken.objects.get().last_used_at or first - dt.timedelta(1)) >= first


def test_a_browser_session_reads_but_writes_only_with_its_csrf_token(cast: Any, a_report: dict[str, Any]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.officer, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(API + "incidents/").status_code == 200
    response = browser.post(API + "incidents/", a_report, content_type="application/json")
    is_problem(response, 403, "not-allowed")
