"""One set of filters: what is asked for is found, what is not known is refused by name, and the address says it all."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict

from elections.khmer import search_key
from incidents.filters import CaseFilter
from incidents.models import Incident
from tests.cast import COMMUNE, DISTRICT, NEIGHBOUR, NOW, TAKEO, Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db


def read(*pairs: tuple[str, str]) -> CaseFilter:
    return CaseFilter.from_query(QueryDict(urlencode(pairs)))


def found(user: Any, *pairs: tuple[str, str]) -> set[Incident]:
    return set(read(*pairs).apply(Incident.objects.visible_to(user), user, NOW))


def refusal(*pairs: tuple[str, str]) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        read(*pairs)
    return refused.value.message_dict


def test_nothing_asked_for_is_everything_in_scope(cast: Cast) -> None:
    case = plain_case()
    assert found(cast.provincial) == {case}
    assert found(cast.other_province) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("state", "opened"),
        ("state", "draft"),
        ("severity", "severe"),
        ("category", "ZZZ-01"),
        ("election", "CC99"),
        ("phase", "party"),
        ("place", "KH77"),
        ("place", "KH21\0"),
        ("owner", "NOBODY"),
        ("classification", "political"),
        ("verification", "certain"),
        ("mine", "yours"),
        ("reported_from", "yesterday"),
        ("occurred_to", "2027-02-30"),
        ("occurred_from", "0001-01-01"),
        ("occurred_to", "9999-12-31"),
        ("q", "x" * 201),
    ],
)
def test_what_is_not_known_is_refused_by_name(db: None, name: str, value: str) -> None:
    assert list(refusal((name, value))) == [name]


def test_every_mistake_is_named_at_once(db: None) -> None:
    assert set(refusal(("colour", "red"), ("state", "opened"), ("place", "KH77"))) == {"colour", "state", "place"}


def test_a_filter_given_twice_is_refused_where_one_value_makes_sense(db: None) -> None:
    assert set(refusal(("place", "KH21"), ("place", "KH20"))) == {"place"}
    assert read(("severity", "high"), ("severity", "critical")).severity == ("high", "critical")


def test_days_in_the_wrong_order_are_refused(db: None) -> None:
    assert set(refusal(("reported_from", "2027-05-02"), ("reported_to", "2027-05-01"))) == {"reported_to"}


def test_an_empty_field_of_a_form_asks_for_nothing(db: None) -> None:
    assert read(("place", ""), ("q", "  "), ("severity", "")) == CaseFilter()


@pytest.mark.parametrize(
    ("pair", "fields", "other"),
    [
        (("severity", "high"), {"severity": "high"}, {}),
        (("category", "CRM-02"), {"category_id": "CRM-02"}, {}),
        (("category", "CRM"), {}, {"category_id": "HAZ-01"}),
        (("phase", "campaign"), {}, {"phase": "silence"}),
        (("verification", "verified"), {"verification": "verified"}, {}),
        (("classification", "electoral"), {"classification": "electoral"}, {}),
        (("state", "contained"), {"state": "contained"}, {}),
        (("state", "open"), {}, {"state": "closed"}),
        (("state", "ended"), {"state": "withdrawn"}, {}),
        (("state", "late"), {"next_due_at": NOW - dt.timedelta(minutes=1)}, {}),
        (("place", DISTRICT), {}, {"place_id": NEIGHBOUR}),
        (("place", COMMUNE), {}, {"place_id": DISTRICT}),
    ],
)
def test_each_filter_finds_its_cases_and_no_others(
    cast: Cast, pair: tuple[str, str], fields: dict[str, Any], other: dict[str, Any]
) -> None:
    wanted = plain_case(**fields)
    plain_case(**other)
    assert found(cast.provincial, pair) == {wanted}


def test_dates_are_local_days_with_both_ends(cast: Cast) -> None:
    at = dt.datetime.fromisoformat
    first = plain_case(reported_at=at("2027-05-20T00:00:00+07:00"))
    last = plain_case(reported_at=at("2027-05-21T23:59:59+07:00"))
    plain_case(reported_at=at("2027-05-19T23:59:59+07:00"))
    plain_case(reported_at=at("2027-05-22T00:00:00+07:00"))
    assert found(cast.provincial, ("reported_from", "2027-05-20"), ("reported_to", "2027-05-21")) == {first, last}


def test_mine_is_reported_assigned_or_owned(cast: Cast) -> None:
    case = plain_case(assignee=cast.provincial)
    other = plain_case(owner=cast.command("provincial"), reporter=cast.provincial)
    assert found(cast.provincial, ("mine", "assigned")) == {case}
    assert found(cast.provincial, ("mine", "reported")) == {other}
    assert found(cast.provincial, ("mine", "command")) == {other}


# ---- Words ----


def _with_words(text: str, **fields: Any) -> Incident:
    return plain_case(narrative=text, search_key=search_key(text), **fields)


def test_words_are_found_whatever_their_case_and_order(cast: Cast) -> None:
    case = _with_words("A Motorbike was taken from the market.")
    _with_words("Posters were torn.")
    assert found(cast.provincial, ("q", "MARKET motorbike")) == {case}


def test_unseen_spaces_do_not_hide_khmer_words(cast: Cast) -> None:
    case = _with_words("ម៉ូតូត្រូវបានលួចនៅផ្សារ")
    assert found(cast.provincial, ("q", "លួច\u200bនៅ\u200bផ្សារ")) == {case}


@pytest.mark.parametrize("text", ["CC27-21-000131", "cc27-21-000131", " 131 ", "\u200b000131"])
def test_a_reference_is_found_whole_or_by_its_number(cast: Cast, text: str) -> None:
    case = plain_case(reference="CC27-21-000131")
    plain_case(reference="CC27-21-001310")
    assert found(cast.provincial, ("q", text)) == {case}


def test_who_may_not_read_the_narrative_does_not_find_by_it(cast: Cast) -> None:
    case = _with_words("A motorbike was taken.", reference="CC27-21-000131")
    assert found(cast.ministry, ("q", "motorbike")) == set()
    assert found(cast.auditor, ("q", "motorbike")) == set()
    assert found(cast.ministry, ("q", "CC27-21-000131")) == {case}


def test_signs_of_a_pattern_are_plain_text(cast: Cast) -> None:
    _with_words("A motorbike was taken.")
    assert found(cast.provincial, ("q", "%")) == found(cast.provincial, ("q", "_ _")) == set()


# ---- The address ----


def test_the_address_reads_back_as_the_same_filter(db: None) -> None:
    asked = read(
        ("severity", "high"), ("severity", "low"), ("place", TAKEO), ("q", "ផ្សារ"), ("occurred_from", "2027-05-01")
    )
    assert CaseFilter.from_query(QueryDict(asked.query_string())) == asked


def test_changes_take_a_parameter_out_or_add_one(db: None) -> None:
    asked = read(("severity", "high"), ("place", TAKEO))
    assert asked.query_string(place="") == "severity=high"
    assert asked.query_string(severity=(), after="x") == "place=KH21&after=x"


def test_chips_name_each_filter_and_lead_to_the_list_without_it(db: None) -> None:
    asked = read(("severity", "high"), ("place", TAKEO), ("reported_from", "2027-05-01"))
    chips = {chip.parameter: chip for chip in asked.active()}
    assert set(chips) == {"severity", "place", "reported_from"}
    assert "place" not in chips["place"].without
    assert "severity=high" in chips["place"].without


def test_the_same_question_is_the_same_key(db: None) -> None:
    assert hash(read(("place", TAKEO))) == hash(read(("place", TAKEO)))
