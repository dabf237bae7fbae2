"""The custom cells that are measured: four of Elman's, and two that a user might write.

Key: B batch, I input size, H hidden size.
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import elman
from elman.layers import GatedCell, LayerNormLSTMCell, LSTMCell, PeepholeLSTMCell, Zoneout


class StackedCell(elman.Cell):
    """Gates whose rows are stacked in weight_ih (G*H, I), weight_hh (G*H, H) and bias (G*H)."""

    gates: ClassVar[int]
    states: ClassVar[int]

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size,) * self.states)
        rows = self.gates * hidden_size
        self.weight_ih = nn.Parameter(torch.randn(rows, input_size) * input_size**-0.5)
        self.weight_hh = nn.Parameter(torch.randn(rows, hidden_size) * 0.5 * hidden_size**-0.5)
        self.bias = nn.Parameter(torch.zeros(rows))

    def products(self, x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        """W x + R h + b of every gate."""
        return (F.linear(x, self.weight_ih, self.bias) + F.linear(h, self.weight_hh)).chunk(self.gates, dim=-1)


class LiGRUCell(StackedCell):
    """A GRU without reset gate and with relu: Ravanelli et al. 2018, "Light gated recurrent units for speech
    recognition"; without its batch normalisation, which mixes rows.

        z = σ(W x + R h + b);  h_t = z∘h + (1-z)∘relu(W x + R h + b)
    """

    gates, states = 2, 1

    def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        (h,) = state
        z, new = self.products(x, h)
        z = torch.sigmoid(z)
        h = z * h + (1 - z) * torch.relu(new)
        return h, (h,)


class SLSTMCell(StackedCell):
    """The sLSTM, with exponential gates and the stabiliser m: Beck et al. 2024, "xLSTM", equations 8 to 17.

    m_t = max(log σ(f) + m, i);  i' = exp(i - m_t);  f' = exp(log σ(f) + m - m_t)
    c_t = f'∘c + i'∘tanh(z);  n_t = f'∘n + i';  h_t = σ(o)∘c_t / n_t
    """

    gates, states = 4, 4

    def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        h, c, n, m = state
        i, f, z, o = self.products(x, h)
        f = F.logsigmoid(f) + m
        m = torch.maximum(f, i)
        i, f = torch.exp(i - m), torch.exp(f - m)
        c = f * c + i * torch.tanh(z)
        n = f * n + i
        h = torch.sigmoid(o) * c / n
        return h, (h, c, n, m)


def zoneout_lstm(input_size: int, hidden_size: int) -> Zoneout:
    """With the probabilities of Krueger et al. 2017."""
    return Zoneout(LSTMCell(input_size, hidden_size), (0.05, 0.5))


CUSTOM: dict[str, Callable[[int, int], elman.Cell]] = {
    "peephole-lstm": PeepholeLSTMCell,
    "layer-norm-lstm": LayerNormLSTMCell,
    "gated": GatedCell,
    "zoneout-lstm": zoneout_lstm,
    "ligru": LiGRUCell,
    "slstm": SLSTMCell,
}


def make_cell(name: str, input_size: int, hidden_size: int) -> elman.Cell:
    """A cell whose results can be checked after 1,000 steps.

    Biases, gains and peepholes leave their neutral start, so that a check sees them. Weights are halved: as they
    start, the gated and the normalised cell are chaotic, and f32 has no digit right after 500 steps.
    """
    torch.manual_seed(0)
    cell = CUSTOM[name](input_size, hidden_size)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(0.5)
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return cell
