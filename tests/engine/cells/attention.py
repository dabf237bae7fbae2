"""Attention in the step: Bahdanau, Cho and Bengio 2015, "… by jointly learning to align and translate"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, Context, State


class AdditiveAttention(Cell):
    """A GRU that reads a memory at every step.

        a = softmax_s(v·tanh(K m_s + Q h_{t-1}))
        h_t = GRU([x_t, Σ_s a_s m_s], h_{t-1})

    Shapes: x (B, I), output [h, read] (B, H + D), state (h,); context (memory,), memory (B, S, D).
    """

    slots = 4

    def __init__(self, input_size: int, hidden_size: int, memory_size: int) -> None:
        super().__init__(input_size, hidden_size + memory_size, (hidden_size,))
        self.memory_size = memory_size
        self.key = nn.Linear(memory_size, 6, bias=False)
        self.query = nn.Linear(hidden_size, 6)
        self.energy = nn.Linear(6, 1, bias=False)
        self.cell = nn.GRUCell(input_size + memory_size, hidden_size)

    def forward(self, x: Tensor, state: State, context: Context) -> tuple[Tensor, State]:
        (h,), (memory,) = state, context
        scores = self.energy(torch.tanh(self.key(memory) + self.query(h).unsqueeze(1))).squeeze(-1)
        weights = torch.softmax(scores, dim=1)
        read = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
        h = self.cell(torch.cat([x, read], dim=1), h)
        return torch.cat([h, read], dim=1), (h,)

    def example_context(self, batch: int, dtype: torch.dtype) -> Context:
        return (torch.randn(batch, self.slots, self.memory_size, dtype=dtype),)
