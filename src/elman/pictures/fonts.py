"""Fonts for any script: those of this machine that have the characters which a picture shows."""

import unicodedata
import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

BASE = "DejaVu Sans"
"""Comes with matplotlib."""
BOX = "□"
SHOWN = 8


@dataclass(frozen=True)
class Lettering:
    """How texts are drawn.

    Args:
        family: Names of fonts; a character is drawn in the first one that has it.
        missing: Characters that none has; a box stands for each.

    Example:
        >>> Lettering(["DejaVu Sans"], frozenset("猫")).label("a 猫\\n")
        'a □\\\\n'
    """

    family: list[str]
    missing: frozenset[str] = frozenset()

    def label(self, text: str) -> str:
        """A text as it can be drawn."""
        return "".join(BOX if character in self.missing else character for character in printable(text))

    @property
    def style(self) -> dict[str, Any]:
        """What matplotlib needs to know about such a text; a dollar sign is no formula."""
        return {"family": self.family, "parse_math": False}


def printable(text: str) -> str:
    """A text with names for what has no shape: line ends, tabs, half characters.

    Example:
        >>> print(printable("one\\ttwo"))
        one\\ttwo
    """
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def find_fonts(texts: Iterable[str]) -> Lettering:
    """Fonts that together have all characters of some texts, as far as this machine has any.

    Warns:
        UserWarning: No font has some of them.
    """
    family, missing = _choose(frozenset("".join(map(printable, texts))))
    if missing:
        shown = ", ".join(map(repr, sorted(missing)[:SHOWN]))
        warnings.warn(
            f"no installed font has {shown}{', ...' if len(missing) > SHOWN else ''}; drawn as {BOX}; "
            "install one that has, e.g. fonts-noto-cjk for Chinese, Japanese and Korean, fonts-noto-core for others",
            stacklevel=3,
        )
    return Lettering(list(family), missing)


@cache
def _choose(characters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    missing = characters - _has(BASE, characters)
    family, missing = _cover((BASE,), missing)
    if missing:
        _add_new_fonts()
        family, missing = _cover(family, missing)
    return family, missing


def _cover(family: tuple[str, ...], missing: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Add fonts, always the one that has most of what is missing."""
    while missing:
        name, found = _best(missing)
        if not found:
            break
        family, missing = (*family, name), missing - found
    return family, missing


def _best(missing: frozenset[str]) -> tuple[str, frozenset[str]]:
    best, most = "", frozenset[str]()
    for name in _names(_region(missing)):
        found = _has(name, missing)
        if len(found) > len(most):
            best, most = name, found
        if found == missing:
            break
    return best, most


def _names(region: str) -> list[str]:
    """Families that matplotlib knows: plain ones first, among these the one of the region."""
    from matplotlib.font_manager import fontManager

    regular = (entry for entry in fontManager.ttflist if entry.weight == 400 and entry.style == "normal")
    names = {entry.name for entry in regular if not entry.name.startswith("Last Resort")}  # which has only boxes
    return sorted(names, key=lambda name: ("Sans" not in name, "Mono" in name, not name.endswith(region), name))


def _region(characters: Iterable[str]) -> str:
    """Han characters look different from land to land; the letters beside them tell which is meant."""
    scripts = {unicodedata.name(character, "").split(" ")[0] for character in characters}
    if scripts & {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}:
        return "JP"
    return "KR" if "HANGUL" in scripts else "SC"


def _has(name: str, characters: frozenset[str]) -> frozenset[str]:
    """Those characters that a font has."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        font = get_font(findfont(FontProperties(family=[name]), fallback_to_default=False))
    except (OSError, RuntimeError, ValueError):  # removed since, or damaged
        return frozenset()
    if not font.scalable:  # coloured pictures of one size, which matplotlib cannot draw
        return frozenset()
    return frozenset(character for character in characters if font.get_char_index(ord(character)))


@cache
def _add_new_fonts() -> None:
    """Tell matplotlib of fonts installed since it last looked: it keeps its list on disk."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - known):
        with suppress(Exception):  # a font that matplotlib cannot read raises whatever its reader does
            fontManager.addfont(path)
