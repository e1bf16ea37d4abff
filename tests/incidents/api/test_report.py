"""Reporting: once, whatever the line does; and never a word about somebody else's case."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from incidents.models import Incident
from tests.cast import NEIGHBOUR
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
    act = {"act": "correct", "version": made["version"], "fields": {"injured": 2}, "reason": "Counted again."}
    corrected = client.post(f"{API}incidents/{made['id']}/acts/", act, content_type=JSON)
    assert corrected.status_code == 200, corrected.content
    replay = post(client, a_report, **{"idempotency-key": "k"})
    assert replay.status_code == 200, replay.content
    assert replay.json()["injured"] == 2


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


def test_a_place_outside_the_reach_of_the_posting_is_refused(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    response = post(api(cast.officer), a_report | {"place": "KH990101"})
    assert response.status_code in (400, 403), (response.status_code, NEIGHBOUR)


def test_the_reporter_of_a_sealed_case_gets_it_back(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    unit = cast.command("demo_duty").code
    content = a_report | {"category": "INT-01", "place": "KH990101", "concerned": [unit]}
    response = post(api(cast.demo_liaison), content)
    assert response.status_code == 201, response.content
    assert response.json()["is_sealed"] is True
    assert response.json()["concerned"] == [unit]
