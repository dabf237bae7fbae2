"""Long sequences cut into pieces."""

from collections.abc import Iterable


def cuts(lengths: Iterable[int], longest: int, least: int = 1) -> list[tuple[int, slice]]:
    """The pieces of sequences, one behind the other: of which sequence each is, and where in it.

    Args:
        lengths: Of the sequences.
        longest: Steps of a piece at most.
        least: Steps of a piece at least; what is shorter at an end is left out.

    Example:
        >>> cuts([5, 2], 3)
        [(0, slice(0, 3, None)), (0, slice(3, 6, None)), (1, slice(0, 3, None))]
        >>> cuts([5, 2], 3, least=3)
        [(0, slice(0, 3, None))]
    """
    return [
        (row, slice(first, first + longest))
        for row, length in enumerate(lengths)
        for first in range(0, length, longest)
        if length - first >= least
    ]
