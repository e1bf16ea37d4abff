"""S2: on polling morning water stands in a station. It is answered, moved by the NEC, and the public is told.

In process, at a chosen time: the running system of the other journeys lives in real time, and this is about a day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from incidents import actions, cap, notices
from incidents.escalation import engine
from incidents.models import Incident, Notice
from tests.cast import PHNOM_PENH, Cast

pytestmark = pytest.mark.django_db

#: Polling day of the commune council elections, before the polls open.
T0 = dt.datetime(2027, 6, 6, 5, 20, tzinfo=PHNOM_PENH)


def at(minutes: int) -> dt.datetime:
    return T0 + dt.timedelta(minutes=minutes)


def test_a_flooded_station_is_moved_and_the_public_is_told(
    cast: Cast, make_incident: Callable[..., Incident], signed_in: Callable[..., Client], time_machine: Any
) -> None:
    case = make_incident(
        by=cast.officer,
        now=T0,
        category="HAZ-01",
        occurred_at=at(-20),
        narrative="The way to the station stands under 40 cm of water.",
        stations_affected=1,
        voters_affected=420,
        # Medium by its category; the station is in use, so the officer goes one up.
        severity="high",
    )
    told = {n.recipient.username for n in Notice.objects.filter(incident=case)}
    assert {"cast-duty-commander", "cast-provincial"} <= told, "district and province hear of it at once"

    case = act("acknowledge", case, cast.duty_commander, at(4), note="Boats are on their way.")
    moved = {"station": "Station 3", "old_place": "Primary school", "new_place": "Pagoda hall", "voters_affected": 420}
    case = act("relocate_station", case, cast.nec, at(12), **moved)
    assert case.station_changes.get().new_place == "Pagoda hall"

    case = act("verify", case, cast.provincial, at(14), verification="verified", note="Seen by the province.")

    draft = notices.draft(case, by=cast.nec, now=at(20), **words(case))
    with pytest.raises(PermissionDenied):
        notices.issue(draft, by=cast.nec, now=at(22))
    issued = notices.issue(draft, by=cast.nec_second, now=at(24))
    assert "2027-06-06T05:44:00+07:00" in issued.alert_xml, "local time with its offset"
    assert "<category>Met</category>" in issued.alert_xml
    assert cap.problems(issued.alert_xml) == []
    public = Client().get(reverse("nec:cap", args=[issued.pk]))
    assert (public.status_code, public["Content-Type"].partition(";")[0]) == (200, "application/cap+xml")

    case = act("contain", case, cast.duty_commander, at(140), note="The first voter has voted at the new place.")
    assert case.state == "contained"
    engine.tick(at(150), "test")
    case.refresh_from_db()
    assert case.owner == cast.command("duty_commander"), "what was answered in time does not move"

    time_machine.move_to(at(150), tick=False)
    page = signed_in(cast.nec).get(reverse("dashboards:page"))
    assert page.status_code == 200
    called_off = notices.cancel(issued, by=cast.nec_second, now=at(60 * 24), reason="The water has gone.")
    assert cap.identifier(issued) in called_off.cancel_xml, "the cancellation names the alert it ends"
    timeline = signed_in(cast.provincial).get(case.get_absolute_url()).content.decode()
    assert "Pagoda hall" in timeline


def words(case: Incident) -> dict[str, Any]:
    return {
        "area": case.place_id[:6],
        "category": "Met",
        "event_km": "ទឹកជំនន់",
        "event_en": "Flood",
        "headline_km": "ការិយាល័យបោះឆ្នោតបានផ្លាស់ទី",
        "headline_en": "A polling station has moved",
        "instruction_km": "សូមទៅសាលាវត្ត។",
        "instruction_en": "Please go to the pagoda hall.",
        "expires_at": at(60 * 10),
    }


def act(name: str, case: Incident, by: Any, now: dt.datetime, **data: Any) -> Incident:
    return actions.perform(name, case, by=by, version=case.version, now=now, **data)
