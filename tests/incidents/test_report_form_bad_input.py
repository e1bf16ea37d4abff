"""What is typed wrong: each refusal is a sentence in the reader's language, and nothing typed is lost or stored."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from elections.models import Jurisdiction
from incidents.forms.writing import cleaned, naming_numbers
from incidents.models import Incident
from tests.cast import COMMUNE, DISTRICT, NEIGHBOUR, NOW, TAKEO

LOG = "/incidents/new/"
WORDS = "A motorbike was taken from the market while its owner bought rice."
GOOD = {
    "category": "CRM-06",
    "when": "now",
    "province": TAKEO,
    "district": DISTRICT,
    "commune": COMMUNE,
    "narrative": WORDS,
}
OTHER = {"when": "other", "date": "2027-05-24", "time": "10:00"}
#: What is typed, the field that says so, and a part of the English sentence.
TABLE: dict[str, tuple[dict[str, Any], str, str]] = {
    "no category": ({"category": ""}, "category", "Choose what it is"),
    "unknown category": ({"category": "ZZZ-99"}, "category", "not in use"),
    "a province as category": ({"category": "KH21"}, "category", "not in use"),
    "unknown severity": ({"severity": "terrible"}, "severity", "Choose one of the answers"),
    "unrated by hand": ({"severity": "unrated"}, "severity", "Choose one of the answers"),
    "unknown when": ({"when": "someday"}, "when", "Choose one of the answers"),
    "tomorrow": ({**OTHER, "date": "2027-05-26"}, "time", "That is in the future. Now it is"),
    "one minute ahead": ({**OTHER, "date": "2027-05-25", "time": "08:01"}, "time", "That is in the future"),
    "later today": ({"when": "today", "time": "23:00"}, "time", "That is in the future"),
    "no time today": ({"when": "today", "time": ""}, "time", "Write the time"),
    "no day": ({**OTHER, "date": ""}, "date", "Choose the day"),
    "31 February": ({**OTHER, "date": "2027-02-31"}, "date", "day/month/year"),
    "a word as day": ({**OTHER, "date": "yesterday"}, "date", "day/month/year"),
    "25 o'clock": ({**OTHER, "time": "25:00"}, "time", "hours:minutes"),
    "year 1": ({**OTHER, "date": "0001-01-01"}, "date", "too long ago"),
    "year 9999": ({**OTHER, "date": "9999-12-31"}, "time", "That is in the future"),
    "before the election": ({**OTHER, "date": "2019-05-24"}, "confirmed_early", "before the election began"),
    "no place": ({"province": "", "district": "", "commune": ""}, "", ""),
    "unknown commune": ({"commune": "KH210899"}, "district", "do not know that place"),
    "nonsense place": ({"commune": "' OR 1=1"}, "district", "do not know that place"),
    "place of another district": ({"commune": NEIGHBOUR + "01"}, "district", "outside the area of your posting"),
    "half a point": ({"lat": "10.99"}, "lat", "two numbers"),
    "a word as point": ({"lat": "north", "lon": "104"}, "lat", "not a position"),
    "infinite point": ({"lat": "inf", "lon": "104"}, "lat", "not a position"),
    "no number point": ({"lat": "nan", "lon": "104"}, "lat", "not a position"),
    "point off the earth": ({"lat": "91", "lon": "104"}, "lat", "not a position"),
    "point in the sea": ({"lat": "5", "lon": "100"}, "lat", "outside the country"),
    "point in Bangkok": ({"lat": "13.75", "lon": "100.5"}, "lat", "outside the country"),
    "nothing happened": ({"narrative": ""}, "narrative", "Write what happened"),
    "only spaces": ({"narrative": " \n\t " * 20}, "narrative", "Write what happened"),
    "only what cannot be seen": ({"narrative": "\u202e\u0000\u200f" * 20}, "narrative", "Write what happened"),
    "19 characters": ({"narrative": "a" * 19}, "narrative", "at least 20"),
    "100 kB": ({"narrative": "ab " * 34_000}, "narrative", "That is too long"),
    "20 001 characters": ({"narrative": "ក" * 20_001}, "narrative", "That is too long"),
    "long title": ({"title": "t" * 121}, "title", "That is too long"),
    "long exact place": ({"place_note": "p" * 201}, "place_note", "That is too long"),
    "less than none killed": ({"killed": "-1"}, "killed", "0 or more"),
    "half a person": ({"injured": "1.5"}, "injured", "whole number"),
    "a word as count": ({"injured": "some"}, "injured", "whole number"),
    "too many killed": ({"killed": "10001"}, "killed", "at most 10000"),
    "a number without end": ({"killed": "9" * 400}, "killed", "at most 10000"),
    "unknown actor": ({"actor_type": "alien"}, "actor_type", "Choose one of the answers"),
    "unknown means": ({"means": "magic"}, "means", "Choose one of the answers"),
    "unknown precision": ({"time_precision": "second"}, "time_precision", "Choose one of the answers"),
    "concerned, but who": ({"concerns": "command"}, "concerned", "Choose which unit"),
    "a unit elsewhere": ({"concerns": "command", "concerned": ["KH01"]}, "concerned", "Choose the unit again"),
    "a phone number": ({"narrative": WORDS + " Call 012-345-678."}, "confirmed_writing", "looks like a phone or ID"),
    "an ID in the title": ({"title": "Card 012345678"}, "confirmed_writing", "looks like a phone or ID"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.mark.parametrize("language", ["en", "km"])
@pytest.mark.parametrize("name", TABLE)
def test_it_is_refused_kindly_and_kept(cast: Any, signed_in: Any, name: str, language: str) -> None:
    given, field, words = TABLE[name]
    typed = {"step": "send", "id": str(uuid.uuid4()), **GOOD, **given}
    answer = signed_in(cast.officer, language=language).post(LOG, typed)
    if name == "no place":
        # The posting fixes the district: it stands even where the browser sent nothing.
        assert answer.status_code == 302
        assert Incident.objects.get().place_id == DISTRICT
        return
    assert answer.status_code == 422, answer.content.decode()[:400]
    assert not Incident.objects.exists()
    form = answer.context["form"]
    assert field in form.errors, form.errors
    shown = "".join(form.errors[field])
    if language == "en":
        assert words in shown
        for word in ("nvalid", "ubmit", "Ensure", "Enter a", "user"):
            assert word not in shown
    page = answer.content.decode()
    assert typed["id"] in page
    for kept, value in given.items():
        if isinstance(value, str) and "\x00" not in value:
            assert form.typed(kept) == value, kept


def test_every_field_that_can_be_wrong_shows_it(cast: Any, signed_in: Any) -> None:
    """Errors of each field of the table have a place on the page, so none is silent."""
    page = signed_in(cast.officer).get(LOG).content.decode()
    silent = {field for _, field, _ in TABLE.values() if field and f'data-error="{field}"' not in page}
    # Answers that only a forged form can get wrong stand above the form.
    assert silent == {"when", "actor_type", "means", "time_precision"}
    answer = signed_in(cast.officer).post(LOG, {"step": "send", **GOOD, "means": "magic"})
    assert "Choose one of the answers in the list" in answer.content.decode()


def test_a_damaged_id_is_no_reason_to_refuse(cast: Any, signed_in: Any) -> None:
    answer = signed_in(cast.officer).post(LOG, {"step": "send", "id": "not-an-id", **GOOD})
    assert answer.status_code == 302
    assert Incident.objects.count() == 1


def test_a_place_that_no_longer_exists_names_its_successor(cast: Any, signed_in: Any) -> None:
    gone = Jurisdiction.objects.get(pcode=COMMUNE)
    gone.valid_to, gone.successor_id = dt.date(2026, 1, 1), "KH210802"
    gone.save()
    answer = signed_in(cast.officer).post(LOG, {"step": "send", **GOOD})
    assert answer.status_code == 422
    assert "no longer exists" in "".join(answer.context["form"].errors["district"])
    assert not Incident.objects.exists()


def test_what_cannot_be_seen_is_taken_out_and_the_rest_stays(cast: Any, signed_in: Any) -> None:
    written = "First line\r\n  second\u202e line\u0000 with\u200b Khmer ខ្មែរ​នេះ\tand a tab.\u0007"
    answer = signed_in(cast.officer).post(LOG, {"step": "send", **GOOD, "narrative": written, "title": "A\u202eB\nC"})
    assert answer.status_code == 302
    case = Incident.objects.get()
    assert case.narrative == "First line\n  second line with\u200b Khmer ខ្មែរ​នេះ\tand a tab."
    assert case.title == "AB C"


@pytest.mark.parametrize(
    "text",
    [
        "012345678", "012 345 678", "012-345-678", "012.345.6789", "+855 12 345 678", "85512345678", "០១២៣៤៥៦៧៨",
        "097 123 4567", "ID 123456789", "123 456 789 (01)",
    ],
)  # fmt: skip
def test_numbers_that_name_a_person(text: str) -> None:
    assert naming_numbers(f"It was {text}, he said.")


@pytest.mark.parametrize(
    "text",
    [
        "2027-06-03 14:20", "at 14.20 on 03/06/2027", "5 000 000 riel", "station 0012", "12 345 voters",
        "CC27-12-000123", "KH210801", "1,652 communes", "10.98570, 104.82116",
    ],
)  # fmt: skip
def test_numbers_that_name_nobody(text: str) -> None:
    assert naming_numbers(text) == []


def test_cleaning_twice_changes_nothing_more() -> None:
    text = "a\r\nb\rc\u2028d\u202ee\x00"
    assert cleaned(text) == "a\nb\nc\nde"
    assert cleaned(cleaned(text)) == cleaned(text)


def test_a_body_that_is_no_form_is_no_crash(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    assert client.post(LOG, b"\xff\x00{", content_type="application/json").status_code == 422
    assert client.post(LOG, b"\xff\x00", content_type="multipart/form-data; boundary=x").status_code in (400, 422)
    assert client.put(LOG).status_code == 405
