"""The LSTM with layer normalisation inside its step."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Context, State
from elman.layers.cells.stacked import StackedCell

EPSILON = 1e-5
"""Added to a variance, so that equal numbers do not divide by zero."""


class LayerNormLSTMCell(StackedCell):
    """An LSTM (article 2 §3.3) whose sums are normalised at every step.

        i, f, g, o = LN(W x_t; γ_x) + LN(R h_{t-1}; γ_h) + b
        c_t = σ(f)∘c_{t-1} + σ(i)∘tanh(g)
        h_t = σ(o)∘tanh(LN(c_t; γ_c) + b_c)

    with LN(a; γ) = γ∘(a - mean(a)) / sqrt(var(a) + 1e-5), mean and variance over all numbers of one row: the 4H of
    the gates together, the H of c. Ba, Kiros and Hinton 2016, "Layer normalization", equations 20 to 22; their
    biases β₁, β₂ and b, which are only ever added, are the one b here.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h and of c.

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H); weight_ih (4H, I), weight_hh (4H, H), bias, gain_ih
        and gain_hh (4H), the rows in the order input, forget, candidate, output; gain_c and bias_c (H).
    Records: input_gate, forget_gate, candidate, output_gate.

    Raises:
        CellError: A size is not a positive whole number.

    Example:
        >>> cell = LayerNormLSTMCell(3, 4)
        >>> output, (h, c) = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output.shape
        torch.Size([2, 4])
    """

    gates: ClassVar[tuple[str, ...]] = ("input_gate", "forget_gate", "candidate", "output_gate")
    equation: ClassVar[str] = (
        "i, f, g, o = LN(W xₜ) + LN(R hₜ₋₁) + b\n"
        "cₜ = σ(f)∘cₜ₋₁ + σ(i)∘tanh(g)\n"
        "hₜ = σ(o)∘tanh(LN(cₜ))\n"
        "LN(a) = γ∘(a - mean(a)) / √(var(a) + ε), for cₜ plus a bias"
    )

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, state_shapes=(hidden_size, hidden_size))
        self.gain_ih = nn.Parameter(torch.ones(4 * hidden_size))
        self.gain_hh = nn.Parameter(torch.ones(4 * hidden_size))
        self.gain_c = nn.Parameter(torch.ones(hidden_size))
        self.bias_c = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        h, c = state
        from_x = normalised(F.linear(x, self.weight_ih), self.gain_ih)
        from_h = normalised(F.linear(self.recurrent(h), self.weight_hh), self.gain_hh)
        i, f, g, o = (from_x + from_h + self.bias).chunk(4, dim=-1)
        i = self.record("input_gate", torch.sigmoid(i))
        f = self.record("forget_gate", torch.sigmoid(f))
        g = self.record("candidate", torch.tanh(g))
        o = self.record("output_gate", torch.sigmoid(o))
        c = f * c + i * g
        h = o * torch.tanh(normalised(c, self.gain_c) + self.bias_c)
        return h, (h, c)


def normalised(a: Tensor, gain: Tensor) -> Tensor:
    """Each row of a with mean 0 and variance 1, times the gain."""
    return F.layer_norm(a, gain.shape, weight=gain, eps=EPSILON)
