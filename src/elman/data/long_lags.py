"""Two problems that only a network with a long memory solves, made on the fly.

Key: T time steps, B batch.
"""

import torch
from torch import Tensor

SYMBOLS = 8
"""Letters that the copy task remembers; one more is blank, one asks for the answer."""


def adding(lag: int, batch: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """The adding problem (Hochreiter and Schmidhuber 1997): add the two marked numbers.

    Args:
        lag: T; one number is marked in the first tenth (one of the first two at least), one in the second half.
        batch: B.
        generator: Where randomness comes from.

    Returns:
        Inputs (T, B, 2), numbers from 0 to 1 and marks, and sums (B,). Answering 1 always gives a mean square
        error of 1/6.

    Example:
        >>> x, y = adding(50, 3)
        >>> bool(torch.allclose((x[..., 0] * x[..., 1]).sum(0), y))
        True
    """
    numbers = torch.rand(lag, batch, generator=generator)
    first = torch.randint(0, max(2, lag // 10), (batch,), generator=generator)
    second = torch.randint(max(2, lag // 2), lag, (batch,), generator=generator)
    rows = torch.arange(batch)
    marks = torch.zeros(lag, batch)
    marks[first, rows] = marks[second, rows] = 1
    return torch.stack([numbers, marks], dim=-1), numbers[first, rows] + numbers[second, rows]


def copy_memory(
    lag: int, batch: int, length: int = 5, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """The copy task (Hochreiter and Schmidhuber 1997 as in Arjovsky et al. 2016): say again what was said long ago.

    Args:
        lag: Blank steps between the last letter and the question.
        batch: B.
        length: How many letters.
        generator: Where randomness comes from.

    Returns:
        Inputs (T, B, letters + 2), one-hot, T = lag + 2 * length + 1, and the letters (length, B) that the last
        `length` outputs should name.
    """
    letters = torch.randint(0, SYMBOLS, (length, batch), generator=generator)
    steps = torch.full((lag + 2 * length + 1, batch), SYMBOLS)
    steps[:length] = letters
    steps[lag + length] = SYMBOLS + 1
    return torch.nn.functional.one_hot(steps, SYMBOLS + 2).float(), letters
