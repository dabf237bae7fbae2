"""One mask a sequence: Gal and Ghahramani 2016, "A theoretically grounded application of dropout"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, Context, State


class VariationalDropout(Cell):
    """A cell that draws its masks itself, before the sequence, as its own context.

        h_t = tanh(W (m_x∘x_t) + R (m_h∘h_{t-1}) + b)

    Shapes: x (B, I), output h (B, H), state (h,); own context (m_x, m_h).
    """

    def __init__(self, input_size: int, hidden_size: int, p: float = 0.3) -> None:
        super().__init__(input_size, hidden_size)
        self.p = p
        self.W = nn.Parameter(torch.randn(input_size, hidden_size) / input_size**0.5)
        self.R = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)
        self.b = nn.Parameter(torch.randn(hidden_size) / 4)

    def draw_context(self, batch: int) -> Context:
        if not self.training:
            return ()
        sizes = (self.input_size, self.output_size)
        return tuple(F.dropout(self.b.detach().new_ones(batch, size), self.p) for size in sizes)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (h,) = state
        if context:
            x, h = x * context[0], h * context[1]
        h = torch.tanh(x @ self.W + h @ self.R + self.b)
        return h, (h,)
