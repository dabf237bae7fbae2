"""Words of any script, for counting what texts share."""

import unicodedata

UNSPACED = ("CJK", "IDEOGRAPHIC ITERATION", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""How Unicode's names begin for characters of scripts without spaces between words."""


class _Spacing(dict[int, str]):
    """What stands for each character so that words can be split at spaces; found out when a character first comes."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if not character.isalnum() and not unicodedata.category(character).startswith("M"):
            spaced = " "
        elif unicodedata.name(character, "").startswith(UNSPACED):
            spaced = f" {character} "
        else:
            spaced = character
        self[code] = spaced
        return spaced


SPACING = _Spacing()


def words(text: str) -> list[str]:
    """Words of any script without case and punctuation; single characters where a script has no spaces.

    Example:
        >>> words("The CAT's 黑猫, été")
        ['the', 'cat', 's', '黑', '猫', 'été']
    """
    return unicodedata.normalize("NFKC", text).casefold().translate(SPACING).split()
