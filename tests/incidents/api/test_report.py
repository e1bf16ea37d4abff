"""Reporting: once, whatever the line does; and never a word about somebody else's case."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone

from incidents.models import Incident
from tests.cast import DEMO_COMMUNE
from tests.incidents.api.clients import API, is_problem

JSON = "application/json"


def post(client: Any, content: dict[str, Any], **headers: str) -> Any:
    return client.post(API + "incidents/", content, content_type=JSON, headers=headers)


def test_a_report_makes_a_case(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    response = post(api(cast.officer), a_report)
    assert response.status_code == 201, response.content
    body = response.json()
    assert response.headers["Location"].endswith(f"{API}incidents/{body['id']}/")
    assert response.headers["ETag"] == f'"{body["version"]}"'
    assert (body["state"], body["channel"], body["severity"]) == ("reported", "api", "low")
    assert Incident.objects.get().reporter == cast.officer


@pytest.mark.parametrize("way", ["id", "header"])
def test_the_same_report_again_is_the_same_case(cast: Any, api: Any, a_report: dict[str, Any], way: str) -> None:
    client, headers = api(cast.officer), {}
    if way == "id":
        a_report["id"] = str(uuid.uuid4())
    else:
        headers = {"idempotency-key": "call-77"}
    first, second = post(client, a_report, **headers), post(client, a_report, **headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert first.headers["Location"] == second.headers["Location"]
    assert Incident.objects.count() == 1


def test_the_same_key_with_another_report_is_refused(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    client = api(cast.officer)
    post(client, a_report, **{"idempotency-key": "k"})
    other = post(client, a_report | {"narrative": "Something else happened."}, **{"idempotency-key": "k"})
    is_problem(other, 422, "key-reused")
    assert Incident.objects.count() == 1


def test_a_replay_after_a_correction_is_still_the_same_report(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    client = api(cast.officer)
    made = post(client, a_report, **{"idempotency-key": "k"}).json()
    act = {"act": "correct", "version": made["version"], "reason": "Counted again."}
    earlier = (timezone.now() - dt.timedelta(hours=3)).isoformat()
    act["fields"] = {"injured": 2, "occurred_at": earlier, "title": "Two hurt", "category": "CRM-02"}
    corrected = client.post(f"{API}incidents/{made['id']}/acts/", act, content_type=JSON)
    assert corrected.status_code == 200, corrected.content
    replay = post(client, a_report, **{"idempotency-key": "k"})
    assert replay.status_code == 200, replay.content
    assert replay.json()["injured"] == 2


@pytest.mark.parametrize(
    "other",
    [
        {"killed": 1},
        {"title": "Other"},
        {"lat": 11.0, "lon": 104.78},
        {"severity": "high"},
        {"means": "fire"},
        {"concerned": ["PSC"]},
    ],
)
def test_what_counts_as_another_report(cast: Any, api: Any, a_report: dict[str, Any], other: dict[str, Any]) -> None:
    client = api(cast.officer)
    assert post(client, a_report, **{"idempotency-key": "k"}).status_code == 201
    is_problem(post(client, a_report | other, **{"idempotency-key": "k"}), 422, "key-reused")


def test_spaces_and_unicode_forms_are_not_another_report(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    client = api(cast.officer)
    a_report["title"] = "Café"
    assert post(client, a_report, **{"idempotency-key": "k"}).status_code == 201
    again = a_report | {"title": " Cafe\u0301 ", "narrative": a_report["narrative"] + "\n"}
    assert post(client, again, **{"idempotency-key": "k"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_one_moment_make_one_case(a_report: dict[str, Any]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    from tests.cast import Cast
    from tests.incidents.api.clients import client

    officer = client(Cast().officer)

    def send(_number: int) -> int:
        try:
            return int(post(officer, a_report, **{"idempotency-key": "k"}).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(send, range(4)))
    assert statuses == [200, 200, 200, 201]
    assert Incident.objects.count() == 1


def test_the_same_key_of_two_people_is_two_cases(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    post(api(cast.officer), a_report, **{"idempotency-key": "k"})
    response = post(api(cast.duty_commander), a_report, **{"idempotency-key": "k"})
    assert response.status_code == 201, response.content
    assert Incident.objects.count() == 2


def test_an_id_of_somebody_else_is_refused_without_a_word_about_the_case(
    cast: Any, api: Any, a_report: dict[str, Any], make_incident: Any
) -> None:
    taken = make_incident(by=cast.demo_officer, place="KH990101")
    response = post(api(cast.officer), a_report | {"id": str(taken.pk)})
    body = is_problem(response, 409)
    assert taken.reference not in response.content.decode()
    assert "meanwhile" not in body


def test_a_person_without_a_reporting_role_is_refused_in_a_sentence(
    cast: Any, api: Any, a_report: dict[str, Any]
) -> None:
    body = is_problem(post(api(cast.auditor), a_report), 403, "not-allowed")
    assert len(body["detail"]) > 10
    assert not Incident.objects.exists()


def test_the_reporter_of_a_sealed_case_gets_it_back(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    unit = cast.command("demo_duty").code
    content = a_report | {"category": "INT-01", "place": "KH990101", "concerned": [unit]}
    response = post(api(cast.demo_liaison), content)
    assert response.status_code == 201, response.content
    assert response.json()["is_sealed"] is True
    assert response.json()["concerned"] == [unit]


@pytest.mark.parametrize("name", ["demo_officer", "demo_duty", "nec"])
def test_a_report_sealed_from_its_writer_is_answered_with_its_number(
    cast: Any, api: Any, a_report: dict[str, Any], name: str
) -> None:
    """Kept once, however often it is sent; «nothing here» would say that it was lost."""
    about = a_report | {"place": DEMO_COMMUNE, "concerned": [cast.command("demo_duty").code]}
    client = api(getattr(cast, name))
    first, second = (post(client, about, **{"idempotency-key": "own-unit"}) for _time in range(2))
    assert (first.status_code, second.status_code) == (202, 202), first.content
    assert first.json() == second.json() and "Location" not in first.headers
    assert set(first.json()) == {"id", "reference", "reported_at"}
    assert Incident.objects.get().is_sealed
    assert client.get(f"{API}incidents/{first.json()['id']}/").status_code == 404


def test_a_narrative_that_nobody_can_see_is_none(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    body = is_problem(post(api(cast.officer), a_report | {"narrative": "\u200b" * 30}), 400, "fields")
    assert body["errors"][0]["pointer"] == "/narrative"
