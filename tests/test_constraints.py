"""What the database itself refuses, on SQLite and PostgreSQL alike, whatever the code above it does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import Model

from elections.choices import Phase
from elections.models import Election, Jurisdiction, PhaseWindow
from incidents.choices import Severity
from incidents.models import Incident, Policy, ResponseTarget
from tests.cast import POSTED_AT

HALVES_AND_BEYOND = [(None, 104.9), (11.5, None), (None, 999), (91, 104.9), (11.5, 181)]


def refuses(row: Model) -> bool:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize(("lat", "lon"), HALVES_AND_BEYOND)
def test_a_point_is_whole_and_on_earth(make_incident: Callable[..., Any], lat: Any, lon: Any) -> None:
    case = make_incident()
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=case.pk).update(lat=lat, lon=lon)


@pytest.mark.parametrize(("lat", "lon"), [(None, None), (11.5, 104.9), (-90, 180)])
def test_a_point_may_be_missing_or_anywhere_on_earth(make_incident: Callable[..., Any], lat: Any, lon: Any) -> None:
    assert Incident.objects.filter(pk=make_incident().pk).update(lat=lat, lon=lon) == 1


@pytest.mark.parametrize("place", [None, "KH21"])
def test_a_phase_is_once_for_a_place_and_once_for_the_country(db: None, place: str | None) -> None:
    election = Election.objects.order_by("pk").first()
    starts = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)

    def window(at: dt.datetime) -> PhaseWindow:
        jurisdiction = Jurisdiction.objects.get(pk=place) if place else None
        times = {"starts_at": at, "ends_at": at + dt.timedelta(days=9)}
        return PhaseWindow(election=election, phase=Phase.CAMPAIGN, jurisdiction=jurisdiction, basis="derived", **times)

    assert not refuses(window(starts))
    assert refuses(window(starts))
    assert not refuses(window(starts + dt.timedelta(days=20)))


def test_a_phase_and_severity_has_one_target_in_a_policy(db: None) -> None:
    draft = Policy.objects.create(number=9, created_at=POSTED_AT)
    kind = {"policy": draft, "phase": Phase.CAMPAIGN, "severity": Severity.HIGH}
    minutes = dict.fromkeys(
        ["acknowledge_minutes", "first_update_minutes", "contain_minutes", "resolve_minutes", "update_every_minutes"],
        30,
    )
    assert not refuses(ResponseTarget(**kind, **minutes))
    assert refuses(ResponseTarget(**kind, **minutes))


@pytest.mark.parametrize("general", [True, False])
def test_a_version_of_a_policy_is_there_once(db: None, general: bool) -> None:
    election = None if general else Election.objects.order_by("pk").first()
    assert not refuses(Policy(election=election, number=9, created_at=POSTED_AT))
    assert refuses(Policy(election=election, number=9, created_at=POSTED_AT))


def test_the_database_supports_every_constraint(capsys: Any) -> None:
    """None is left out with a warning: what is printed at every start is read by nobody."""
    call_command("check", fail_level="WARNING")
    assert "models.W" not in capsys.readouterr().err
