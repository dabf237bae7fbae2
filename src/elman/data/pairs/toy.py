"""Two problems that show what attention does: say a row of letters again, forwards or backwards."""

from random import Random
from typing import Literal

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def toy_pairs(
    way: Literal["copy", "reverse"], count: int = 10_000, seed: int = 0, *, length: int = 20
) -> list[tuple[str, str]]:
    """Rows of random letters with a space between two, and the same rows in their order or against it.

    Args:
        way: What the second text of a pair is.
        count: How many pairs.
        seed: Where the randomness starts; the same seed gives the same pairs.
        length: Letters of each row.

    Example:
        >>> toy_pairs("reverse", 1, length=4)
        [('v t k g', 'g k t v')]
    """
    random = Random(seed)
    rows = [random.choices(LETTERS, k=length) for _ in range(count)]
    return [(" ".join(row), " ".join(row if way == "copy" else reversed(row))) for row in rows]
