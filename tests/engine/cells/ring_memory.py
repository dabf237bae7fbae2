"""The last few states, attended: after Cheng, Dong and Lapata 2016, "Long short-term memory-networks"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class RingMemory(Cell):
    """A tape of the last S hidden states; the oldest falls off.

        a = softmax_s(h_{t-1}' Q m_s)
        h_t = tanh(W [x_t, Σ_s a_s m_s] + b);  the tape moves by one

    Shapes: x (B, I), output h (B, H), state (tape,), tape (B, S, H).
    """

    def __init__(self, input_size: int, hidden_size: int, slots: int) -> None:
        super().__init__(input_size, hidden_size, ((slots, hidden_size),))
        self.Q = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)
        self.both = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (tape,) = state
        scores = (tape[:, -1, None] @ self.Q * tape).sum(dim=-1)
        read = (scores.softmax(dim=1)[..., None] * tape).sum(dim=1)
        h = torch.tanh(self.both(torch.cat([x, read], dim=1)))
        return h, (torch.cat([tape[:, 1:], h[:, None]], dim=1),)
