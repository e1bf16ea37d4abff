"""Clients of the API as other systems are. Imports wait for Django, which the upper conftest sets up later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def api(db: None) -> Callable[..., Any]:
    """`api(user)` gives a client with a token of that person, answered in English."""
    from tests.incidents.api.clients import client

    return client


@pytest.fixture
def a_report() -> dict[str, Any]:
    """The content of a report that is right in every respect, made now."""
    from tests.incidents.api.clients import report_content

    return report_content()
