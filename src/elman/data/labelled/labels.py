"""Names of classes, and their numbers."""

from collections.abc import Iterable

from elman.errors import DataError, suggestion

SHOWN = 20
"""More classes than these are counted in a message, not listed."""


class Labels:
    """The classes that training data has.

    Args:
        names: Each once; a name's place is its number.

    Raises:
        DataError: There are fewer than two.

    Example:
        >>> labels = Labels.of(["no", "yes", "no"])
        >>> labels.names, labels.number("yes")
        (('no', 'yes'), 1)
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        if len(self.names) < 2:
            raise DataError(
                f"every example has the label {', '.join(map(repr, self.names)) or 'of nothing'}; "
                "expected two different ones or more; is it the right column?"
            )
        self.numbers = {name: number for number, name in enumerate(self.names)}

    @classmethod
    def of(cls, names: Iterable[str]) -> "Labels":
        """Those that come, in their order: numbers by size, then all else by letters."""
        return cls(sorted(set(names), key=_order))

    def __len__(self) -> int:
        return len(self.names)

    def number(self, name: str, place: str = "the example") -> int:
        """Of a class.

        Raises:
            DataError: Training has not seen it.
        """
        if name not in self.numbers:
            known = suggestion(name, self.names) if len(self) <= SHOWN else f"it knows {len(self)} others"
            raise DataError(f"{place} has the label {name!r}, which training has not seen; {known}")
        return self.numbers[name]


def _order(name: str) -> tuple[int, float, str]:
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
