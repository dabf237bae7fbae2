"""The phased LSTM: Neil, Pfeiffer and Liu 2016, "Phased LSTM: accelerating recurrent network training"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class PhasedLSTM(Cell):
    """An LSTM whose units open in turn; time is counted in the state.

        φ = ((t - s) mod τ) / τ
        k = 2φ/r where φ < r/2, 2 - 2φ/r where φ < r, else αφ
        c_t = k∘c~ + (1-k)∘c_{t-1}, h likewise, ~ is the step of an LSTM

    Shapes: x (B, I), output h (B, H), state (h, c, t), h and c (B, H), t (B, 1).
    """

    def __init__(self, input_size: int, hidden_size: int, ratio: float = 0.4, leak: float = 0.05) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size, 1))
        self.ratio, self.leak = ratio, leak
        self.cell = nn.LSTMCell(input_size, hidden_size)
        self.log_period = nn.Parameter(torch.linspace(0.7, 2, hidden_size))
        self.shift = nn.Parameter(torch.rand(hidden_size) * 2 + 0.1)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c, t = state
        period = torch.exp(self.log_period)
        phase = torch.remainder(t - self.shift, period) / period
        rising, falling = 2 * phase / self.ratio, 2 - 2 * phase / self.ratio
        k = torch.where(phase < self.ratio, falling, self.leak * phase)
        k = torch.where(phase < 0.5 * self.ratio, rising, k)
        new_h, new_c = self.cell(x, (h, c))
        c = k * new_c + (1 - k) * c
        h = k * new_h + (1 - k) * h
        return h, (h, c, t + 1)
