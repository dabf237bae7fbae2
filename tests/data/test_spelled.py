"""Numbers and dates in words: right in every language, never the same source twice, the same pairs everywhere."""

import re
import sys
from collections import Counter
from datetime import date

import pytest

from elman.data.pairs.spelled import LANGUAGES, spelled_pairs, words_of
from elman.errors import MissingExtra, OptionError

NUMBERS = {
    "English": {0: "zero", 21: "twenty-one", 118: "one hundred and eighteen", 9_000: "nine thousand"},
    "German": {
        1: "eins",
        17: "siebzehn",
        21: "einundzwanzig",
        30: "dreißig",
        101: "einhunderteins",
        1987: "eintausendneunhundertsiebenundachtzig",
        101_000: "einhunderteintausend",
        1001: "eintausendeins",
    },
    "French": {
        21: "vingt et un",
        71: "soixante et onze",
        80: "quatre-vingts",
        97: "quatre-vingt-dix-sept",
        200: "deux cents",
        1000: "mille",
        80_000: "quatre-vingt mille",
        200_201: "deux cent mille deux cent un",
    },
    "Spanish": {
        21: "veintiuno",
        31: "treinta y uno",
        100: "cien",
        101: "ciento uno",
        500: "quinientos",
        1000: "mil",
        21_000: "veintiún mil",
        31_021: "treinta y un mil veintiuno",
        101_001: "ciento un mil uno",
    },
    "Italian": {
        21: "ventuno",
        28: "ventotto",
        3: "tre",
        33: "trentatré",
        123: "centoventitré",
        118: "centodiciotto",
        1000: "mille",
        2000: "duemila",
        3003: "tremilatré",
        18_000: "diciottomila",
    },
    "Chinese": {
        0: "零",
        2: "二",
        10: "十",
        12: "十二",
        20: "二十",
        100: "一百",
        101: "一百零一",
        110: "一百一十",
        111: "一百一十一",
        200: "二百",
        1000: "一千",
        1001: "一千零一",
        1010: "一千零一十",
        2000: "两千",
        2222: "两千二百二十二",
        10_000: "一万",
        10_001: "一万零一",
        10_100: "一万零一百",
        11_000: "一万一千",
        20_000: "两万",
        22_000: "两万二千",
        50_070: "五万零七十",
        100_000: "十万",
        110_000: "十一万",
        200_002: "二十万零二",
        205_000: "二十万五千",
        999_999: "九十九万九千九百九十九",
    },
    "Japanese": {10: "十", 100: "百", 111: "百十一", 1987: "千九百八十七", 10_000: "一万", 60_301: "六万三百一"},
}

DATES = {
    "English": "November 21, 2026",
    "German": "21. November 2026",
    "French": "21 novembre 2026",
    "Spanish": "21 de noviembre de 2026",
    "Italian": "21 novembre 2026",
    "Chinese": "2026年11月21日",
    "Japanese": "2026年11月21日",
}

PAIRS = spelled_pairs()

TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
UNITS = ["ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_and_dates_are_as_people_write_them(language: str):
    assert {number: words_of(number, language) for number in NUMBERS[language]} == NUMBERS[language]
    assert words_of(date(2026, 11, 21), language) == DATES[language]


def test_the_first_of_a_month_is_an_ordinal_in_french():
    assert words_of(date(1999, 3, 1), "French") == "1er mars 1999"
    assert words_of(date(1999, 3, 11), "French") == "11 mars 1999"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_numbers_have_the_same_words(language: str):
    numbers = [*range(2000), *range(2000, 1_000_000, 997)]
    assert len({words_of(number, language) for number in numbers}) == len(numbers)


@pytest.mark.parametrize("language", ["Chinese", "Japanese"])
def test_words_of_east_asia_read_back_as_the_number(language: str):
    for number in [*range(2000), *range(2000, 1_000_000, 997)]:
        assert read_back(words_of(number, language)) == number


def read_back(words: str) -> int:
    """The number that Chinese or Japanese words say, one character after the other."""
    whole = group = digit = 0
    for word in words.replace("两", "二"):
        if word == "万":
            whole, group, digit = (group + digit) * 10_000, 0, 0
        elif word in "十百千":
            group, digit = group + (digit or 1) * 10 ** ("十百千".index(word) + 1), 0
        else:
            digit = "零一二三四五六七八九".index(word)
    return whole + group + digit


def test_german_says_the_unit_before_the_ten():
    for ten, tens in enumerate(TENS, 2):
        for unit, units in enumerate(UNITS, 1):
            assert words_of(10 * ten + unit, "German") == f"{units}und{tens}"


def test_sources_are_digits_with_a_language_and_none_comes_twice():
    assert len(PAIRS) == len(dict(PAIRS)) == 12_000
    forms = rf"({'|'.join(LANGUAGES)}): (0|[1-9]\d{{0,5}}|(19|20)\d\d-\d\d-\d\d)"
    assert all(re.fullmatch(forms, source) and target for source, target in PAIRS)


def test_targets_are_the_words_of_their_sources():
    for source, target in spelled_pairs(500, seed=3):
        language, thing = source.split(": ")
        assert target == words_of(date.fromisoformat(thing) if "-" in thing else int(thing), language)


def test_the_last_tenth_is_like_the_rest():
    kinds = [Counter(kind for pair in part for kind in kinds_of(pair[0])) for part in (PAIRS[:-1200], PAIRS[-1200:])]
    assert kinds[0].keys() == kinds[1].keys()
    assert all(abs(kinds[0][kind] / 10_800 - kinds[1][kind] / 1_200) < 0.04 for kind in kinds[0])
    seen = {character for pair in PAIRS[:-1200] for character in pair[1]}
    assert seen >= {character for pair in PAIRS[-1200:] for character in pair[1]}


def kinds_of(source: str) -> tuple[str, str]:
    """The language, and how many digits a number has or that this is a date."""
    language, thing = source.split(": ")
    return language, "date" if "-" in thing else f"{len(thing)} digits"


def test_zero_is_learned_from_and_not_left_for_validation():
    assert sorted(source for source, _ in PAIRS[:7]) == sorted(f"{language}: 0" for language in LANGUAGES)


def test_numbers_are_of_every_length_up_to_the_longest_asked_for():
    for longest in (1, 4, 6):
        sources = [source.split(": ")[1] for source, _ in spelled_pairs(2_000, digits=longest)]
        lengths = Counter(len(source) for source in sources if "-" not in source)
        assert set(lengths) == set(range(1, longest + 1))
        assert all(lengths[length] > 200 for length in range(3, longest + 1))


def test_a_seed_gives_the_same_pairs_and_another_seed_others():
    assert spelled_pairs(50, seed=5) == spelled_pairs(50, seed=5)
    assert len(dict(spelled_pairs(50, seed=5)).keys() & dict(spelled_pairs(50, seed=6)).keys()) < 10


@pytest.mark.parametrize("count", [0, -1, 200_001])
def test_a_count_that_cannot_be_is_refused(count: int):
    with pytest.raises(OptionError, match=rf"count expects 1 to 200,000 pairs; received {count}; try 12000"):
        spelled_pairs(count)


@pytest.mark.parametrize("digits", [0, 7])
def test_digits_that_cannot_be_are_refused(digits: int):
    with pytest.raises(OptionError, match=rf"digits expects 1 to 6; received {digits}; try 4"):
        spelled_pairs(digits=digits)


def test_an_unknown_language_is_refused():
    with pytest.raises(OptionError, match="language cannot be 'Germn'; did you mean 'German'"):
        words_of(1, "Germn")


@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_a_number_out_of_range_is_refused(number: int):
    with pytest.raises(OptionError, match=rf"a number in words expects 0 to 999,999; received {number:,}"):
        words_of(number, "Chinese")


@pytest.mark.parametrize("library", ["num2words", "babel"])
def test_a_missing_library_is_named_with_the_way_to_install_it(library: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "babel.dates", raising=False)
    with pytest.raises(MissingExtra, match=rf"{library} is not installed.*pip install 'elman\[translate\]'"):
        spelled_pairs(100)
