"""The OpenAPI description: committed, complete, true, and nothing it describes makes the server fail."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.urls import get_resolver

from tests.incidents.api.clients import API, is_problem, token_for

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"


def test_the_committed_description_is_what_the_code_says(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), lang="en", validate=True, fail_on_warn=True)
    assert made.read_text() == COMMITTED.read_text(), (
        "The API changed. Run: manage.py spectacular --lang en --file docs/openapi.yaml, and read the difference."
    )


def test_it_is_a_valid_openapi_3_1_document() -> None:
    from openapi_spec_validator import validate

    document = yaml.safe_load(COMMITTED.read_text())
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_address_of_the_api_is_in_it() -> None:
    described = {path.replace("{", "").replace("}", "") for path in yaml.safe_load(COMMITTED.read_text())["paths"]}
    inside: Any = next(p for p in get_resolver().url_patterns if getattr(p, "namespace", "") == "api")
    for pattern in inside.url_patterns:
        if pattern.name in ("schema", "docs", "nothing-here"):
            continue
        route = API + str(pattern.pattern)
        for converter in ("uuid:", "slug:", "str:", "int:"):
            route = route.replace("<" + converter, "").replace(">", "")
        assert route.replace("pk", "id") in described, route


def test_it_is_served_to_whoever_holds_a_token(cast: Any, api: Any) -> None:
    client = api(cast.officer)
    assert client.get(API + "schema/?format=json").json()["info"]["title"]
    is_problem(client.get(API + "schema/?format=nonsense"), 406)


def test_the_documentation_page_has_nothing_inline_and_nothing_from_elsewhere(cast: Any, signed_in: Any) -> None:
    page = signed_in(cast.officer).get(API + "docs/").content.decode()
    assert "<style" not in page and " style=" not in page and "<script>" not in page
    assert "http://" not in page and "https://" not in page
    script = signed_in(cast.officer).get(API + "docs/?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")


def test_the_documentation_page_asks_a_stranger_to_sign_in(client: Any) -> None:
    response = client.get(API + "docs/")
    assert response.status_code == 302
    assert "next=" in response.headers["Location"]


@pytest.fixture
def _one_connection(db: None) -> Iterator[None]:
    """Requests over WSGI stay inside the test's transaction, as those of Django's own test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("name", ["duty_commander", "nec"])
def test_nothing_it_describes_makes_the_server_fail(cast: Any, make_incident: Any, name: str) -> None:
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings

    incident = make_incident()
    headers = {"Authorization": f"Bearer {token_for(getattr(cast, name))}", "Accept-Language": "en"}
    schema = schemathesis.openapi.from_wsgi(
        API + "schema/?format=json&lang=en", get_wsgi_application(), headers=headers
    )
    rarely = settings(
        max_examples=12,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    tried = 0
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]

        @rarely
        @given(case=operation.as_strategy())
        def attempt(case: Any) -> None:
            nonlocal tried
            if "id" in (case.path_parameters or {}) and random.Random(tried).random() < 0.8:
                case.path_parameters["id"] = str(incident.pk)
            response = case.call(headers=headers)
            assert response.status_code < 500, (case.as_curl_command(), response.text[:800])
            tried += 1

        attempt()
    assert tried > 100
