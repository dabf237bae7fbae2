"""Pairs of texts that need no file."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from elman.data.pairs.pairs import Pairs
from elman.data.pairs.reports import report_pairs
from elman.data.pairs.spelled import spelled_pairs
from elman.data.pairs.toy import toy_pairs

EmbeddedName = Literal["spelled", "reports", "copy", "reverse"]

TOYS = 40_000
"""Rows of letters."""

SETS: dict[EmbeddedName, tuple[str, Callable[[], list[tuple[str, str]]]]] = {
    "spelled": ("to spell out numbers and dates in seven languages", partial(spelled_pairs, digits=4)),
    "reports": ("to sum up short reports", report_pairs),
    "copy": ("to copy rows of letters", partial(toy_pairs, "copy", TOYS)),
    "reverse": ("to turn rows of letters round", partial(toy_pairs, "reverse", TOYS)),
}


def embedded_pairs(name: EmbeddedName) -> Pairs:
    """A set of pairs that is made on the spot, always the same one.

    Raises:
        MissingExtra: A library that makes it is not installed.
    """
    what, make = SETS[name]
    sources, targets = zip(*make(), strict=True)
    return Pairs(sources, targets, (f"no pairs given: learning {what}, {len(sources):,} pairs",))
