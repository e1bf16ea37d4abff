"""Made reports read like reports: long enough, in both languages, and without anybody's name or number."""

import random
import re

import pytest

from elections.khmer import canonical
from incidents.demo import mix
from incidents.demo.texts import PATTERNS, story

CODES = sorted({*mix.CATEGORIES, *mix.DEMO_CATEGORIES})
#: Only these may happen in real provinces: ordinary crime, public order, hazards, and what nobody has classified.
ORDINARY = ("CRM", "ORD", "HAZ", "UNK")


def test_every_category_of_the_mix_has_words() -> None:
    assert set(CODES) <= set(PATTERNS)


def test_misconduct_and_intimidation_stay_out_of_real_provinces() -> None:
    assert all(code.startswith(ORDINARY) for code in mix.CATEGORIES)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("khmer", [True, False])
def test_a_story_is_a_report_of_one_language(code: str, khmer: bool) -> None:
    chance = random.Random(5)
    for _ in range(20):
        words = story(code, chance, khmer=khmer)
        assert len(words.narrative) >= 20 and len(words.title) <= 120
        assert bool(re.search("[\u1780-\u17b3]", words.title + words.narrative)) is khmer
        assert not re.search(r"\d{6,}|@|https?:", words.narrative)
        assert canonical(words.narrative) == words.narrative
