"""Khmer text has one encoding when stored and finds its other spellings when searched."""

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elections.khmer import canonical, loose_key, search_key

DATA = Path(__file__).resolve().parents[2] / "elections" / "data" / "kh"
KHMER = st.text(alphabet=st.characters(min_codepoint=0x1780, max_codepoint=0x17F9) | st.sampled_from(" a.:\u200b"))


@pytest.fixture(scope="module")
def names() -> list[dict[str, str]]:
    with (DATA / "gazetteer.csv").open() as units, gzip.open(DATA / "villages.csv.gz", "rt") as villages:
        return [*csv.DictReader(units), *csv.DictReader(villages)]


def test_every_name_of_the_gazetteer_is_stable_after_one_pass(names: list[dict[str, str]]) -> None:
    assert len(names) == 16465
    assert all(canonical(once) == once for once in (canonical(row["name_km"]) for row in names))
    assert all(search_key(once) == once for once in (search_key(row["name_km"]) for row in names))


def test_33_names_are_repaired_beside_the_folded_subscripts(names: list[dict[str, str]]) -> None:
    def folded(text: str) -> str:
        return text.replace("\u17d2\u178a", "\u17d2\u178f")

    assert sum(folded(row["name_km"]) != canonical(row["name_km"]) for row in names) == 33


def test_siblings_that_differ_stay_different(names: list[dict[str, str]]) -> None:
    written = {(row["parent_code"], row["name_km"].replace("\u17d2\u178a", "\u17d2\u178f")) for row in names}
    stored = {(row["parent_code"], canonical(row["name_km"])) for row in names}
    assert len(written) == len(stored)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ឧត្ដរ", "ឧត្តរ"),
        ("មន្រ្តី", "មន្ត្រី"),
        ("ហ៊្វុន", "ហ្វ៊ុន"),
        ("អញ្ជេីញ", "អញ្ជើញ"),
        ("ពៅ្ន", "ព្នៅ"),
        ("ដំណាក់់", "ដំណាក់"),
        ("ភ្នំ\u200bពេញ", "ភ្នំពេញ"),
        ("ភ្នំ\u00a0ពេញ", "ភ្នំ ពេញ"),
        ("Takeo", "Takeo"),
    ],
)
def test_spellings_that_look_the_same_are_stored_the_same(typed: str, stored: str) -> None:
    assert canonical(typed) == canonical(stored) == stored


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("គ.ជ.ប", "គជប"),
        ("គ.ជ.ប.", "គជប"),
        ("ឃុំ-សង្កាត់", "ឃុំ សង្កាត់"),
        ("អោយ", "ឱ្យ"),
        ("ឲ្យ", "ឱ្យ"),
        ("គណ:កម្ម", "គណៈកម្ម"),
        ("ផ្លូវ ២៧១", "ផ្លូវ 271"),
        ("TAKEO", "takeo"),
    ],
)
def test_spellings_of_one_word_share_a_key(one: str, other: str) -> None:
    assert search_key(one) == search_key(other)


def test_the_loose_key_drops_signs_that_writers_leave_out() -> None:
    assert loose_key("ព័ត៌មាន") == loose_key("ពត៌មាន") == loose_key("ព៌តមាន")
    assert search_key("ព័ត៌មាន") != search_key("ពត៌មាន")


@given(KHMER)
def test_any_text_is_stable_after_one_pass(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
    assert search_key(search_key(text)) == search_key(text)
