"""The migration that makes contact points of the addresses administrators had set on accounts."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from commands.models import ContactPoint, User

pytestmark = pytest.mark.django_db


def test_each_address_becomes_one_verified_point(cast: Any) -> None:
    migration = import_module("commands.migrations.0004_emails_are_contact_points")
    before = ContactPoint.objects.count()
    User.objects.create(username="with", email="with@example.org")
    User.objects.create(username="without")
    for _again in range(2):
        migration.make_points(apps, None)
        made = ContactPoint.objects.get(user__username="with")
        assert (made.channel, made.address, made.is_on) == ("email", "with@example.org", True)
        assert made.verified_at is not None
        assert ContactPoint.objects.count() == before + 1
