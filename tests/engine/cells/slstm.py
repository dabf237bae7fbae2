"""The scalar-memory LSTM of xLSTM: Beck et al. 2024, "xLSTM: extended long short-term memory"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class SLSTM(Cell):
    """Exponential gates, kept from overflow by a running maximum m.

        z = tanh(z~), o = σ(o~), each ~ is W x_t + R h_{t-1} + b
        m_t = max(log σ(f~) + m_{t-1}, i~)
        i = exp(i~ - m_t),  f = exp(log σ(f~) + m_{t-1} - m_t)
        c_t = f∘c_{t-1} + i∘z,  n_t = f∘n_{t-1} + i
        h_t = o∘c_t / n_t

    Shapes: x (B, I), output h (B, H), state (c, n, h, m), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size,) * 4)
        self.weight_ih = nn.Parameter(torch.randn(4 * hidden_size, input_size) / input_size**0.5)
        self.bias = nn.Parameter(torch.randn(4 * hidden_size) / 4)
        self.weight_hh = nn.Parameter(torch.randn(4 * hidden_size, hidden_size) / hidden_size**0.5)

    def past(self, h: Tensor) -> Tensor:
        """(B, H) -> (B, 4H)."""
        return F.linear(h, self.weight_hh)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        c, n, h, m = state
        z, i, f, o = (F.linear(x, self.weight_ih, self.bias) + self.past(h)).chunk(4, dim=-1)
        kept = F.logsigmoid(f) + m
        m = torch.maximum(kept, i)
        i, f = torch.exp(i - m), torch.exp(kept - m)
        c = f * c + i * torch.tanh(z)
        n = f * n + i
        h = torch.sigmoid(o) * (c / n)
        return h, (c, n, h, m)

    def example_state(self, batch: int, dtype: torch.dtype) -> State:
        """A normaliser n is never negative."""
        c, n, h, m = torch.randn(4, batch, self.output_size, dtype=dtype).unbind(0)
        return c, 1 + n.abs(), h.tanh(), m
