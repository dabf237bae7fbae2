"""The scalar-memory LSTM with heads: Beck et al. 2024, "xLSTM: extended long short-term memory"."""

import torch
from torch import Tensor, nn

from .slstm import SLSTM


class HeadedSLSTM(SLSTM):
    """An sLSTM whose recurrent weights are block-diagonal: each head sees its own past.

    Shapes: those of `SLSTM`; weight_hh (heads, D, 4, D), D the width of a head.
    """

    def __init__(self, input_size: int, hidden_size: int, heads: int) -> None:
        super().__init__(input_size, hidden_size)
        self.heads, width = heads, hidden_size // heads
        self.weight_hh = nn.Parameter(torch.randn(heads, width, 4, width) / width**0.5)

    def past(self, h: Tensor) -> Tensor:
        by_head = h.view(h.shape[0], self.heads, -1)
        return torch.einsum("bhd,hdge->bghe", by_head, self.weight_hh).flatten(1)
