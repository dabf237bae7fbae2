"""Numbers and dates with their words in seven languages: pairs to translate that need no file."""

import re
from datetime import date
from random import Random

from elman.errors import OptionError, check_option, optional

LANGUAGES = {
    "English": "en",
    "German": "de",
    "French": "fr",
    "Spanish": "es",
    "Italian": "it",
    "Chinese": "zh",
    "Japanese": "ja",
}
"""What a source calls a language, and its code."""

LONGEST = 6
"""Digits of the largest numbers there can be."""

DATES_SHARE = 0.15
"""Of what is drawn; of the pairs it is more, since short numbers run out."""

MOST_PAIRS = 200_000
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2099, 12, 31)

CORRECTIONS = {
    "de": [("einstausend", "eintausend")],
    "es": [("veintiuno mil", "veintiún mil"), ("uno mil", "un mil")],
    "fr": [("^1 ", "1er ")],
    "it": [("dicotto", "diciotto"), ("(?<=.)tre$", "tré")],
}
"""Patterns of what the libraries get wrong, and what is right."""


def spelled_pairs(count: int = 12_000, seed: int = 0, *, digits: int = LONGEST) -> list[tuple[str, str]]:
    """Numbers and dates from 1900 to 2099 in digits, and how seven languages write them, in random order.

    Every language is as frequent as every other, and so is every length of a number until its numbers run out.

    Args:
        count: How many pairs, 1 to 200,000; no source comes twice.
        seed: The same seed gives the same pairs, everywhere.
        digits: Of the largest numbers, 1 to 6; fewer are learned sooner.

    Returns:
        Sources such as `German: 21` or `Chinese: 2026-11-21`, and targets such as `einundzwanzig`.

    Raises:
        OptionError: So many pairs, or such numbers, cannot be made.
        MissingExtra: num2words or babel is not installed.

    Example:
        >>> for source, target in spelled_pairs(3):
        ...     print(source, "->", target)
        Japanese: 6866 -> 六千八百六十六
        Japanese: 1663 -> 千六百六十三
        French: 7634 -> sept mille six cent trente-quatre
    """
    if not 1 <= count <= MOST_PAIRS:
        raise OptionError(f"count expects 1 to {MOST_PAIRS:,} pairs; received {count}; try 12000")
    if not 1 <= digits <= LONGEST:
        raise OptionError(f"digits expects 1 to {LONGEST}; received {digits}; try 4")
    random = Random(seed)
    pairs: dict[str, str] = {}
    while len(pairs) < count:
        language = random.choice(list(LANGUAGES))
        thing = _day(random) if random.random() < DATES_SHARE else _number(random, digits)
        source = f"{language}: {thing}"
        if source not in pairs:
            pairs[source] = words_of(thing, language)
    mixed = random.sample(list(pairs.items()), count)  # short numbers were drawn first
    # The word for zero is part of no other number's, so zero cannot be left for validation: it comes first.
    return sorted(mixed, key=lambda pair: not pair[0].endswith(": 0"))


def words_of(thing: int | date, language: str) -> str:
    """How a language says a whole number below a million, or writes a date.

    Args:
        thing: The number or the date.
        language: One of `LANGUAGES`.

    Raises:
        OptionError: The language is unknown, or the number is out of range.
        MissingExtra: num2words or babel is not installed.

    Example:
        >>> words_of(97, "French"), words_of(date(2026, 11, 21), "Japanese")
        ('quatre-vingt-dix-sept', '2026年11月21日')
    """
    check_option("language", language, LANGUAGES)
    if isinstance(thing, int) and not 0 <= thing < 10**LONGEST:
        raise OptionError(f"a number in words expects 0 to {10**LONGEST - 1:,}; received {thing:,}; take one of these")
    code = LANGUAGES[language]
    words = _date_words(thing, code) if isinstance(thing, date) else _number_words(thing, code)
    for wrong, right in CORRECTIONS.get(code, []):
        words = re.sub(wrong, right, words)
    return words


def _number(random: Random, longest: int) -> int:
    digits = random.randint(1, longest)
    return random.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits)


def _day(random: Random) -> date:
    return date.fromordinal(random.randint(FIRST_DAY.toordinal(), LAST_DAY.toordinal()))


def _date_words(day: date, code: str) -> str:
    return optional("babel.dates", "babel", "translate").format_date(day, "long", locale=code)


def _number_words(number: int, code: str) -> str:
    spell = optional("num2words", "num2words", "translate").num2words
    return _chinese(number) if code == "zh" else spell(number, lang=code)


def _chinese(number: int) -> str:
    """The words that num2words lacks: groups of four digits, 万 between them."""
    high, low = divmod(number, 10_000)
    gap = "零" if high and 0 < low < 1000 else ""
    words = (f"{_four_digits(high)}万{gap}" if high else "") + (_four_digits(low) if low else "")
    words = re.sub("^一十", "十", words or "零")
    return re.sub("^二(?=[千万])", "两", words)


def _four_digits(number: int) -> str:
    """Each digit with its place; any number of zeros in between is said once, and none at the end."""
    digits = str(number)
    places = ["千", "百", "十", ""][-len(digits) :]
    words = "".join("零一二三四五六七八九"[int(digit)] + place for digit, place in zip(digits, places, strict=True))
    return re.sub("(零[千百十]?)+", "零", words).rstrip("零")
