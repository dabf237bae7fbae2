"""The long short-term memory: article 2 §3.3."""

from typing import ClassVar

import torch
from torch import Tensor

from elman.engine import Context, State
from elman.layers.cells.stacked import StackedCell


class LSTMCell(StackedCell):
    """A memory c that gates protect.

        i, f, o = σ(W x_t + R h_{t-1} + b), each its own
        g = tanh(W x_t + R h_{t-1} + b)
        c_t = f∘c_{t-1} + i∘g
        h_t = o∘tanh(c_t)

    Hochreiter and Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers, Schmidhuber and Cummins
    2000; article 2 §3.3 (article 3 in words). The numbers are those of `torch.nn.LSTMCell` when bias = bias_ih +
    bias_hh.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h and of c.

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H); weight_ih (4H, I), weight_hh (4H, H) and bias (4H),
        the rows in the order input, forget, candidate, output.
    Records: input_gate, forget_gate, candidate, output_gate.

    Raises:
        CellError: A size is not a positive whole number.

    Example:
        >>> cell = LSTMCell(3, 4)
        >>> output, (h, c) = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output.shape, c.shape
        (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    gates: ClassVar[tuple[str, ...]] = ("input_gate", "forget_gate", "candidate", "output_gate")
    equation: ClassVar[str] = (
        "i, f, o = σ(W xₜ + R hₜ₋₁ + b), each its own\ng = tanh(W xₜ + R hₜ₋₁ + b)\ncₜ = f∘cₜ₋₁ + i∘g\nhₜ = o∘tanh(cₜ)"
    )

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, state_shapes=(hidden_size, hidden_size))

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        h, c = state
        i, f, g, o = self.products(x, h)
        i = self.record("input_gate", torch.sigmoid(i))
        f = self.record("forget_gate", torch.sigmoid(f))
        g = self.record("candidate", torch.tanh(g))
        o = self.record("output_gate", torch.sigmoid(o))
        c = f * c + i * g
        h = o * torch.tanh(c)
        return h, (h, c)
