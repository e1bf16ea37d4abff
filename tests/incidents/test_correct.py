"""Correcting what was written: the same rules as for a new report, and no way round a seal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from incidents import actions
from incidents.choices import Act
from incidents.models import Category, Incident
from tests.cast import NOW, PHNOM_PENH, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db


def refusal(case: Incident, cast: Cast, **fields: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        actions.perform(
            Act.CORRECT, case, by=cast.duty_commander, version=None, now=NOW, fields=fields, reason="A mistake."
        )
    return dict(refused.value.message_dict)


def test_a_report_does_not_become_one_about_a_unit_under_the_eyes_of_that_unit(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    assert "sealed" in refusal(case, cast, category="NEU-03")["category"][0]
    case.refresh_from_db()
    assert case.category_id == "CRM-06"


def test_a_category_that_is_out_of_use_or_unknown_is_refused(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    Category.objects.filter(code="ORD-03").update(retired_on=NOW.date())
    assert list(refusal(case, cast, category="ORD-03")) == ["category"]
    assert list(refusal(case, cast, category="ZZZ-99")) == ["category"]


@pytest.mark.parametrize("point", [(48.85, 2.35), (200.0, 104.8)])
def test_a_point_abroad_or_off_the_earth_is_refused(
    cast: Cast, make_incident: Make, point: tuple[float, float]
) -> None:
    assert list(refusal(make_incident(), cast, lat=point[0], lon=point[1])) == ["lat"]


# ---- What the NEC decides on is not made something else ----


@pytest.mark.parametrize(("was", "wanted"), [("INT-01", "CRM-06"), ("INT-01", "UNK-00"), ("INF-02", "CRM-02")])
def test_a_case_for_the_nec_is_not_corrected_into_one_that_is_not(
    cast: Cast, make_incident: Make, was: str, wanted: str
) -> None:
    case = make_incident(category=was)
    assert "NEC" in refusal(case, cast, category=wanted)["category"][0]
    case.refresh_from_db()
    assert case.category_id == was


@pytest.mark.parametrize(("was", "wanted"), [("UNK-00", "CRM-06"), ("CRM-06", "INT-01"), ("INT-01", "PRC-04")])
def test_a_category_is_corrected_where_the_nec_loses_nothing(
    cast: Cast, make_incident: Make, was: str, wanted: str
) -> None:
    case = make_incident(category=was)
    act = {"version": None, "now": NOW, "fields": {"category": wanted}, "reason": "A mistake."}
    assert actions.perform(Act.CORRECT, case, by=cast.duty_commander, **act).category_id == wanted


def test_after_the_nec_found_a_case_ordinary_its_category_may_follow(cast: Cast, make_incident: Make) -> None:
    case = make_incident(category="INT-01")
    how = {"version": None, "now": NOW}
    actions.perform(Act.CLASSIFY, case, by=cast.nec, classification="ordinary", **how)
    fields = {"category": "CRM-02"}
    done = actions.perform(Act.CORRECT, case, by=cast.duty_commander, fields=fields, reason="As decided.", **how)
    assert done.category_id == "CRM-02"


@pytest.mark.parametrize("year", [1, 1027, 1999])
def test_a_mistyped_year_is_refused(cast: Cast, make_incident: Make, year: int) -> None:
    assert list(refusal(make_incident(), cast, occurred_at=dt.datetime(year, 1, 1, tzinfo=PHNOM_PENH))) == [
        "occurred_at"
    ]
    with pytest.raises(ValidationError) as refused:
        make_incident(occurred_at=dt.datetime(year, 1, 1, tzinfo=PHNOM_PENH), confirmed_early=True)
    assert list(refused.value.message_dict) == ["occurred_at"]


def test_the_form_refuses_a_mistyped_year_in_words(cast: Cast, make_incident: Make, signed_in: Any) -> None:
    case = make_incident()
    address = case.get_absolute_url() + "acts/"
    client = signed_in(cast.duty_commander)
    fields = client.get(address + "?act=correct").context["form"]
    typed = {name: fields[name].value() for name in fields.fields if fields[name].value() not in (None, False)}
    answer = client.post(address, typed | {"act": "correct", "occurred_at": "0001-01-01T00:00", "reason": "A mistake."})
    assert answer.status_code == 422
    assert "occurred_at" in answer.context["form"].errors
