"""The LSTM whose gates look at the memory: article 4 §3.2."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Context, State
from elman.errors import check_option
from elman.layers.cells.stacked import StackedCell

Peepholes = Literal["diagonal", "full"]
OutputSees = Literal["new", "old"]


class PeepholeLSTMCell(StackedCell):
    """An LSTM with connections from the memory c to its three gates.

        i = σ(W x_t + R h_{t-1} + P c_{t-1} + b),  f likewise
        c_t = f∘c_{t-1} + i∘tanh(W x_t + R h_{t-1} + b)
        o = σ(W x_t + R h_{t-1} + P c + b),  c = c_t ("new") or c_{t-1} ("old")
        h_t = o∘tanh(c_t)

    Gers and Schmidhuber 2000, "Recurrent nets that time and count", and Graves 2013, "Generating sequences with
    recurrent neural networks": every P diagonal, the output gate sees c_t; these are the defaults. Article 4 §3.2:
    every P a full matrix, the output gate sees c_{t-1}, that is `peepholes="full", output_sees="old"`.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h and of c.
        peepholes: P is one number a unit, or a full matrix.
        output_sees: The memory that the output gate looks at.

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H); weight_ih (4H, I), weight_hh (4H, H) and bias (4H),
        the rows in the order input, forget, candidate, output; weight_ch, the P, in the order input, forget, output:
        (3H) when diagonal, (3H, H) when full.
    Diagonal peepholes start at zero, so training begins with a plain LSTM; full blocks start orthogonal.
    Records: input_gate, forget_gate, candidate, output_gate.

    Raises:
        CellError: A size is not a positive whole number.
        OptionError: A choice is unknown.

    Example:
        >>> cell = PeepholeLSTMCell(3, 4)
        >>> output, (h, c) = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output.shape, cell.weight_ch.shape
        (torch.Size([2, 4]), torch.Size([12]))
    """

    gates: ClassVar[tuple[str, ...]] = ("input_gate", "forget_gate", "candidate", "output_gate")
    equation: ClassVar[str] = (
        "i, f = σ(W xₜ + R hₜ₋₁ + P cₜ₋₁ + b), each its own; P diagonal or full\n"
        "g = tanh(W xₜ + R hₜ₋₁ + b)\n"
        "cₜ = f∘cₜ₋₁ + i∘g\n"
        "output_sees='new': o = σ(W xₜ + R hₜ₋₁ + P cₜ + b)\n"
        "output_sees='old': o = σ(W xₜ + R hₜ₋₁ + P cₜ₋₁ + b)\n"
        "hₜ = o∘tanh(cₜ)"
    )

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        peepholes: Peepholes = "diagonal",
        output_sees: OutputSees = "new",
    ) -> None:
        check_option("peepholes", peepholes, ("diagonal", "full"))
        check_option("output_sees", output_sees, ("new", "old"))
        super().__init__(input_size, hidden_size, state_shapes=(hidden_size, hidden_size))
        self.peepholes: Peepholes = peepholes
        self.output_sees: OutputSees = output_sees
        shape = (3 * hidden_size,) if peepholes == "diagonal" else (3 * hidden_size, hidden_size)
        self.weight_ch = nn.Parameter(torch.zeros(shape))
        if peepholes == "full":
            for block in self.weight_ch.chunk(3):
                nn.init.orthogonal_(block)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        h, c = state
        i, f, g, o = self.products(x, h)
        to_i, to_f, to_o = self.weight_ch.chunk(3)
        i = self.record("input_gate", torch.sigmoid(i + self._look(c, to_i)))
        f = self.record("forget_gate", torch.sigmoid(f + self._look(c, to_f)))
        g = self.record("candidate", torch.tanh(g))
        old, c = c, f * c + i * g
        seen = c if self.output_sees == "new" else old
        o = self.record("output_gate", torch.sigmoid(o + self._look(seen, to_o)))
        h = o * torch.tanh(c)
        return h, (h, c)

    def _look(self, c: Tensor, peephole: Tensor) -> Tensor:
        return peephole * c if self.peepholes == "diagonal" else F.linear(c, peephole)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, peepholes={self.peepholes!r}, output_sees={self.output_sees!r}"
