"""A complete form names its place level by level; reading those few rows must come to what the whole choice would."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest

from elections.models import Jurisdiction
from incidents.forms import places
from tests.cast import COMMUNE, DISTRICT, TAKEO

DAY = dt.date(2027, 5, 3)
REACHES: tuple[list[str], ...] = ([DISTRICT], [TAKEO], ["KH"], [COMMUNE], [DISTRICT, "KH12"], [])


def _whole(typed: dict[str, str], reach: list[str]) -> str:
    return places.deepest({str(step.level): step.value for step in places.cascade(typed, reach, DAY)})


@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: "+".join(reach) or "none")
def test_never_another_place_than_the_whole_choice(cast: Any, reach: list[str]) -> None:
    village = Jurisdiction.objects.filter(parent=COMMUNE).order_by("pcode").values_list("pcode", flat=True).first()
    typed = itertools.product(
        ("", TAKEO, "KH12", DISTRICT),
        ("", DISTRICT, "KH1201", "KH2199"),
        ("", COMMUNE, "KH120101"),
        ("", village or "X"),
    )
    for codes in typed:
        chosen = dict(zip(map(str, places.LEVELS), codes, strict=True))
        found = places.confirmed(chosen, reach, DAY)
        assert found in ("", _whole(chosen, reach)), chosen


def test_a_complete_form_is_told_from_what_was_typed(cast: Any) -> None:
    typed = {"province": TAKEO, "district": DISTRICT, "commune": COMMUNE}
    assert places.confirmed(typed, [DISTRICT], DAY) == COMMUNE
    assert places.confirmed(typed, ["KH"], DAY) == COMMUNE
    assert places.confirmed(typed, ["KH12"], DAY) == ""


def test_a_place_that_ended_is_not_taken(cast: Any) -> None:
    Jurisdiction.objects.filter(pcode=DISTRICT).update(valid_to=DAY)
    typed = {"province": TAKEO, "district": DISTRICT, "commune": COMMUNE}
    assert places.confirmed(typed, [TAKEO], DAY) == ""


@pytest.mark.parametrize("forged", ["\0", "KH99' OR 1=1", "ខេត្ត", "KH" * 40])
def test_what_cannot_be_a_code_is_left_to_the_whole_choice(cast: Any, forged: str) -> None:
    assert places.confirmed({"province": forged, "district": DISTRICT}, ["KH"], DAY) == ""
