"""A sound read, and at every moment what is said, or nothing.

Key: T steps of the sound, B batch, F features, R steps read together, S = T / R of them, rounded up, H width of the
body's output, V units.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from elman.layers import Recurrent
from elman.models.bodies import Body
from elman.models.reader import Reader


class Transcriber(Reader):
    """Recurrent layers over a few steps of sound at once, and a score for every unit and for none (Graves et al. 2006).

    Args:
        body: Reads vectors of R F features.
        units: V.
        together: R.
        ahead: Outputs of the body to come that each one is mixed with, feature by feature (Wang et al. 2016); for
            a body that does not read from both ends.
        rest: As in `Reader`.
    """

    def __init__(self, body: Recurrent | Body, units: int, *, together: int = 1, ahead: int = 0, **rest: Any) -> None:
        super().__init__(None, body, **rest)
        self.together, self.ahead = together, ahead
        size = body.output_size
        self.mix = nn.Conv1d(size, size, ahead + 1, groups=size) if ahead else None
        self.output = nn.Linear(size, units + 1)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(T, B, F) and lengths (B,) -> logarithms of probabilities (S, B, V + 1), none last; how many of S count."""
        x, lengths = side_by_side(self._distorted(x, lengths), lengths, self.together)
        y, _ = self.body(self.drop(x, self.input_dropout), lengths=lengths)
        if self.mix is not None:
            y = self.mix(F.pad(y.permute(1, 2, 0), (0, self.ahead))).permute(2, 0, 1)
        return self.output(self.drop(y, self.output_dropout)).log_softmax(2), lengths


def side_by_side(x: Tensor, lengths: Tensor, together: int) -> tuple[Tensor, Tensor]:
    """Steps (T, B, F) as vectors of several (S, B, R F), zeros beyond the last one; and their lengths.

    >>> import torch
    >>> side_by_side(torch.arange(3.0).view(3, 1, 1), torch.tensor([3]), 2)[0].flatten(1).tolist()
    [[0.0, 1.0], [2.0, 0.0]]
    """
    if together == 1:
        return x, lengths
    x = F.pad(x, (0, 0, 0, 0, 0, -len(x) % together))
    return x.unflatten(0, (-1, together)).transpose(1, 2).flatten(2), -(-lengths // together)
