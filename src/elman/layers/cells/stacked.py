"""What the cells share: one matrix for the input and one for the past, the gates' rows stacked in them.

Key: B batch, I input size, H hidden size, O output size, G gates.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, Shape
from elman.errors import CellError


class StackedCell(Cell):
    """A cell whose G gates share `weight_ih` (G*H, I), `weight_hh` (G*H, O) and `bias` (G*H).

    A subclass names its gates in the order of their rows and writes `forward`. Recurrent blocks start orthogonal
    (Saxe, McClelland and Ganguli 2014), input blocks Glorot-uniform (2010), biases at zero, except that a forget
    gate starts open, with a bias of one (Jozefowicz, Zaremba and Sutskever 2015).

    Args:
        input_size: I, the width of the input.
        hidden_size: H, the width of each gate.
        output_size: O, the width of the past that the gates see; H when omitted.
        state_shapes: As in `Cell`.

    Raises:
        CellError: A size is not a positive whole number.
    """

    gates: ClassVar[tuple[str, ...]]
    """The blocks of rows, in order."""
    equation: ClassVar[str]
    """The step in plain text, one line an equation."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        output_size: int | None = None,
        state_shapes: tuple[Shape, ...] | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size if output_size is None else output_size, state_shapes)
        if not isinstance(hidden_size, int) or hidden_size < 1:
            raise CellError(f"{type(self).__name__} needs a whole hidden_size of at least 1; received {hidden_size!r}")
        self.hidden_size = hidden_size
        rows = len(self.gates) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, self.input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, self.output_size))
        self.bias = nn.Parameter(torch.empty(rows))
        self._start_stacked()

    def _start_stacked(self) -> None:
        for block in self.weight_ih.chunk(len(self.gates)):
            nn.init.xavier_uniform_(block)
        for block in self.weight_hh.chunk(len(self.gates)):
            nn.init.orthogonal_(block)
        nn.init.zeros_(self.bias)
        if "forget_gate" in self.gates:
            nn.init.ones_(self.bias[self.rows("forget_gate")])

    def rows(self, gate: str) -> slice:
        """Where a gate's rows stand in the weights and the bias."""
        first = self.gates.index(gate) * self.hidden_size
        return slice(first, first + self.hidden_size)

    def products(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, ...]:
        """W x + R h + b of every gate, each (B, H), in the order of `gates`."""
        sums = F.linear(x, self.weight_ih, self.bias) + F.linear(self.recurrent(hidden), self.weight_hh)
        return sums.chunk(len(self.gates), dim=-1)
