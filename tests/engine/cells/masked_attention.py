"""Heads over a padded memory, asked by a recurrent state: Vaswani et al. 2017, "Attention is all you need"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, Context, State


class MaskedAttention(Cell):
    """Dot products of heads; what a boolean mask hides gets no weight at all.

        a = softmax_s(q·k_s / √D where the mask is true, else -∞)
        h_t = tanh(W [x_t, O Σ_s a_s v_s] + R h_{t-1})

    Shapes: x (B, I), output h (B, H), state (h,); context (memory (B, S, D), mask (B, S) of booleans).
    """

    slots = 5

    def __init__(self, input_size: int, hidden_size: int, memory_size: int, heads: int) -> None:
        super().__init__(input_size, hidden_size)
        self.heads, self.memory_size = heads, memory_size
        self.keys = nn.Linear(memory_size, hidden_size, bias=False)  # a bias here would reach no score
        self.values = nn.Linear(memory_size, hidden_size)
        self.query = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size)
        self.both = nn.Linear(input_size + hidden_size, hidden_size)
        self.past = nn.Linear(hidden_size, hidden_size, bias=False)

    def split(self, tensor: Tensor) -> Tensor:
        """(B, S, H) -> (B, heads, S, H / heads)."""
        return tensor.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, state: State, context: Context) -> tuple[Tensor, State]:
        (h,), (memory, mask) = state, context
        q, k, v = self.split(self.query(h)[:, None]), self.split(self.keys(memory)), self.split(self.values(memory))
        scores = q @ k.mT / q.shape[-1] ** 0.5  # (B, heads, 1, S)
        weights = F.softmax(scores.masked_fill(~mask[:, None, None, :], float("-inf")), dim=-1)
        read = self.out((weights @ v).transpose(1, 2).flatten(1))
        h = torch.tanh(self.both(torch.cat([x, read], dim=-1)) + self.past(h))
        return h, (h,)

    def example_context(self, batch: int, dtype: torch.dtype) -> Context:
        mask = torch.rand(batch, self.slots) < 0.6
        mask[:, 0] = True
        return torch.randn(batch, self.slots, self.memory_size, dtype=dtype), mask
