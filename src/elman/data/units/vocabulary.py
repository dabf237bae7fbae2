"""Words or characters that come by themselves, and their numbers."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from elman.data.files import read_json, write_json

UNKNOWN = 0
"""The number of whatever training did not see."""


class Vocabulary:
    """What training has seen, from 1; 0 is all else.

    Example:
        >>> vocabulary = Vocabulary(["a", "b"])
        >>> vocabulary["b"], vocabulary["c"], len(vocabulary)
        (2, 0, 3)
    """

    def __init__(self, known: Iterable[str]) -> None:
        self.known = list(known)
        self.numbers = {unit: number for number, unit in enumerate(self.known, 1)}

    @classmethod
    def of(cls, units: Iterable[str], *, min_count: int = 1, size: int | None = None) -> "Vocabulary":
        """Units seen so often at least, the commonest first, so many at most."""
        counts = sorted(Counter(units).items(), key=lambda pair: (-pair[1], pair[0]))
        return cls([unit for unit, count in counts if count >= min_count][:size])

    def __len__(self) -> int:
        return len(self.known) + 1

    def __getitem__(self, unit: str) -> int:
        return self.numbers.get(unit, UNKNOWN)

    def of_forms(self, *forms: str) -> int:
        """The number of the first form of a unit that is known."""
        return next((self.numbers[form] for form in forms if form in self.numbers), UNKNOWN)

    def save(self, path: Path) -> None:
        """Write JSON."""
        write_json(path, {"known": self.known})

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` wrote."""
        return cls(read_json(path)["known"])
