"""The network whose output enters the next step: article 2 §3.1 step 4, article 5 §3.2 step c."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Context, State
from elman.errors import check_option
from elman.layers.cells.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS, Activation, OutputActivation
from elman.layers.cells.stacked import StackedCell


class JordanCell(StackedCell):
    """The hidden layer sees the input and the previous output.

        h_t = f(W x_t + R y_{t-1} + b)
        y_t = g(V h_t + c)

    Jordan 1986, "Serial order: a parallel distributed processing approach"; article 2 §3.1, whose step 4 carries the
    output on, and article 5 §3.2, step c. Jordan's own context units also average over the past; the articles'
    do not, and neither does this cell.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h.
        output_size: O, the width of y, which is both output and state; H when omitted.
        activation: f, one of tanh, sigmoid and relu.
        output_activation: g, one of these, identity (as article 2 has it) or softmax.

    Shapes: x (B, I), y (B, O); weight_ih (H, I), weight_hh (H, O), bias (H), weight_ho (O, H), bias_o (O).
    Records: hidden.

    Raises:
        CellError: A size is not a positive whole number.
        OptionError: An activation is unknown.

    Example:
        >>> cell = JordanCell(3, 4, output_size=2)
        >>> output, (y,) = cell(torch.randn(5, 3), cell.initial_state(5))
        >>> output.shape, y.shape
        (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    gates: ClassVar[tuple[str, ...]] = ("hidden",)
    equation: ClassVar[str] = "hₜ = f(W xₜ + R yₜ₋₁ + b)\nyₜ = g(V hₜ + c)"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        output_size: int | None = None,
        activation: Activation = "tanh",
        output_activation: OutputActivation = "identity",
    ) -> None:
        check_option("activation", activation, ACTIVATIONS)
        check_option("output_activation", output_activation, OUTPUT_ACTIVATIONS)
        super().__init__(input_size, hidden_size, output_size=output_size)
        self.activation: Activation = activation
        self.output_activation: OutputActivation = output_activation
        self.weight_ho = nn.Parameter(nn.init.xavier_uniform_(torch.empty(self.output_size, hidden_size)))
        self.bias_o = nn.Parameter(torch.zeros(self.output_size))

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (y,) = state
        f, g = ACTIVATIONS[self.activation], OUTPUT_ACTIVATIONS[self.output_activation]
        (total,) = self.products(x, y)
        h = self.record("hidden", f(total))
        y = g(F.linear(h, self.weight_ho, self.bias_o))
        return y, (y,)

    def extra_repr(self) -> str:
        f, g = self.activation, self.output_activation
        return f"{super().extra_repr()}, hidden_size={self.hidden_size}, activation={f!r}, output_activation={g!r}"
