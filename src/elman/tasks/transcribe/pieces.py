"""Long recordings in pieces that fit into memory, cut where least is heard.

Key: T moments, M bands.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.data import MOMENT

LONGEST = round(60 / MOMENT)
"""Moments of a piece at most: a minute."""
PAUSE = round(0.3 / MOMENT)
"""Moments that are quiet where a piece is cut."""


@dataclass(frozen=True)
class Piece:
    """A part of a recording."""

    recording: int
    """Its number."""
    first: int
    """The moment at which it begins."""
    moments: Tensor
    """(T, M)."""
    last: bool
    """Does the recording end with it?"""


def pieces_of(recording: int, moments: Iterable[Tensor], together: int = 1, longest: int = LONGEST) -> Iterator[Piece]:
    """A recording's moments (T, M), block by block -> the same in pieces; one that is not longer is one piece.

    Args:
        recording: Its number.
        moments: What comes.
        together: Pieces begin at multiples of so many moments.
        longest: Moments of a piece at most.

    Example:
        >>> sound = torch.tensor([5.0, 5, 5, 5, 0, 0, 5, 5]).view(-1, 1)
        >>> [piece.moments.flatten().tolist() for piece in pieces_of(0, [sound], longest=6)]
        [[5.0, 5.0, 5.0, 5.0, 0.0], [0.0, 5.0, 5.0]]
    """
    first, waiting = 0, None
    for some in moments:
        waiting = some if waiting is None else torch.cat([waiting, some])
        while len(waiting) > longest:
            place = max(together, quietest(waiting[:longest]) // together * together)
            yield Piece(recording, first, waiting[:place], last=False)
            first, waiting = first + place, waiting[place:]
    if waiting is not None:
        yield Piece(recording, first, waiting, last=True)


def quietest(moments: Tensor) -> int:
    """Where in the second half of moments (T, M) least is heard around."""
    half = len(moments) // 2
    loud = moments[half:].mean(1)
    width = min(PAUSE, len(loud) - 1) // 2 * 2 + 1
    around = F.avg_pool1d(loud.view(1, 1, -1), width, 1, width // 2, count_include_pad=False)
    low = (around.flatten() <= around.min() + 1e-3).nonzero().flatten()
    return half + int(low[len(low) // 2])
