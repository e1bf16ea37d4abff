"""What the tests of the API share: a client with a token, a right report, and what a problem must look like."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from commands.models import ApiToken, User
from tests.cast import COMMUNE

API = "/api/v1/"


def token_for(user: User, **fields: Any) -> str:
    """A fresh token of `user`, as it is shown once."""
    secret = ApiToken.new_secret()
    ApiToken.objects.create(
        user=user,
        name="test",
        digest=ApiToken.digest_of(secret),
        hint=secret[:8],
        **{"created_at": timezone.now()} | fields,
    )
    return secret


def client(user: User, **token: Any) -> Client:
    headers = {"authorization": f"Bearer {token_for(user, **token)}", "accept-language": "en"}
    return Client(headers=headers, raise_request_exception=False)


def report_content() -> dict[str, Any]:
    return {
        "category": "CRM-06",
        "occurred_at": timezone.now().isoformat(),
        "place": COMMUNE,
        "narrative": "A motorbike was taken from the market.",
    }


def is_problem(response: Any, status: int, kind: str = "") -> dict[str, Any]:
    """Assert that this is an RFC 9457 problem, and return it."""
    assert response.status_code == status, response.content[:500]
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "instance"} <= set(body)
    assert body["title"] and body["detail"]
    if kind:
        assert body["type"].endswith(f"#{kind}"), body
    return body
