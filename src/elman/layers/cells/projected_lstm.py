"""The LSTM with a narrow output: much memory, few recurrent weights."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Context, State
from elman.layers.cells.stacked import StackedCell


class ProjectedLSTMCell(StackedCell):
    """An LSTM (article 2 §3.3) that projects its output before anybody sees it.

        i, f, o = σ(W x_t + R h_{t-1} + b), each its own
        c_t = f∘c_{t-1} + i∘tanh(W x_t + R h_{t-1} + b)
        h_t = P (o∘tanh(c_t))

    Sak, Senior and Beaufays 2014, "Long short-term memory recurrent neural network architectures for large scale
    acoustic modeling". The numbers are those of `torch.nn.LSTM(proj_size=...)` when bias = bias_ih + bias_hh.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of c.
        proj_size: O, the width of h.

    Shapes: x (B, I), output h (B, O), state h (B, O) and c (B, H); weight_ih (4H, I), weight_hh (4H, O) and bias
        (4H), the rows in the order input, forget, candidate, output; weight_hr (O, H).
    Records: input_gate, forget_gate, candidate, output_gate.

    Raises:
        CellError: A size is not a positive whole number.

    Example:
        >>> cell = ProjectedLSTMCell(3, 8, proj_size=2)
        >>> output, (h, c) = cell(torch.randn(5, 3), cell.initial_state(5))
        >>> output.shape, c.shape
        (torch.Size([5, 2]), torch.Size([5, 8]))
    """

    gates: ClassVar[tuple[str, ...]] = ("input_gate", "forget_gate", "candidate", "output_gate")
    equation: ClassVar[str] = (
        "i, f, o = σ(W xₜ + R hₜ₋₁ + b), each its own\n"
        "g = tanh(W xₜ + R hₜ₋₁ + b)\n"
        "cₜ = f∘cₜ₋₁ + i∘g\n"
        "hₜ = P (o∘tanh(cₜ))"
    )

    def __init__(self, input_size: int, hidden_size: int, *, proj_size: int) -> None:
        super().__init__(input_size, hidden_size, output_size=proj_size, state_shapes=(proj_size, hidden_size))
        self.weight_hr = nn.Parameter(nn.init.xavier_uniform_(torch.empty(proj_size, hidden_size)))

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        h, c = state
        i, f, g, o = self.products(x, h)
        i = self.record("input_gate", torch.sigmoid(i))
        f = self.record("forget_gate", torch.sigmoid(f))
        g = self.record("candidate", torch.tanh(g))
        o = self.record("output_gate", torch.sigmoid(o))
        c = f * c + i * g
        h = F.linear(o * torch.tanh(c), self.weight_hr)
        return h, (h, c)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, hidden_size={self.hidden_size}"
