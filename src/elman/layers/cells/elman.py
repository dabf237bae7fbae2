"""The simple recurrent network: articles 2, 4 and 5 in equations, article 3 in words."""

from typing import ClassVar

from torch import Tensor

from elman.engine import Context, State
from elman.errors import check_option
from elman.layers.cells.activations import ACTIVATIONS, Activation
from elman.layers.cells.stacked import StackedCell


class ElmanCell(StackedCell):
    """The hidden layer sees the input and itself, one step ago.

        h_t = f(W x_t + R h_{t-1} + b)

    Elman 1990, "Finding structure in time"; article 2 §3.1, article 4 §3.1, article 5 §3.3, article 3 in words.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h, which is both output and state.
        activation: f, one of tanh, sigmoid and relu.

    Shapes: x (B, I), h (B, H); weight_ih (H, I), weight_hh (H, H), bias (H).

    Raises:
        CellError: A size is not a positive whole number.
        OptionError: The activation is unknown.

    Example:
        >>> import torch
        >>> cell = ElmanCell(3, 4)
        >>> output, state = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output.shape
        torch.Size([2, 4])
    """

    gates: ClassVar[tuple[str, ...]] = ("hidden",)
    equation: ClassVar[str] = "hₜ = f(W xₜ + R hₜ₋₁ + b)"

    def __init__(self, input_size: int, hidden_size: int, *, activation: Activation = "tanh") -> None:
        check_option("activation", activation, ACTIVATIONS)
        super().__init__(input_size, hidden_size)
        self.activation: Activation = activation

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (h,) = state
        f = ACTIVATIONS[self.activation]
        (total,) = self.products(x, h)
        h = f(total)
        return h, (h,)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, activation={self.activation!r}"
