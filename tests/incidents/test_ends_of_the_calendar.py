"""Days at both ends of the calendar, which no time zone can tell, are refused in words at every new form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Cast
from tests.incidents.duty_stage import plan_duty

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
ENDS = ("0001-01-01", "9999-12-31")


@pytest.mark.parametrize("day", ENDS)
def test_a_simulation(day: str, cast: Cast, signed_in: Callable[..., Client]) -> None:
    asked = {"source": "past", "policy": "general/1", "election": "CC27", "first": day, "last": day}
    page = signed_in(cast.psc).get(reverse("escalation:simulation"), asked)
    assert page.status_code == 422 and "Look at the year again." in page.content.decode()


@pytest.mark.parametrize("day", ENDS)
def test_a_code_that_was_heard(day: str, cast: Cast, signed_in: Callable[..., Client]) -> None:
    heard = {"code": "123456", "said_by": "Kaev 1", "channel": "radio", "at": f"{day}T00:00"}
    assert signed_in(cast.psc).post(reverse("escalation:codes"), heard).status_code == 422


@pytest.mark.parametrize("day", ENDS)
@pytest.mark.parametrize("do", ["look", "start"])
def test_a_drill(day: str, do: str, cast: Cast, signed_in: Callable[..., Client]) -> None:
    asked = {"name": "Monday", "minutes": "15", "command": "KH2109", "starts_at": f"{day}T23:59", "do": do}
    page = signed_in(cast.psc).post(reverse("escalation:drill_new"), asked)
    past = day == ENDS[0] and do == "look"
    assert page.status_code == (200 if past else 422)


@pytest.mark.parametrize("day", ENDS)
def test_shifts(day: str, cast: Cast, signed_in: Callable[..., Client]) -> None:
    duty, client = plan_duty(cast), signed_in(cast.provincial)
    here = cast.command("duty_commander").code
    hours: dict[str, Any] = {"person": duty.second.pk, "starts": "07:00", "until": "19:00", "first_on": day}
    for page in (
        client.post(reverse("duty:shift_new", args=[here]), {**hours, "weekdays": ["0"]}),
        client.post(reverse("duty:shift", args=[here, duty.shift.pk]), hours),
    ):
        text = page.content.decode()
        assert page.status_code == 400 and ("This day is over." in text or "within the next two years" in text)


@pytest.mark.parametrize("zone", ["+00:00", "-14:00"])
def test_a_cover_opened_from_an_address(zone: str, cast: Cast, signed_in: Callable[..., Client]) -> None:
    address = reverse("duty:cover_new", args=[cast.command("duty_commander").code])
    for day in ENDS:
        asked = {"from": f"{day}T23:59:59{zone}", "until": f"{day}T23:59:59{zone}"}
        assert signed_in(cast.provincial).get(address, asked).status_code == 200
