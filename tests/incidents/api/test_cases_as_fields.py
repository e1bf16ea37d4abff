"""A case is written out by hand for speed: it must be what its fields, and so the schema, say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.serializers import ModelSerializer

from commands.models import User
from incidents import intake
from incidents.api.serializers import DETAILS, IncidentDetailSerializer, IncidentSerializer
from incidents.models import Incident, Referral
from tests.cast import COMMUNE


@pytest.mark.parametrize("zone", ["Asia/Phnom_Penh", "UTC"])
@pytest.mark.parametrize("is_detailed", [True, False])
@pytest.mark.parametrize("kind", [IncidentSerializer, IncidentDetailSerializer])
def test_by_hand_and_by_field(
    cast: Any, now: dt.datetime, kind: type[IncidentSerializer], is_detailed: bool, zone: str
) -> None:
    incident = _case(cast.officer, now)
    context = {
        "detailed": {incident.pk} if is_detailed else set(),
        "acts": ["update"],
        "merged_into": None,
        "concerned": ["KH12"],
        "referrals": {1: Referral(body="cec", document="12/27", sent_at=now, due_at=now + dt.timedelta(days=2))},
    }
    made = kind(incident, context=context)
    with timezone.override(zone):
        by_field = dict(ModelSerializer.to_representation(made, incident))
        if not is_detailed:
            by_field = {name: value for name, value in by_field.items() if name not in (*DETAILS, "concerned")}
        assert made.data == by_field
        assert list(made.data) == list(by_field)


def _case(by: User, now: dt.datetime) -> Incident:
    data = intake.Report(
        category="CRM-06", severity="medium", occurred_at=now - dt.timedelta(seconds=0.5), place=COMMUNE,
        narrative="A motorbike was taken.", lat=10.9, lon=104.8, point_precision="exact",
    )  # fmt: skip
    incident = intake.report(data, by=by, now=now)
    made = Incident.objects.with_names().get(pk=incident.pk)
    made.assignee = by
    return made
