"""Refusals: always RFC 9457, whatever was sent, and nothing told about what is not yours to see."""

from __future__ import annotations

import base64
import json
import logging
import uuid
from typing import Any

import pytest
from django.test import override_settings

from tests.incidents.api.clients import API, is_problem

JSON = "application/json"


def test_unknown_filters_are_refused_by_name(cast: Any, api: Any) -> None:
    body = is_problem(api(cast.officer).get(API + "incidents/?sevrity=high&colour=red"), 400, "parameters")
    assert {e["parameter"] for e in body["errors"]} == {"sevrity", "colour"}


def test_unknown_values_are_refused_by_name(cast: Any, api: Any) -> None:
    body = is_problem(api(cast.officer).get(API + "incidents/?severity=awful"), 400, "parameters")
    assert [e["parameter"] for e in body["errors"]] == ["severity"]


@pytest.mark.parametrize(
    "query",
    [
        "page_size=0",
        "page_size=201",
        "page_size=many",
        "page_size=²",
        "cursor=x",
        "cursor=WzBd",
        "cursor=é",
        "q=%00",
        "place=%00",
        "%00=1",
        "cursor=WzAsICIyMDI3IiwgIngiXQ",
        # The ends of the calendar, which have no moment in UTC: [0, "0001-01-01T00:00:00+14:00", …] and 9999.
        "cursor=WzAsICIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgIjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMSJd",
        "cursor=WzAsICI5OTk5LTEyLTMxVDIzOjU5OjU5LTE0OjAwIiwgIjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMSJd",
        "occurred_from=0001-01-01",
        "reported_to=9999-12-31",
    ],
)
def test_impossible_parameters_are_refused(cast: Any, api: Any, query: str) -> None:
    is_problem(api(cast.officer).get(API + "incidents/?" + query), 400)


@pytest.mark.parametrize(
    "address",
    [
        "jurisdictions/?colour=red",
        "elections/?colour=red",
        "commands/?kind=nonsense",
        "jurisdictions/?level=galaxy",
        "jurisdictions/?on=yesterday",
        "categories/?phase=x",
        "jurisdictions/?parent=KH77",
    ],
)
def test_reference_lists_refuse_what_they_do_not_know(cast: Any, api: Any, address: str) -> None:
    is_problem(api(cast.officer).get(API + address), 400, "parameters")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"a": NaN}',
        b"[" * 100_000,
        b"",
        b'{"narrative": "\\ud800"}',
        b'{"killed": ' + b"9" * 6000 + b"}",
    ],
)
def test_content_that_is_no_json_object_is_refused(cast: Any, api: Any, content: bytes) -> None:
    is_problem(api(cast.officer).post(API + "incidents/", content, content_type=JSON), 400)


@pytest.mark.parametrize(
    "content",
    [
        b'{"severity": "\\ud800"}',
        b'{"category": "\\uDFFF", "severity": "\\udbff"}',
        b'{"concerned": ["\\ud83d"]}',
        b'{"\\ud800": 1}',
        b'{"colour": {"a": ["\\udc00"]}}',
    ],
)
def test_half_of_a_character_is_refused_wherever_it_stands(cast: Any, api: Any, content: bytes) -> None:
    is_problem(api(cast.officer).post(API + "incidents/", content, content_type=JSON), 400, "bad-request")


def test_in_an_act_too_and_from_a_charset_that_has_such_halves(cast: Any, api: Any, make_incident: Any) -> None:
    client, address = api(cast.duty_commander), f"{API}incidents/{make_incident().pk}/acts/"
    act = b'{"act": "raise_severity", "version": 1, "severity": "%s"}'
    is_problem(client.post(address, act % rb"\ud800", content_type=JSON), 400, "bad-request")
    # `generic` sends the bytes as they are.
    utf_7 = client.generic("POST", address, act % b"+2AA-", content_type=JSON + "; charset=utf-7")
    is_problem(utf_7, 400, "bad-request")


def test_a_whole_character_written_in_two_halves_is_read(cast: Any, api: Any, a_report: dict[str, Any]) -> None:
    content = a_report | {"narrative": "A motorbike was taken. \N{FACE WITH TEARS OF JOY}"}
    sent = json.dumps(content)
    assert "\\ud83d\\ude02" in sent
    answer = api(cast.officer).post(API + "incidents/", sent, content_type=JSON)
    assert answer.status_code == 201 and answer.json()["narrative"] == content["narrative"]


def test_half_of_a_character_in_a_cursor_is_refused(cast: Any, api: Any) -> None:
    cursor = base64.urlsafe_b64encode(b'[0, "\\ud800"]').decode().rstrip("=")
    body = is_problem(api(cast.officer).get(f"{API}categories/?cursor={cursor}"), 400, "parameters")
    assert "Take the cursor" in body["detail"]


def test_a_charset_that_does_not_exist_is_refused(cast: Any, api: Any) -> None:
    is_problem(
        api(cast.officer).generic("POST", API + "incidents/", b"{}", content_type=JSON + "; charset=nonsense"), 400
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("narrative", "a\0b"),
        ("narrative", ["a"]),
        ("narrative", "x" * 100_000),
        ("narrative", " "),
        ("killed", -1),
        ("killed", 10**30),
        ("killed", "many"),
        ("lat", "nan"),
        ("lat", 91),
        ("lon", True),
        ("lat", 1e400),
        ("occurred_at", "yesterday"),
        ("occurred_at", "0001-01-01T00:00:00+14:00"),
        ("occurred_at", 5),
        ("occurred_at", "9999-12-31T23:59:59-14:00"),
        ("category", "ZZZ-99"),
        ("category", {"code": "CRM-06"}),
        ("category", "a\0b"),
        ("place", "KH77"),
        ("place", "a\0"),
        ("severity", "awful"),
        ("concerned", "PSC"),
        ("concerned", ["nonsense"]),
        ("election", "XX99"),
        ("id", "not-a-uuid"),
        ("colour", "red"),
        ("title", "x" * 121),
        ("place_note", "x" * 201),
        ("is_gender_based", "perhaps"),
    ],
)
def test_a_bad_field_is_named(cast: Any, api: Any, a_report: dict[str, Any], field: str, value: Any) -> None:
    content = a_report | {field: value}
    if value == 1e400:
        content[field] = 1e308
    body = is_problem(api(cast.officer).post(API + "incidents/", content, content_type=JSON), 400, "fields")
    assert any(e["pointer"].startswith(f"/{field}") for e in body["errors"]), body


def test_another_content_type_is_refused(cast: Any, api: Any) -> None:
    is_problem(api(cast.officer).post(API + "incidents/", "<a/>", content_type="text/xml"), 415, "media-type")


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
def test_content_beyond_the_limit_is_refused(cast: Any, api: Any) -> None:
    is_problem(
        api(cast.officer).post(API + "incidents/", {"narrative": "x" * 2000}, content_type=JSON), 413, "too-large"
    )


def test_another_method_is_refused(cast: Any, api: Any) -> None:
    response = api(cast.officer).delete(API + "incidents/")
    is_problem(response, 405, "method")
    assert "GET" in response.headers["Allow"]


def test_a_format_that_is_not_offered_is_refused(cast: Any, api: Any) -> None:
    is_problem(api(cast.officer).get(API + "incidents/?format=kml"), 406)
    is_problem(api(cast.officer).get(API + "incidents/", headers={"accept": "text/html"}), 406)


def test_addresses_that_do_not_exist_are_problems(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    is_problem(client.get(API + "nothing/"), 404, "not-found")
    is_problem(client.get(API + f"incidents/{uuid.uuid4()}/"), 404, "not-found")
    is_problem(client.post(API + "incidents/1/acts/"), 404, "not-found")


def test_too_many_requests_say_how_long_to_wait(cast: Any, api: Any, monkeypatch: Any) -> None:
    from incidents.api.throttling import ClientThrottle

    monkeypatch.setattr(ClientThrottle, "THROTTLE_RATES", {"user": "2/min"})
    client, other = api(cast.officer), api(cast.officer)
    assert [client.get(API + "categories/").status_code for _ in range(3)] == [200, 200, 429]
    response = client.get(API + "categories/")
    is_problem(response, 429, "too-many")
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert other.get(API + "categories/").status_code == 200, "each token has its own allowance"


def test_a_failure_of_ours_is_a_problem_with_an_id_in_the_log(
    cast: Any, api: Any, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from incidents.api import reference

    def fail(*_args: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(reference.Categories, "get_queryset", fail)
    with caplog.at_level(logging.ERROR):
        response = api(cast.officer).get(API + "categories/")
    body = is_problem(response, 500, "our-fault")
    assert b"secret detail" not in response.content
    assert body["id"] in caplog.text
    assert "secret detail" in caplog.text


def test_problems_speak_the_readers_language_and_say_what_type_they_are(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    types = {row["type"] for row in client.get(API + "problems/").json()}
    assert client.get(API + "nothing/").json()["type"] in types


@pytest.mark.parametrize(
    "content", [b'{"severity": "critical", "severity": "low"}', b'{"fields": {"killed": 2, "killed": 0}}']
)
def test_a_name_given_twice_is_refused(cast: Any, api: Any, content: bytes) -> None:
    """The last one would win, and the sender may have meant the first."""
    response = api(cast.officer).post(API + "incidents/", content, content_type="application/json")
    assert "twice" in is_problem(response, 400, "bad-request")["detail"]
